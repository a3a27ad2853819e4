/**
 * What in a record breaks pkgin and pkg_add. A *rejection* would break every client or other packages, so the package stays
 * out of the index. A *warning* concerns only the package itself, so the package is in the index and marked.
 * Source: pkgin 26.4 and earlier.
 */

import { latin1 } from '../package/formats.ts';
import { type SignatureFinding, type SignatureProblem, signatureRemedies } from '../trust/signature-finding.ts';
import { hasBalancedBraces } from '../version/braces.ts';
import { patternLimits } from '../version/limits.ts';
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
  | 'bad-file-size'
  | 'empty-comment'
  | 'empty-architecture'
  | 'foreign-architecture'
  | 'unbalanced-braces'
  | 'pattern-too-long';

/** How to fix each; `explain` prints this. */
export const remedies: Readonly<Record<RejectionCode | WarningCode | SignatureProblem | SignatureFinding, string>> = {
  'record-too-large': 'Shorten +DESC or the REQUIRES and PROVIDES of +BUILD_INFO, and build the package again.',
  'line-too-long':
    'After its installation, pkgin can no longer read its database of installed packages. Break the line, and build the package again.',
  'line-without-variable':
    'One such line makes `pkgin update` fail for everyone. Rename the file, or build the package again.',
  'empty-line':
    'An empty line within a record makes `pkgin update` fail for everyone. Rename the file, or build the package again.',
  'nul-byte': 'A NUL byte hides the packages that follow. Build the package again.',
  'several-names': 'Clients would confuse it with another package. Keep a single @name in the packing list.',
  'unsafe-name':
    'Clients store a download under its PKGNAME: a "/" or a leading "." in it can point anywhere. Rename the package.',
  'unsafe-file-name': 'Rename the file so that its name has no control characters.',
  'bad-file-size': 'One package without a size keeps pkgin from installing others. Upload the file again.',
  'empty-comment':
    '`pkgin search` crashes for everyone if one package has no COMMENT. Set COMMENT in the Makefile of the package, and build it again.',
  'empty-architecture':
    '`pkgin update` stops for everyone if one MACHINE_ARCH is empty. Build the package again with a value in +BUILD_INFO, or without the line.',
  'foreign-architecture':
    '`pkgin update` stops for everyone if one package is for another machine. Move it to the repository of its architecture; or accept that one here, too, with another --arch.',
  'unbalanced-braces':
    '`pkgin upgrade` stops for everyone with "Malformed alternate". Close each "{" with a "}" in the Makefile of the package, and build it again.',
  'pattern-too-long':
    'A pattern with braces that exceeds the buffer of pkgin ends `pkgin upgrade`. Shorten it in the Makefile of the package, and build it again.',
  ...warningRemedies,
  ...signatureRemedies,
};

export interface Rejection {
  readonly code: RejectionCode;
  readonly message: string;
}

/**
 * @param record the result of renderRecord.
 * @param file the file name of the package.
 * @returns undefined if the record may enter the index.
 */
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
  return rejectValues(lines);
}

/** Values that stop the commands of every client: pkgin search (COMMENT), update (MACHINE_ARCH) and upgrade (patterns). */
function rejectValues(lines: readonly string[]): Rejection | undefined {
  const comments = valuesOf(lines, 'COMMENT');
  if (comments.every((comment) => comment === ''))
    return reject('empty-comment', `expected a COMMENT, found ${comments.length === 0 ? 'none' : 'an empty one'}`);
  // pkgin compares each of them, so a second line does not help.
  const architecture = valuesOf(lines, 'MACHINE_ARCH').find((value) => value.trim() === '');
  if (architecture !== undefined)
    return reject(
      'empty-architecture',
      `expected a MACHINE_ARCH with a value, found ${architecture === '' ? 'an empty one' : JSON.stringify(architecture)}`,
    );
  return rejectPatterns(lines, 'SUPERSEDES') ?? rejectPatterns(lines, 'DEPENDS');
}

/** CONFLICTS are not checked: pkgin does not match them, and pkg_add only those of the package itself. */
function rejectPatterns(lines: readonly string[], variable: 'SUPERSEDES' | 'DEPENDS'): Rejection | undefined {
  for (const pattern of valuesOf(lines, variable)) {
    if (!pattern.includes('{')) continue;
    const shown = JSON.stringify(pattern.slice(0, 100));
    if (!hasBalancedBraces(pattern))
      return reject('unbalanced-braces', `expected balanced braces in ${variable}, found ${shown}`);
    if (pattern.length > patternLimits.patternCharactersMax)
      return reject(
        'pattern-too-long',
        `expected a pattern of at most ${patternLimits.patternCharactersMax} bytes with braces in ${variable}, found ${pattern.length}: ${shown}`,
      );
  }
  return undefined;
}

/** The warnings for a record that is not rejected. */
export function findWarnings(record: Uint8Array, file: string): WarningCode[] {
  return warningsOf({
    name: packageNameOf(record),
    file: Buffer.from(file).toString('latin1'),
    text: latin1(record),
  });
}

/** The PKGNAME of a record in Latin-1; empty if there is none. Decodes only that line, because this runs for every record. */
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

/** Files that share their PKGNAME with another one: each has the warning `duplicate-pkgname`. */
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
  const start = `${variable}=`;
  return lines.filter((line) => line.startsWith(start)).map((line) => line.slice(start.length));
}
