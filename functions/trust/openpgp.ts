/** Packets of OpenPGP, as far as they say who signed: public keys, user ids and signatures. Source: RFC 4880, sections 4 and 5. */

import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { BitString, Integer, ObjectIdentifier, Sequence } from 'asn1js';
import { trustLimits } from './limits.ts';

/** The packets cannot be read. Its message says what was expected and found. */
export class BadPackets extends Error {
  override readonly name = 'BadPackets';
}

export interface Packet {
  readonly tag: number;
  readonly body: Buffer;
}

/** @throws {BadPackets} */
export function* packetsIn(bytes: Uint8Array): Generator<Packet> {
  const reader = new Reader(bytes);
  while (reader.left > 0) {
    const head = reader.byte();
    if ((head & 0x80) === 0) throw new BadPackets(`expected an OpenPGP packet, found the byte ${head}`);
    const isNew = (head & 0x40) !== 0;
    const tag = isNew ? head & 0x3f : (head >> 2) & 0x0f;
    yield { tag, body: reader.bytes(isNew ? newLength(reader) : oldLength(reader, head & 3)) };
  }
}

function newLength(reader: Reader): number {
  const first = reader.byte();
  if (first < 192) return first;
  if (first < 224) return ((first - 192) << 8) + reader.byte() + 192;
  if (first === 255) return reader.uint(4);
  throw new BadPackets('expected a packet with a length, found one in parts');
}

function oldLength(reader: Reader, type: number): number {
  return type === 3 ? reader.left : reader.uint(2 ** type);
}

/** Reads fields in order. @throws {BadPackets} at the end of the bytes. */
class Reader {
  readonly #bytes: Buffer;
  offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get left(): number {
    return this.#bytes.length - this.offset;
  }

  bytes(length: number): Buffer {
    if (length > this.left) throw new BadPackets(`expected ${length} bytes, found ${this.left}`);
    this.offset += length;
    return this.#bytes.subarray(this.offset - length, this.offset);
  }

  byte(): number {
    return this.uint(1);
  }

  uint(length: number): number {
    return this.bytes(length).readUIntBE(0, length);
  }

  /** A number without leading zero bytes. */
  mpi(): Buffer {
    const bits = this.uint(2);
    const bytes = this.bytes(Math.ceil(bits / 8));
    return bytes[0] === 0 ? bytes.subarray(bytes.findIndex((byte) => byte !== 0)) : bytes;
  }
}

export const rsa: readonly number[] = [1, 2, 3];
export const dsa = 17;

export interface PublicKey {
  /** 16 hexadecimal digits. */
  readonly keyId: string;
  /** 40 hexadecimal digits. */
  readonly fingerprint: string;
  /** Seconds since 1970. */
  readonly created: number;
  readonly algorithm: number;
  readonly key: KeyObject;
  /** Bytes of a signature (RSA), or of each of its two numbers (DSA). */
  readonly signatureBytes: number;
}

/**
 * @param body of a packet with tag 6 or 14
 * @returns undefined for a key that cannot sign packages: neither RSA nor DSA, or of another version than 4
 * @throws {BadPackets}
 */
export function readPublicKey(body: Buffer): PublicKey | undefined {
  const reader = new Reader(body);
  if (reader.byte() !== 4) return undefined;
  const created = reader.uint(4);
  const algorithm = reader.byte();
  const length = Buffer.from([0x99, body.length >> 8, body.length & 0xff]);
  const fingerprint = createHash('sha1').update(length).update(body).digest('hex').toUpperCase();
  const facts = { fingerprint, keyId: fingerprint.slice(-16), created, algorithm };
  if (rsa.includes(algorithm)) {
    const [n, e] = [reader.mpi(), reader.mpi()];
    const { rsaBitsMin, rsaBitsMax } = trustLimits;
    if (8 * n.length < rsaBitsMin || 8 * n.length > rsaBitsMax)
      throw new BadPackets(`expected an RSA key of ${rsaBitsMin} to ${rsaBitsMax} bits, found one of ${8 * n.length}`);
    const jwk = { kty: 'RSA', n: n.toString('base64url'), e: e.toString('base64url') };
    return { ...facts, key: publicKey(() => createPublicKey({ key: jwk, format: 'jwk' })), signatureBytes: n.length };
  }
  if (algorithm !== dsa) return undefined;
  const [p, q, g, y] = [reader.mpi(), reader.mpi(), reader.mpi(), reader.mpi()];
  return { ...facts, key: publicKey(() => dsaKey(p, q, g, y)), signatureBytes: q.length };
}

function publicKey(make: () => KeyObject): KeyObject {
  try {
    return make();
  } catch (error) {
    throw new BadPackets(`expected the numbers of a public key, found others (${(error as Error).message})`);
  }
}

