/** What some bytes are, told by their beginning. */

import { latin1 } from '../latin1.ts';

export type Compression = 'gzip' | 'bzip2' | 'xz' | 'zstd';

/** Enough of the start to tell every format: a tar header ends at byte 512. */
export const tellingBytes = 512;

interface Format {
  readonly what: string;
  readonly magic: string;
  readonly compression?: Compression;
}

/** In Latin-1. Those without `compression` get mistaken for packages; a message can then say what the file is instead. */
const formats: readonly Format[] = [
  { what: 'gzip data', magic: '\x1f\x8b\x08', compression: 'gzip' },
  { what: 'bzip2 data', magic: 'BZh', compression: 'bzip2' },
  { what: 'xz data', magic: '\xfd7zXZ\0', compression: 'xz' },
  { what: 'zstd data', magic: '\x28\xb5\x2f\xfd', compression: 'zstd' },
  { what: 'a zip archive', magic: 'PK\x03\x04' },
  { what: 'a cpio archive', magic: '070701' },
  { what: 'a cpio archive', magic: '070707' },
  { what: 'a 7z archive', magic: '7z\xbc\xaf\x27\x1c' },
  { what: 'an RPM package', magic: '\xed\xab\xee\xdb' },
  { what: 'an ar archive', magic: '!<arch>\n' },
  { what: 'a web page', magic: '<!DOCTYPE' },
  { what: 'a web page', magic: '<html' },
  { what: 'an XML document', magic: '<?xml' },
];

export function tellCompression(head: Uint8Array): Compression | undefined {
  return tellFormat(head)?.compression;
}

/** A tar header carries the sum of its own bytes, the sum's field counted as blanks (POSIX ustar). */
export function looksLikeTar(head: Uint8Array): boolean {
  if (head.length < tellingBytes) return false;
  const field = latin1(head.subarray(148, 156)).replaceAll('\0', ' ').trim();
  if (!/^[0-7]+$/.test(field)) return false;
  let sum = 8 * 32;
  for (let index = 0; index < 148; index += 1) sum += head[index] ?? 0;
  for (let index = 156; index < tellingBytes; index += 1) sum += head[index] ?? 0;
  return sum === Number.parseInt(field, 8);
}

/** For messages: `found …`. */
export function describeFormat(head: Uint8Array): string {
  if (head.length === 0) return 'nothing';
  if (head.every((byte) => byte === 0)) return 'only NUL bytes';
  const format = tellFormat(head);
  return format === undefined
    ? `data that begins with the bytes ${Buffer.from(head.subarray(0, 8)).toString('hex')}`
    : format.what;
}

function tellFormat(head: Uint8Array): Format | undefined {
  const text = latin1(head.subarray(0, 16));
  return formats.find(({ magic }) => text.startsWith(magic));
}
