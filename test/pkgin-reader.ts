/**
 * Reads a published index the way pkgin does, and refuses whatever would break pkgin or make it lose a package.
 *
 * The tests of everything that writes an index hold their result against this reader. It shares no code with the writer.
 * Facts: pkgin 26.4, its summary.c and its behaviour against a server that plays these cases. The numbers are those of
 * the list of what pkgin needs of an index:
 *
 *  1. of the indexes in a repository it takes the first that answers, in its own order
 *  4. every record ends in an empty line, the last one too, and there is no other empty line
 *  5. a line without `=` ends the update; with CRLF there are no records; a NUL hides records
 *  6. an index of no bytes ends the update; an empty repository is one newline
 *  7. a record without PKGNAME is dropped; of two with the same PKGNAME one is
 *  8. a FILE_SIZE that is no positive number makes other packages uninstallable
 *  9. it downloads PKGNAME.tgz, whatever FILE_NAME says …
 * 10. … and PKGNAME-0.0.tgz where what follows the last `-` does not begin with a digit
 * 11. a line over 8,190 bytes breaks every later command once that package is installed
 * 14. several gzip members or zstd frames are read; anything else between or after them hides the rest
 */

import { gunzipSync, zstdDecompressSync } from 'node:zlib';

/** The longest line, without its newline: pkgin reads lines of installed packages into 8,192 bytes (point 11). */
const lineBytesMax = 8_190;

/** What can be wrong with an index, and the point of the list above that it violates. */
const violatedPoint = {
  'empty-file': 6,
  undecodable: 14,
  'trailing-bytes': 14,
  'empty-summary': 6,
  'empty-line': 4,
  'no-final-empty-line': 4,
  'no-equals-sign': 5,
  crlf: 5,
  nul: 5,
  'no-name': 7,
  'bad-file-size': 8,
  'line-too-long': 11,
} as const;

export type BreakageCode = keyof typeof violatedPoint;

/** The index would break pkgin, or pkgin would not see all of it. */
export class BrokenIndex extends Error {
  override readonly name = 'BrokenIndex';
  readonly code: BreakageCode;
  /** Of the list at the top of this file. */
  readonly point: number;
  /** Bytes: where it is, in the summary; for `empty-file`, `undecodable` and `trailing-bytes` in the compressed index. */
  readonly offset: number;
  /** The offending line (of a whole record its first one), each byte as one character; empty where there is none. */
  readonly line: string;

  constructor(code: BreakageCode, offset: number, line: string, message: string) {
    const shown = line.length > 100 ? `${line.slice(0, 100)}… (${line.length} bytes)` : line;
    super(`pkgin (point ${violatedPoint[code]}): ${message}, at byte ${offset}: ${JSON.stringify(shown)}`);
    this.code = code;
    this.point = violatedPoint[code];
    this.offset = offset;
    this.line = line;
  }
}

/** One package, as pkgin sees it. All strings are bytes as characters (Latin-1), so that nothing is lost. */
export interface PublishedPackage {
  readonly name: string;
  /** What pkgin asks the server for, below the repository (points 9 and 10). */
  readonly download: string;
  /** FILE_SIZE, bytes. */
  readonly fileSize: number;
  /** Every line's value, by what is before its first `=`, in the order of the lines. */
  readonly fields: ReadonlyMap<string, readonly string[]>;
  /** The record's bytes, with the empty line that ends it. */
  readonly record: Uint8Array;
}

export interface PublishedSummary {
  /** By PKGNAME; of several with the same one the first. */
  readonly packages: ReadonlyMap<string, PublishedPackage>;
  /** PKGNAMEs that more than one record has: pkgin shows only one of them (point 7). One entry for each record too many. */
  readonly duplicates: readonly string[];
  /** Records, duplicates included. */
  readonly records: number;
}

export interface PublishedIndex extends PublishedSummary {
  /** The decompressed index. */
  readonly summary: Uint8Array;
}

/**
 * Decompresses and reads an index.
 * @throws {BrokenIndex} where pkgin would fail, or would lose a package.
 */
export function readIndex(compressed: Uint8Array, format: 'gz' | 'zst'): PublishedIndex {
  if (compressed.length === 0) {
    throw new BrokenIndex('empty-file', 0, '', 'expected a compressed summary, found a file of no bytes');
  }
  const summary = format === 'gz' ? gunzip(compressed) : unzstd(compressed);
  return { ...readSummary(summary), summary };
}

/**
 * Reads a summary that is decompressed already.
 * @throws {BrokenIndex} where pkgin would fail, or would lose a package.
 */
export function readSummary(bytes: Uint8Array): PublishedSummary {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  if (text === '') {
    throw new BrokenIndex('empty-summary', 0, '', 'expected records, or one newline if there are none; found nothing');
  }
  const packages = new Map<string, PublishedPackage>();
  const duplicates: string[] = [];
  let records = 0;
  if (text === '\n') return { packages, duplicates, records };

  let recordStart = 0;
  let fields = new Map<string, string[]>();
  let lineStart = 0;
  while (lineStart < text.length) {
    const lineEnd = text.indexOf('\n', lineStart);
    if (lineEnd === -1) break;
    const line = text.slice(lineStart, lineEnd);
    if (line !== '') {
      addLine(fields, line, lineStart);
    } else {
      if (lineStart === recordStart) {
        throw new BrokenIndex('empty-line', lineStart, '', 'expected a record, found an empty line more');
      }
      const found = finishRecord(fields, bytes.subarray(recordStart, lineEnd + 1), recordStart);
      if (packages.has(found.name)) duplicates.push(found.name);
      else packages.set(found.name, found);
      records += 1;
      recordStart = lineEnd + 1;
      fields = new Map();
    }
    lineStart = lineEnd + 1;
  }
  if (recordStart < text.length) {
    const [firstLine = ''] = text.slice(recordStart, recordStart + lineBytesMax).split('\n', 1);
    throw new BrokenIndex(
      'no-final-empty-line',
      recordStart,
      firstLine,
      'the last record does not end in an empty line',
    );
  }
  return { packages, duplicates, records };
}

