/**
 * The record of a package: the text that `pkg_info -X` prints for it, byte for byte.
 * Source: pkg_install info/show.c (show_summary), lib/plist.c (parse_plist, plist_cmd), lib/var.c (var_copy_list).
 *
 * Text is kept in Latin-1 strings: one code unit is one byte, so nothing is ever decoded.
 */

import { latin1 } from '../package/formats.ts';
import { MalformedPackage } from '../package/malformed-package.ts';
import type { PackageMetadata } from '../package/read-package.ts';

/** Variables of +BUILD_INFO that the record contains. */
const buildInfoVariables = [
  'PKGPATH',
  'CATEGORIES',
  'PROVIDES',
  'REQUIRES',
  'PKG_OPTIONS',
  'OPSYS',
  'OS_VERSION',
  'MACHINE_ARCH',
  'LICENSE',
  'HOMEPAGE',
  'PKGTOOLS_VERSION',
  'BUILD_DATE',
  'PREV_PKGPATH',
  'SUPERSEDES',
];
/** At the start of a line. */
const keptVariable = new RegExp(`(?:${buildInfoVariables.join('|')})=`, 'y');

/** Commands of the packing list that the record contains. C compares prefixes, so `@pkgdepx>=1` depends on `x>=1`. */
const packingListCommands = [
  { command: '@name', variable: 'PKGNAME' },
  { command: '@pkgdep', variable: 'DEPENDS' },
  { command: '@pkgcfl', variable: 'CONFLICTS' },
] as const;
/** The blanks of isspace() in C. */
const blanks = ' \t\n\v\f\r';

/** What printf prints where a command has no argument. */
const noArgument = '(null)';

/**
 * @param file the file name of the package, without its directory.
 * @param fileSize bytes of the stored file, including a signature.
 * @throws {MalformedPackage} no-name.
 */
export function renderRecord(metadata: PackageMetadata, file: string, fileSize: number): Uint8Array {
  const packingList = packingListLines(latin1(metadata.contents));
  if (!packingList.some((line) => line.startsWith('PKGNAME=')) || packingList.includes(`PKGNAME=${noArgument}`))
    throw new MalformedPackage(
      'no-name',
      'expected a line "@name NAME-VERSION" in +CONTENTS, found none',
      0,
      'archive',
    );
  const lines = [
    ...(metadata.signature === 'x509' ? fromName(packingList) : packingList),
    ...prefixed('COMMENT', metadata.comment),
    ...prefixed('SIZE_PKG', metadata.sizePkg),
    ...buildInfoLines(metadata.buildInfo),
    `FILE_NAME=${Buffer.from(file).toString('latin1')}`,
    `FILE_SIZE=${fileSize}`,
    ...prefixed('DESCRIPTION', metadata.description),
  ];
  return Buffer.from(`${lines.join('\n')}\n\n`, 'latin1');
}

function packingListLines(contents: string): string[] {
  const lines: string[] = [];
  for (const line of commandLines(contents)) {
    const known = packingListCommands.find(({ command }) => line.startsWith(command));
    if (known === undefined) continue;
    const value = trimBlanks(line.slice(known.command.length));
    lines.push(`${known.variable}=${value === '' ? noArgument : value}`);
  }
  return lines;
}

/** Skips file names and comments (their hashes), which make up most of a +CONTENTS of a megabyte. */
function* commandLines(contents: string): Generator<string> {
  for (let start = contents.startsWith('@') ? 0 : nextCommand(contents, 0); start !== -1; ) {
    const end = contents.indexOf('\n', start);
    if (!contents.startsWith('@c', start)) yield end === -1 ? contents.slice(start) : contents.slice(start, end);
    start = end === -1 ? -1 : nextCommand(contents, end);
  }
}

/** The start of the next line that starts with `@`; -1 if there is none. */
function nextCommand(contents: string, from: number): number {
  const lineFeed = contents.indexOf('\n@', from);
  return lineFeed === -1 ? -1 : lineFeed + 1;
}

/** `trim` removes more kinds of blanks; a regular expression takes quadratic time for many blanks within. */
function trimBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && blanks.includes(text.charAt(start))) start += 1;
  while (start < end && blanks.includes(text.charAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

/**
 * For an X.509-signed package pkg_info prints the signer to the same output first, so the record starts at PKGNAME: conflicts
 * that come before it in the packing list (pkg_create -C) are lost. See docs/decisions.md.
 */
function fromName(lines: readonly string[]): readonly string[] {
  return lines.slice(lines.findIndex((line) => line.startsWith('PKGNAME=')));
}

/** The lines of variables that the record contains; most of the others are long, and not cut out. */
function buildInfoLines(buildInfo: Uint8Array | undefined): string[] {
  if (buildInfo === undefined) return [];
  const text = latin1(buildInfo);
  const lines: string[] = [];
  for (let start = 0; start < text.length; ) {
    const lineFeed = text.indexOf('\n', start);
    const end = lineFeed === -1 ? text.length : lineFeed;
    keptVariable.lastIndex = start;
    if (keptVariable.test(text)) lines.push(text.slice(start, end));
    start = end + 1;
  }
  return lines;
}

function prefixed(variable: string, text: Uint8Array | undefined): string[] {
  return linesOf(text).map((line) => `${variable}=${line}`);
}

/** Splits lines as C does: a last line without a line feed counts, an empty rest after the last line feed does not. */
function linesOf(text: Uint8Array | undefined): string[] {
  if (text === undefined || text.length === 0) return [];
  return latin1(text).replace(/\n$/, '').split('\n');
}
