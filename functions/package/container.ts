/**
 * The outermost layer: a signed package is a BSD ar archive of the hashes, the signature and the package, in this order; any
 * other file is the package itself. Source: pkg_install lib/pkg_signature.c; ar(5).
 */

import { latin1 } from './formats.ts';
import { packageLimits } from './limits.ts';
import { MalformedPackage } from './malformed-package.ts';
import type { PackageSource } from './package-source.ts';

const arMagic = '!<arch>\n';
const memberHeaderBytes = 60;
/** The name field of a member header. A long name is written as its length (BSD: `#1/20`) and follows the header. */
const nameBytes = 16;
const sizeField = { offset: 48, length: 10 } as const;
const headerEnd = '`\n';

export type Signature = 'gpg' | 'x509';

const signatures: ReadonlyMap<string, Signature> = new Map([
  ['+PKG_GPG_SIGNATURE', 'gpg'],
  ['+PKG_SIGNATURE', 'x509'],
]);

/** Which bytes of the file are the package itself, counted from the start of the file. */
export interface PackageExtent {
  readonly start: number;
  readonly end: number;
  /** The kind of its signature, which functions/trust verifies. */
  readonly signature: Signature | undefined;
}

/** The parts of a signed package: what is signed, by what, and whose hashes it has. */
export interface SignedParts {
  readonly kind: Signature;
  readonly hashes: Span;
  readonly signature: Span;
  readonly package: Span;
}

/** Bytes from the start of the file. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

interface Member {
  readonly name: string;
  /** Bytes from the start of the file; after a long name. */
  readonly start: number;
  readonly end: number;
}

/** @throws {MalformedPackage} empty, or an ar archive that is not a signed package. */
export async function findPackage(source: PackageSource): Promise<PackageExtent> {
  if (source.size === 0) throw new MalformedPackage('empty', 'expected a package, found an empty file', 0);
  const parts = await findSignedParts(source);
  return parts === undefined
    ? { start: 0, end: source.size, signature: undefined }
    : { ...parts.package, signature: parts.kind };
}

/**
 * @returns undefined for a package without a signature
 * @throws {MalformedPackage} an ar archive that is not a signed package
 */
export async function findSignedParts(source: PackageSource): Promise<SignedParts | undefined> {
  if (source.size < arMagic.length || !isSigned(await source.read(0, arMagic.length))) return undefined;
  const hashes = await readMember(source, arMagic.length);
  expectName(hashes, ['+PKG_HASH'], arMagic.length);
  const signatureAt = nextMember(hashes);
  const signature = await readMember(source, signatureAt);
  const kind = signatures.get(signature.name) ?? throwUnexpectedName(signature, [...signatures.keys()], signatureAt);
  const inner = await readMember(source, nextMember(signature));
  if (inner.start === inner.end)
    throw new MalformedPackage('corrupt-signed-package', 'expected a package, found an empty ar member', inner.start);
  return { kind, hashes, signature, package: { start: inner.start, end: inner.end } };
}

/** @param head the first bytes of a file. */
export function isSigned(head: Uint8Array): boolean {
  return latin1(head.subarray(0, arMagic.length)) === arMagic;
}

async function readMember(source: PackageSource, offset: number): Promise<Member> {
  if (offset + memberHeaderBytes > source.size)
    throw new MalformedPackage(
      'truncated',
      'expected an ar member header of 60 bytes, found the end of the file',
      offset,
    );
  const header = latin1(await source.read(offset, memberHeaderBytes));
  if (!header.endsWith(headerEnd))
    throw new MalformedPackage(
      'corrupt-signed-package',
      `expected an ar member header that ends in ${JSON.stringify(headerEnd)}, found ${JSON.stringify(header.slice(-2))}`,
      offset,
    );
  const size = decimal(header.slice(sizeField.offset, sizeField.offset + sizeField.length), offset);
  const shortName = header.slice(0, nameBytes).trimEnd();
  const longNameBytes = shortName.startsWith('#1/') ? decimal(shortName.slice(3), offset) : 0;
  const start = offset + memberHeaderBytes;
  const end = start + size;
  if (end > source.size)
    throw new MalformedPackage(
      'truncated',
      `expected an ar member of ${size} bytes, found ${source.size - start}`,
      start,
    );
  if (longNameBytes > Math.min(size, packageLimits.arNameBytesMax))
    throw new MalformedPackage(
      'corrupt-signed-package',
      `expected a member name, found one of ${longNameBytes} bytes`,
      start,
    );
  const name = longNameBytes === 0 ? shortName : latin1(await source.read(start, longNameBytes)).replace(/\0+$/, '');
  return { name: name.replace(/\/$/, ''), start: start + longNameBytes, end };
}

/** Members start at even offsets. */
function nextMember(member: Member): number {
  return member.end + (member.end % 2);
}

function expectName(member: Member, names: readonly string[], offset: number): void {
  if (!names.includes(member.name)) throwUnexpectedName(member, names, offset);
}

function throwUnexpectedName({ name }: Member, names: readonly string[], offset: number): never {
  const what = `expected the ar member ${names.join(' or ')}, found ${JSON.stringify(name)}`;
  throw new MalformedPackage('corrupt-signed-package', what, offset);
}

function decimal(field: string, offset: number): number {
  const digits = field.trim();
  if (!/^\d+$/.test(digits))
    throw new MalformedPackage(
      'corrupt-signed-package',
      `expected a decimal number in an ar member header, found ${JSON.stringify(digits)}`,
      offset,
    );
  return Number(digits);
}
