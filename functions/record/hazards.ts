/**
 * What in a record is dangerous to pkgin and pkg_add. Two lists: a *rejection* would break every client, or take other packages
 * down with it, so the package stays out of the index; a *warning* concerns this package alone, so it is in, and marked.
 * Facts about the clients: pkgin 26.4 and before, as its source reads.
 */

import { latin1 } from '../package/formats.ts';
import { recordLimits } from './limits.ts';
import { hasControlCharacter, type WarningCode, warningRemedies, warningsOf } from './warnings.ts';

export type { WarningCode } from './warnings.ts';

export type RejectionCode =
  | 'record-too-large'
  | 'line-too-long'
  | 'line-without-variable'
  | 'empty-line'
  | 'nul-byte'
  | 'several-names'
  | 'unsafe-name'
  | 'unsafe-file-name'
  | 'bad-file-size';

/** What to do about each code; `explain` prints it. */
export const remedies: Readonly<Record<RejectionCode | WarningCode, string>> = {
  'record-too-large': 'Shorten +DESC or the REQUIRES and PROVIDES of +BUILD_INFO, and build the package again.',
  'line-too-long':
    'Once installed, pkgin could not read its database of installed packages any more. Break the line, and build the package again.',
  'line-without-variable':
    'One such line makes `pkgin update` fail for everyone. Rename the file, or build the package again.',
  'empty-line':
    'An empty line within a record makes `pkgin update` fail for everyone. Rename the file, or build the package again.',
  'nul-byte': 'A NUL byte hides the packages that follow. Build the package again.',
  'several-names': 'Clients would take it for another package. Leave a single @name in the packing list.',
  'unsafe-name':
    'Clients store a download under its PKGNAME: with a "/" in it, or a leading ".", that may be any place. Rename the package.',
  'unsafe-file-name': 'Rename the file so that its name has no control characters.',
  'bad-file-size': 'pkgin cannot install other packages beside one without a size. Upload the file again.',
  ...warningRemedies,
};

export interface Rejection {
  readonly code: RejectionCode;
  readonly message: string;
}

/** @param record what renderRecord gave; @param file the package's file name. Undefined: it may enter the index. */
export function findRejection(record: Uint8Array, file: string): Rejection | undefined {
  if (record.length > recordLimits.recordBytesMax)
    return reject(
      'record-too-large',
      `expected a record of at most ${recordLimits.recordBytesMax} bytes, found ${record.length}`,
    );
  if (hasControlCharacter(file))
    return reject('unsafe-file-name', `expected a printable file name, found ${JSON.stringify(file)}`);
  const text = latin1(record);
  if (text.includes('\0')) return reject('nul-byte', `found a NUL at byte ${text.indexOf('\0')} of the record`);
  if (!text.endsWith('\n\n')) return reject('empty-line', 'expected a record that ends in one empty line, found none');
  const lines = text.slice(0, -2).split('\n');
  const bad = lines.findIndex((line) => line.length > recordLimits.lineBytesMax || !/^[^=]+=/.test(line));
  return bad === -1 ? rejectNames(lines) : rejectLine(lines[bad] ?? '', bad + 1);
}

function rejectLine(line: string, number: number): Rejection {
  const where = `line ${number} of the record (${JSON.stringify(line.slice(0, 40))})`;
  if (line === '') return reject('empty-line', `found an empty line within the record, before line ${number + 1}`);
  if (!/^[^=]+=/.test(line)) return reject('line-without-variable', `expected VARIABLE=value, found none in ${where}`);
  return reject(
    'line-too-long',
    `expected lines of at most ${recordLimits.lineBytesMax} bytes, found ${line.length} in ${where}`,
  );
}

function rejectNames(lines: readonly string[]): Rejection | undefined {
  const names = valuesOf(lines, 'PKGNAME');
  const [name] = names;
  if (name === undefined || name === '' || names.length > 1)
    return reject(
      'several-names',
      `expected one PKGNAME, found ${names.length}: ${names.map((value) => JSON.stringify(value)).join(', ')}`,
    );
  if (name.includes('/') || name.startsWith('.'))
    return reject(
      'unsafe-name',
      `expected a PKGNAME without "/" and without a leading ".", found ${JSON.stringify(name)}`,
    );
  const sizes = valuesOf(lines, 'FILE_SIZE');
  if (sizes.length !== 1 || !/^[1-9][0-9]*$/.test(sizes[0] ?? ''))
    return reject('bad-file-size', `expected one FILE_SIZE above 0, found ${JSON.stringify(sizes)}`);
  return undefined;
}

/** The warnings that a record earns by itself; only for one that is not rejected. */
export function findWarnings(record: Uint8Array, file: string): WarningCode[] {
  return warningsOf({
    name: packageNameOf(record),
    file: Buffer.from(file).toString('latin1'),
    text: latin1(record),
  });
}

/** The PKGNAME of a record, as Latin-1; the empty string where it has none. Makes no string of the whole record: there are many. */
export function packageNameOf(record: Uint8Array): string {
  const bytes = Buffer.from(record.buffer, record.byteOffset, record.byteLength);
  const variable = 'PKGNAME=';
  const isFirst = bytes.toString('latin1', 0, variable.length) === variable;
  const before = isFirst ? -1 : bytes.indexOf(`\n${variable}`);
  if (!isFirst && before === -1) return '';
  const start = before + 1 + variable.length;
  const end = bytes.indexOf('\n', start);
  return bytes.toString('latin1', start, end === -1 ? bytes.length : end);
}

/** Files that share their PKGNAME with another: each is to be shown with the warning `duplicate-pkgname`. */
export function findDuplicates(packages: Iterable<{ readonly file: string; readonly name: string }>): Set<string> {
  const filesByName = new Map<string, string[]>();
  for (const { file, name } of packages) {
    const files = filesByName.get(name);
    if (files === undefined) filesByName.set(name, [file]);
    else files.push(file);
  }
  return new Set([...filesByName.values()].filter((files) => files.length > 1).flat());
}

function reject(code: RejectionCode, message: string): Rejection {
  return { code, message };
}

function valuesOf(lines: readonly string[], variable: string): string[] {
  return lines.filter((line) => line.startsWith(`${variable}=`)).map((line) => line.slice(variable.length + 1));
}