/**
 * The indexes that some pkgin takes out of a repository with these files: at most one for pkgin 26 (zst first) and one for
 * 0.9.4 to 25 (xz first, no zst). One of them that is stale shadows all others (point 1).
 */
export function indexesTaken(files: Iterable<string>): ReadonlySet<string> {
  const present = new Set(files);
  const orders = [
    ['zst', 'xz', 'bz2', 'gz'],
    ['xz', 'bz2', 'gz'],
  ];
  const taken = orders.map((order) => order.map((suffix) => `pkg_summary.${suffix}`).find((file) => present.has(file)));
  return new Set(taken.filter((file) => file !== undefined));
}

function addLine(fields: Map<string, string[]>, line: string, offset: number): void {
  if (line.includes('\0')) {
    throw new BrokenIndex('nul', offset, line, 'a NUL byte, which hides what follows it');
  }
  if (line === '\r') {
    throw new BrokenIndex(
      'crlf',
      offset,
      line,
      'expected an empty line, found a carriage return: lines end in LF alone',
    );
  }
  const equals = line.indexOf('=');
  if (equals === -1) {
    throw new BrokenIndex('no-equals-sign', offset, line, 'expected NAME=VALUE, found a line without =');
  }
  if (line.length > lineBytesMax) {
    throw new BrokenIndex('line-too-long', offset, line, `a line may have ${lineBytesMax} bytes, found ${line.length}`);
  }
  const name = line.slice(0, equals);
  const value = line.slice(equals + 1);
  const values = fields.get(name);
  if (values) values.push(value);
  else fields.set(name, [value]);
}

function finishRecord(fields: Map<string, string[]>, record: Uint8Array, offset: number): PublishedPackage {
  const firstLine = Buffer.from(record.subarray(0, record.indexOf(10))).toString('latin1');
  // pkgin skips lines whose value is empty. Of a field that comes twice it keeps the last one: its INSERT names the columns
  // in reverse, and SQLite takes the first of two columns with one name.
  const name = fields.get('PKGNAME')?.findLast((value) => value !== '');
  if (name === undefined) {
    throw new BrokenIndex('no-name', offset, firstLine, 'a record without PKGNAME');
  }
  const sizeText = fields.get('FILE_SIZE')?.findLast((value) => value !== '');
  const fileSize = sizeText !== undefined && /^[0-9]+$/.test(sizeText) ? Number(sizeText) : 0;
  if (fileSize === 0) {
    const found = sizeText === undefined ? 'none' : JSON.stringify(sizeText);
    throw new BrokenIndex(
      'bad-file-size',
      offset,
      firstLine,
      `expected a positive FILE_SIZE for ${name}, found ${found}`,
    );
  }
  const hasVersion = /-[0-9][^-]*$/.test(name);
  return { name, download: hasVersion ? `${name}.tgz` : `${name}-0.0.tgz`, fileSize, fields, record };
}

/** With `info` zlib's functions also tell how far they read; the type declarations do not know it. */
type Inflated = { readonly buffer: Buffer; readonly engine: { readonly bytesWritten: number } };

/** Reads all members of a gzip file; unlike zlib, which skips what follows a member and is none, it says so. */
function gunzip(compressed: Uint8Array): Uint8Array {
  const { buffer, engine } = inflate(compressed, 0, () => gunzipSync(compressed, { info: true }));
  if (engine.bytesWritten < compressed.length) {
    throw new BrokenIndex('trailing-bytes', engine.bytesWritten, '', 'expected another gzip member or the end');
  }
  return buffer;
}

/** Reads all frames of a zstd file; zlib reads only the first. */
function unzstd(compressed: Uint8Array): Uint8Array {
  const frames: Uint8Array[] = [];
  const magicNumber = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
  for (let offset = 0; offset < compressed.length; ) {
    const rest = compressed.subarray(offset);
    if (!magicNumber.equals(rest.subarray(0, magicNumber.length))) {
      const code = offset === 0 ? 'undecodable' : 'trailing-bytes';
      throw new BrokenIndex(code, offset, '', 'expected a zstd frame or the end');
    }
    const { buffer, engine } = inflate(rest, offset, () => zstdDecompressSync(rest, { info: true }));
    frames.push(buffer);
    offset += engine.bytesWritten;
  }
  return Buffer.concat(frames);
}

function inflate(compressed: Uint8Array, offset: number, run: () => unknown): Inflated {
  try {
    return run() as Inflated;
  } catch (cause) {
    const broken = new BrokenIndex(
      'undecodable',
      offset,
      '',
      `${compressed.length} bytes that do not decompress: ${cause}`,
    );
    broken.cause = cause;
    throw broken;
  }
}
