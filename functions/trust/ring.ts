/**
 * The keys and certificates that an operator trusts. A file of them is a keyring as pkg_install reads it (GPG_KEYRING_VERIFY: packets),
 * the same in ASCII armor, or certificates in PEM (CERTIFICATE_ANCHOR_PKGS).
 */

import { X509Certificate } from 'node:crypto';
import { latin1 } from '../package/formats.ts';
import { armoredBlocks, BadArmor } from './armor.ts';
import { trustLimits } from './limits.ts';
import { BadPackets, type PublicKey, packetsIn, readPublicKey, readSignature } from './openpgp.ts';

export interface RingKey extends PublicKey {
  /** The first user id of its primary key. */
  readonly userId: string;
  readonly isSubkey: boolean;
  /** Milliseconds since 1970; undefined: never. */
  readonly expiresAt: number | undefined;
  readonly isRevoked: boolean;
  /** Whether its owner says that it signs data. */
  readonly canSign: boolean;
}

export interface Ring {
  readonly keys: readonly RingKey[];
  readonly certificates: readonly X509Certificate[];
}

/** A file of --trust cannot be used: nothing may be accepted because of that. The message is a sentence for the operator. */
export class UnreadableRing extends Error {
  override readonly name = 'UnreadableRing';
}

/**
 * @param name of the file, for messages
 * @throws {UnreadableRing}
 */
export function readRing(name: string, bytes: Uint8Array): Ring {
  const { ringBytesMax } = trustLimits;
  if (bytes.length > ringBytesMax)
    throw new UnreadableRing(`${name}: expected at most ${ringBytesMax} bytes of keys, found ${bytes.length}`);
  try {
    const ring = ringIn(bytes);
    if (ring.keys.length + ring.certificates.length > 0) return ring;
  } catch (error) {
    if (!(error instanceof BadPackets || error instanceof BadArmor)) throw error;
    throw new UnreadableRing(`${name}: ${error.message}. ${howToMake}`);
  }
  throw new UnreadableRing(`${name}: expected an RSA or DSA key, or a certificate, found none. ${howToMake}`);
}

const howToMake = 'Make a keyring with `gpg --export KEY`, or give certificates in PEM.';

function ringIn(bytes: Uint8Array): Ring {
  if (latin1(bytes.subarray(8, 12)) === 'KBXf')
    throw new BadPackets('expected a keyring of OpenPGP packets, found a keybox, which no client of pkgsrc reads');
  const text = latin1(bytes);
  if (!text.includes('-----BEGIN ')) return { keys: keysIn(packetsIn(bytes)), certificates: [] };
  const keys: RingKey[] = [];
  const certificates: X509Certificate[] = [];
  for (const { label, bytes: block } of armoredBlocks(bytes)) {
    if (label === 'PGP PUBLIC KEY BLOCK') keys.push(...keysIn(packetsIn(block)));
    else if (label === 'CERTIFICATE' || label === 'TRUSTED CERTIFICATE') certificates.push(certificate(block));
    else throw new BadPackets(`expected a PGP PUBLIC KEY BLOCK or a CERTIFICATE, found ${JSON.stringify(label)}`);
  }
  return { keys, certificates };
}

function certificate(der: Buffer): X509Certificate {
  try {
    return new X509Certificate(der);
  } catch (error) {
    throw new BadPackets(`expected a certificate, found something else (${(error as Error).message})`);
  }
}

const tags = {
  signature: 2,
  secretKey: 5,
  key: 6,
  secretSubkey: 7,
  trust: 12,
  userId: 13,
  subkey: 14,
  userAttribute: 17,
};
/** Types of signatures: RFC 4880, section 5.2.1. */
const signs = { certifications: [0x10, 0x11, 0x12, 0x13], subkey: 0x18, itself: 0x1f, revoked: [0x20, 0x28] };
const signFlag = 0x02;

/** What signatures of the owner say of a key. The ring is the operator's word, so that they are not verified. */
interface Described {
  readonly key: PublicKey;
  readonly isSubkey: boolean;
  userId: string;
  described: number;
  expiresAfter: number;
  flags: number | undefined;
  isRevoked: boolean;
}

function keysIn(packets: Iterable<{ readonly tag: number; readonly body: Buffer }>): RingKey[] {
  const found: Described[] = [];
  let primary: Described | undefined;
  /** The key that the next signatures describe; undefined: one that cannot sign packages. */
  let last: Described | undefined;
  for (const { tag, body } of packets) {
    if (tag === tags.key || tag === tags.subkey) {
      const isSubkey = tag === tags.subkey;
      const key = readPublicKey(body);
      last = key && { key, isSubkey, userId: isSubkey ? (primary?.userId ?? '') : '', described: -1, ...undescribed };
      if (last !== undefined) found.push(last);
      if (!isSubkey) primary = last;
    } else if (tag === tags.userId && primary !== undefined) {
      primary.userId ||= printableText(body);
    } else if (tag === tags.signature && last !== undefined) {
      describe(last, primary, body);
    } else if (tag === tags.secretKey || tag === tags.secretSubkey) {
      throw new BadPackets('expected public keys, found a secret one');
    } else if (!Object.values(tags).includes(tag)) {
      throw new BadPackets(`expected keys, user ids and their signatures, found a packet of type ${tag}`);
    }
  }
  return found.map(ringKey);
}

const undescribed = { expiresAfter: 0, flags: undefined, isRevoked: false };

function describe(key: Described, primary: Described | undefined, body: Buffer): void {
  const signature = readSignature(body);
  if (signature === undefined || signature.issuer !== primary?.key.keyId) return;
  const { type, created } = signature;
  if (signs.revoked.includes(type)) key.isRevoked = true;
  const isDescription = key.isSubkey
    ? type === signs.subkey
    : signs.certifications.includes(type) || type === signs.itself;
  if (!isDescription || created < key.described) return;
  key.described = created;
  key.expiresAfter = signature.keyExpiresAfter;
  key.flags = signature.keyFlags;
}

function ringKey({ key, isSubkey, userId, expiresAfter, flags, isRevoked }: Described): RingKey {
  const expiresAt = expiresAfter === 0 ? undefined : 1_000 * (key.created + expiresAfter);
  const canSign = flags === undefined || (flags & signFlag) !== 0;
  return { ...key, isSubkey, userId: userId || 'a key without a user id', expiresAt, isRevoked, canSign };
}

/** A user id is UTF-8 of any length. */
function printableText(bytes: Buffer): string {
  return bytes.toString().slice(0, 200);
}