/** SubjectPublicKeyInfo of DSA: RFC 3279, section 2.3.2. */
function dsaKey(p: Buffer, q: Buffer, g: Buffer, y: Buffer): KeyObject {
  const integer = (bytes: Buffer) =>
    new Integer({ valueHex: (bytes[0] ?? 0) < 0x80 ? bytes : Buffer.concat([Buffer.alloc(1), bytes]) });
  const algorithm = new Sequence({
    value: [
      new ObjectIdentifier({ value: '1.2.840.10040.4.1' }),
      new Sequence({ value: [integer(p), integer(q), integer(g)] }),
    ],
  });
  const bits = new BitString({ valueHex: integer(y).toBER() });
  const der = Buffer.from(new Sequence({ value: [algorithm, bits] }).toBER());
  return createPublicKey({ key: der, format: 'der', type: 'spki' });
}

export interface SignaturePacket {
  readonly type: number;
  readonly algorithm: number;
  readonly hash: number;
  /** Seconds since 1970. */
  readonly created: number;
  /** Seconds after `created`; 0: never. */
  readonly expiresAfter: number;
  /** Of a key that is signed: seconds after the key's creation; 0: never. */
  readonly keyExpiresAfter: number;
  /** Undefined where the signature does not say what the key is for. */
  readonly keyFlags: number | undefined;
  /** 16 hexadecimal digits. */
  readonly issuer: string | undefined;
  /** What is signed after the data. */
  readonly trailer: Buffer;
  /** RSA: one number; DSA: two. */
  readonly numbers: readonly Buffer[];
  /** Types of the hashed subpackets in their order. */
  readonly hashedTypes: readonly number[];
}

/** Numbers of subpackets: RFC 4880, section 5.2.3.1, and 33 of RFC 9580. */
const subpacket = { created: 2, expires: 3, keyExpires: 9, issuer: 16, keyFlags: 27, issuerFingerprint: 33 } as const;

/** Those that change nothing for us, although their writer calls them critical. */
const harmless: ReadonlySet<number> = new Set([...Object.values(subpacket), 4, 7, 11, 21, 22, 23, 25, 26, 28, 30]);

/**
 * @param body of a packet with tag 2
 * @returns undefined for one of another version than 4, or with an algorithm that clients cannot verify
 * @throws {BadPackets}
 */
export function readSignature(body: Buffer): SignaturePacket | undefined {
  const reader = new Reader(body);
  if (reader.byte() !== 4) return undefined;
  const [type, algorithm, hash] = [reader.byte(), reader.byte(), reader.byte()];
  const hashed = subpacketsIn(reader.bytes(reader.uint(2)));
  const head = body.subarray(0, reader.offset);
  const unhashed = subpacketsIn(reader.bytes(reader.uint(2)));
  reader.bytes(2);
  if (!rsa.includes(algorithm) && algorithm !== dsa) return undefined;
  const numbers = algorithm === dsa ? [reader.mpi(), reader.mpi()] : [reader.mpi()];
  const trailer = Buffer.concat([head, Buffer.from([4, 0xff, 0, 0, 0, 0])]);
  trailer.writeUInt32BE(head.length, trailer.length - 4);
  const strange = [...hashed].find(({ type: other, isCritical }) => isCritical && !harmless.has(other));
  if (strange !== undefined)
    throw new BadPackets(`expected parts that we know, found one of type ${strange.type} that must not be ignored`);
  const number = (wanted: number) => hashed.find(({ type: other }) => other === wanted)?.body;
  // Who signed needs no protection: another key's signature cannot be verified by this one's.
  const all = [...hashed, ...unhashed];
  const issuer =
    all.find(({ type: other }) => other === subpacket.issuer)?.body ??
    all.find(({ type: other }) => other === subpacket.issuerFingerprint)?.body.subarray(-8);
  return {
    type,
    algorithm,
    hash,
    created: seconds(number(subpacket.created)),
    expiresAfter: seconds(number(subpacket.expires)),
    keyExpiresAfter: seconds(number(subpacket.keyExpires)),
    keyFlags: number(subpacket.keyFlags)?.[0],
    issuer: issuer?.toString('hex').toUpperCase(),
    trailer,
    numbers,
    hashedTypes: hashed.map(({ type: other }) => other),
  };
}

interface Subpacket {
  readonly type: number;
  readonly isCritical: boolean;
  readonly body: Buffer;
}

function subpacketsIn(bytes: Buffer): readonly Subpacket[] {
  const reader = new Reader(bytes);
  const found: Subpacket[] = [];
  while (reader.left > 0) {
    const first = reader.byte();
    const length = first < 192 ? first : first < 255 ? ((first - 192) << 8) + reader.byte() + 192 : reader.uint(4);
    if (length === 0) throw new BadPackets('expected a part with a type, found an empty one');
    const type = reader.byte();
    found.push({ type: type & 0x7f, isCritical: (type & 0x80) !== 0, body: reader.bytes(length - 1) });
  }
  return found;
}

function seconds(body: Buffer | undefined): number {
  return body?.length === 4 ? body.readUInt32BE() : 0;
}
