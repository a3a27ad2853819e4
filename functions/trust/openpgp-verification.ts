/** Whether a key of the ring signed some bytes. */

import { verify } from 'node:crypto';
import { armoredBlocks, BadArmor } from './armor.ts';
import { BadPackets, dsa, packetsIn, readSignature, rsa, type SignaturePacket } from './openpgp.ts';
import type { RingKey } from './ring.ts';
import {
  day,
  expectSoundHash,
  type SignatureFinding,
  type SignedBy,
  type Signer,
  Unverified,
} from './signature-finding.ts';

/** RFC 4880, section 9.4. MD5 and RIPEMD-160 are not among them: MD5 is broken, and clients have no RIPEMD-160. */
const hashes: ReadonlyMap<number, string> = new Map([
  [2, 'sha1'],
  [8, 'sha256'],
  [9, 'sha384'],
  [10, 'sha512'],
  [11, 'sha224'],
]);
const signatureTag = 2;
const binary = 0x00;
const text = 0x01;
const fingerprintSubpacket = 33;
const issuerSubpacket = 16;

/**
 * @param armored +PKG_GPG_SIGNATURE
 * @throws {Unverified}
 */
export function verifyOpenPgp(data: Uint8Array, armored: Uint8Array, keys: readonly RingKey[], by: Signer): SignedBy {
  const { signature, headers } = read(armored);
  const hash = hashes.get(signature.hash);
  if (hash === undefined)
    throw new Unverified('bad-signature', `expected a SHA-2 hash, found algorithm ${signature.hash}`);
  expectSoundHash(hash, by);
  const candidates = keys.filter(({ keyId }) => keyId === signature.issuer);
  if (candidates.length === 0)
    throw new Unverified(
      'untrusted-key',
      `expected a signature by a trusted key, found one by ${signature.issuer ?? 'an unnamed key'}`,
    );
  const key = candidates.find((candidate) => isSignedBy(data, signature, candidate, hash));
  if (key === undefined)
    throw new Unverified(
      'bad-signature',
      `expected the signature of +PKG_HASH by key ${signature.issuer}, found one of other bytes`,
    );
  checkKey(key);
  checkTimes(key, signature, by.now);
  return {
    keyId: key.keyId,
    fingerprint: key.fingerprint,
    name: key.userId,
    findings: findings(key, signature, headers),
  };
}

function read(armored: Uint8Array): { readonly signature: SignaturePacket; readonly headers: readonly string[] } {
  try {
    const block = armoredBlocks(armored).find(({ label }) => label === 'PGP SIGNATURE');
    if (block === undefined) throw new BadArmor('expected a PGP SIGNATURE, found none');
    const packets = [...packetsIn(block.bytes)];
    const [packet] = packets;
    if (packets.length !== 1 || packet?.tag !== signatureTag)
      throw new BadPackets(`expected one signature, found ${packets.length} packets`);
    const signature = readSignature(packet.body);
    if (signature === undefined) throw new BadPackets('expected a signature of version 4 by RSA or DSA, found another');
    return { signature, headers: block.headers };
  } catch (error) {
    if (error instanceof BadArmor || error instanceof BadPackets) throw new Unverified('bad-signature', error.message);
    throw error;
  }
}

function isSignedBy(data: Uint8Array, signature: SignaturePacket, key: RingKey, hash: string): boolean {
  const { type, trailer, numbers, algorithm } = signature;
  if (rsa.includes(algorithm) !== rsa.includes(key.algorithm)) return false;
  if (numbers.some(({ length }) => length > key.signatureBytes)) return false;
  const signed = type === binary ? data : type === text ? withCarriageReturns(data) : undefined;
  if (signed === undefined) return false;
  const padded = numbers.map((number) => Buffer.concat([Buffer.alloc(key.signatureBytes - number.length), number]));
  const encoding = algorithm === dsa ? { dsaEncoding: 'ieee-p1363' as const } : {};
  return verify(hash, Buffer.concat([signed, trailer]), { key: key.key, ...encoding }, Buffer.concat(padded));
}

/** A signature of text is one of lines that end in CR LF. +PKG_HASH has none of them. */
function withCarriageReturns(data: Uint8Array): Buffer {
  return Buffer.from(Buffer.from(data).toString('latin1').replaceAll('\n', '\r\n'), 'latin1');
}

function checkKey({ keyId, isRevoked, canSign }: RingKey): void {
  if (isRevoked)
    throw new Unverified(
      'untrusted-key',
      `expected a signature by a key in use, found one by ${keyId}, which is revoked`,
    );
  if (!canSign)
    throw new Unverified(
      'untrusted-key',
      `expected a signature by a key for signing, found one by ${keyId}, which is not`,
    );
}

/** As netpgpverify: a key that expired is fatal also for what it signed before. */
function checkTimes({ keyId, created: keyCreated, expiresAt }: RingKey, signature: SignaturePacket, now: Date): void {
  const { created, expiresAfter } = signature;
  const seconds = now.getTime() / 1_000;
  if (expiresAt !== undefined && expiresAt <= now.getTime())
    throw new Unverified(
      'expired-certificate',
      `expected a valid key, found ${keyId}, which expired on ${day(expiresAt)}`,
    );
  if (expiresAfter !== 0 && created + expiresAfter <= seconds)
    throw new Unverified(
      'bad-signature',
      `expected a valid signature, found one that expired on ${day(1_000 * (created + expiresAfter))}`,
    );
  if (created < keyCreated)
    throw new Unverified(
      'bad-signature',
      `expected a signature made after its key, found one of ${day(1_000 * created)}`,
    );
  if (created > seconds + clockSeconds)
    throw new Unverified(
      'bad-signature',
      `expected a signature made before today, found one of ${day(1_000 * created)}`,
    );
}

/** How far the clock of the signing machine may be ahead of ours. */
const clockSeconds = 300;

/** What keeps some clients from verifying it: tried with netpgpverify of 2014 (all pkg_install since), and GnuPG. */
function findings(
  { isSubkey }: RingKey,
  { hash, hashedTypes }: SignaturePacket,
  headers: readonly string[],
): SignatureFinding[] {
  const isNewLayout = hashedTypes.includes(fingerprintSubpacket) && !hashedTypes.includes(issuerSubpacket);
  return [
    ...(hash === 10 || hash === 9 ? (['signature-sha512'] as const) : []),
    ...(headers.some((header) => header.startsWith('Version:')) ? [] : (['signature-without-version'] as const)),
    ...(isNewLayout ? (['signature-layout'] as const) : []),
    ...(isSubkey ? (['signature-by-subkey'] as const) : []),
  ];
}
