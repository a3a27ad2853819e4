/** Detects the format of a file by its first bytes; and bytes as a string, for searching and cutting. */

export type Compression = 'gzip' | 'bzip2' | 'xz' | 'zstd';

/** Bytes needed to detect every format: a tar header has 512. */
export const detectionBytes = 512;

interface Format {
  readonly what: string;
  readonly magic: string;
  readonly compression?: Compression;
}

/** Magic numbers in Latin-1. Formats without `compression` are listed so that a message can name them. */
const formats: readonly Format[] = [
  { what: 'gzip data', magic: '\x1f\x8b\x08', compression: 'gzip' },
  { what: 'bzip2 data', magic: 'BZh', compression: 'bzip2' },
  { what: 'xz data', magic: '\xfd7zXZ\0', compression: 'xz' },
  { what: 'zstd data', magic: '\x28\xb5\x2f\xfd', compression: 'zstd' },
  // A skippable frame, with which pzstd starts. Its first byte may be any of sixteen.
  ...Array.from({ length: 16 }, (_, index) => ({
    what: 'zstd data',
    magic: `${String.fromCharCode(0x50 + index)}\x2a\x4d\x18`,
    compression: 'zstd' as const,
  })),
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

export function detectCompression(head: Uint8Array): Compression | undefined {
  return detectFormat(head)?.compression;
}

/** The checksum field of a tar header. */
const sumField = { start: 148, end: 156 } as const;

/** Whether the checksum is right: the sum of all header bytes, with the checksum field counted as blanks (POSIX ustar). */
export function isTarHeader(head: Uint8Array): boolean {
  return head.length >= detectionBytes && octalNumber(head, sumField.start, sumField.end) === headerSum(head);
}

/**
 * Parses a number field of tar: blanks and NULs, octal digits, then a blank or a NUL unless the field is full.
 * @returns 0 if there are no digits; undefined if there is anything else.
 */
export function octalNumber(bytes: Uint8Array, start: number, end: number): number | undefined {
  const isBlank = (byte: number | undefined) => byte === 0x20 || byte === 0;
  let number = 0;
  let at = start;
  while (at < end && isBlank(bytes[at])) at += 1;
  for (; at < end && !isBlank(bytes[at]); at += 1) {
    const digit = (bytes[at] ?? 0) - 0x30;
    if (digit < 0 || digit > 7) return undefined;
    number = 8 * number + digit;
  }
  return number;
}

/** Sums four bytes at a time in two lanes of 16 bits, because this runs for every header; 128 words cannot overflow a lane. */
function headerSum(head: Uint8Array): number {
  const view = new DataView(head.buffer, head.byteOffset, detectionBytes);
  let even = 0;
  let odd = 0;
  for (let offset = 0; offset < detectionBytes; offset += 4) {
    const word = view.getInt32(offset);
    even += word & 0xff00ff;
    odd += (word >>> 8) & 0xff00ff;
  }
  let sum = (even & 0xffff) + (even >>> 16) + (odd & 0xffff) + (odd >>> 16);
  for (let offset: number = sumField.start; offset < sumField.end; offset += 1) sum += 0x20 - view.getUint8(offset);
  return sum;
}

/** Completes `found …` in a message. */
export function describeFormat(head: Uint8Array): string {
  if (head.length === 0) return 'nothing';
  if (head.every((byte) => byte === 0)) return 'only NUL bytes';
  const format = detectFormat(head);
  return format === undefined ? `data that starts with ${describeBytes(head.subarray(0, 8))}` : format.what;
}

/** As quoted text where all of them are printable ASCII, otherwise in hexadecimal digits. */
function describeBytes(bytes: Uint8Array): string {
  const text = latin1(bytes);
  return /^[\t\r\n -~]+$/.test(text) ? JSON.stringify(text) : `the bytes ${Buffer.from(bytes).toString('hex')}`;
}

function detectFormat(head: Uint8Array): Format | undefined {
  const text = latin1(head.subarray(0, 16));
  return formats.find(({ magic }) => text.startsWith(magic));
}

/**
 * Bytes as a string whose code units are the bytes. Nothing is decoded: `Buffer.from(text, 'latin1')` gives the same bytes back,
 * in whatever encoding they are.
 */
export function latin1(bytes: Uint8Array): string {
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return buffer.toString('latin1');
}
