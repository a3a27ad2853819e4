/** Whom an operator trusts, and whether one of them signed a package. */

import { createHash, type X509Certificate } from 'node:crypto';
import { findSignedParts, type SignedParts, type Span } from '../package/container.ts';
import type { PackageSource } from '../package/package-source.ts';
import type { SignatureCheck } from '../ports.ts';
import { BadHashFile, type HashFile, readHashFile, verifyBlocks } from './hash-file.ts';
import { trustLimits } from './limits.ts';
import { verifyOpenPgp } from './openpgp-verification.ts';
import { type RingKey, readRing, UnreadableRing } from './ring.ts';
import { type SignedBy, Unverified } from './signature-finding.ts';
import { verifyX509 } from './x509-verification.ts';

/** Plain data, which can be given to a thread. */
export interface Trust {
  readonly keys: readonly RingKey[];
  readonly certificates: readonly X509Certificate[];
  /** Whether a package without a good signature stays out of the index. */
  readonly isRequired: boolean;
  /** Whether signatures with SHA-1 are good. */
  readonly allowsSha1: boolean;
  /** Whether every block of a package is compared with its signed hash, for which all of it is read. */
  readonly isDeep: boolean;
  /** Of everything above: 16 hexadecimal digits. */
  readonly fingerprint: string;
}

export interface TrustFile {
  /** For messages. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

export type TrustOptions = Pick<Trust, 'isRequired' | 'allowsSha1' | 'isDeep'>;

/** @throws {UnreadableRing} where one of the files cannot be used: then nothing may be accepted. */
export function readTrust(files: readonly TrustFile[], options: TrustOptions): Trust {
  const { filesMax, keysMax } = trustLimits;
  if (files.length > filesMax)
    throw new UnreadableRing(`expected at most ${filesMax} files of keys, found ${files.length}`);
  const rings = files.map(({ name, bytes }) => readRing(name, bytes));
  const keys = rings.flatMap((ring) => ring.keys);
  const certificates = rings.flatMap((ring) => ring.certificates);
  const found = keys.length + certificates.length;
  if (found > keysMax) throw new UnreadableRing(`expected at most ${keysMax} keys and certificates, found ${found}`);
  const distinct = [
    ...keys.map(({ fingerprint }) => fingerprint),
    ...certificates.map(({ fingerprint256 }) => fingerprint256),
  ];
  const contents = files.map(({ bytes }) => createHash('sha256').update(bytes).digest('hex')).sort();
  const { isRequired, allowsSha1, isDeep } = options;
  const all = JSON.stringify([distinct.sort(), contents, isRequired, allowsSha1, isDeep]);
  const fingerprint = createHash('sha256').update(all).digest('hex').slice(0, 16);
  return { keys, certificates, isRequired, allowsSha1, isDeep, fingerprint };
}

/**
 * Reads the hashes and the signature, and with `isDeep` all of the package.
 * @param packageName as in the packing list
 * @throws what `source` throws, and {MalformedPackage}
 */
export async function checkSignature(
  source: PackageSource,
  packageName: string,
  trust: Trust,
  now: Date,
): Promise<SignatureCheck> {
  try {
    const parts = await findSignedParts(source);
    if (parts === undefined)
      throw new Unverified('unsigned', 'expected a signed package, found one without a signature');
    return { state: 'good', ...(await verifyParts(source, parts, packageName, trust, now)) };
  } catch (error) {
    if (!(error instanceof Unverified)) throw error;
    return { state: 'problem', code: error.code, message: error.message };
  }
}

async function verifyParts(
  source: PackageSource,
  parts: SignedParts,
  packageName: string,
  trust: Trust,
  now: Date,
): Promise<SignedBy> {
  const { hashFileBytesMax, signatureBytesMax } = trustLimits;
  const hashes = await read(source, parts.hashes, '+PKG_HASH', hashFileBytesMax);
  const signature = await read(source, parts.signature, 'a signature', signatureBytesMax);
  const by = { now, allowsSha1: trust.allowsSha1 };
  const signedBy =
    parts.kind === 'gpg'
      ? verifyOpenPgp(hashes, signature, trust.keys, by)
      : verifyX509(hashes, signature, trust.certificates, by);
  try {
    const hashFile = readHashFile(hashes);
    expectSame(hashFile, parts, packageName);
    const { start } = parts.package;
    if (trust.isDeep) await verifyBlocks(hashFile, (offset, length) => source.read(start + offset, length));
  } catch (error) {
    if (error instanceof BadHashFile) throw new Unverified('bad-signature', error.message);
    throw error;
  }
  return signedBy;
}

/** The hashes of one package are no word on another one. */
function expectSame(hashFile: HashFile, { package: { start, end } }: SignedParts, packageName: string): void {
  if (hashFile.fileSize !== end - start)
    throw new BadHashFile(
      `expected a package of ${hashFile.fileSize} bytes, as +PKG_HASH says, found one of ${end - start}`,
    );
  if (hashFile.packageName !== packageName)
    throw new BadHashFile(
      `expected the hashes of ${packageName}, found those of ${hashFile.packageName.slice(0, 100)}`,
    );
}

async function read(source: PackageSource, { start, end }: Span, what: string, bytesMax: number): Promise<Uint8Array> {
  if (end - start > bytesMax)
    throw new Unverified('bad-signature', `expected ${what} of at most ${bytesMax} bytes, found one of ${end - start}`);
  return source.read(start, end - start);
}
