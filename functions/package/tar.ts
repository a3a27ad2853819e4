/**
 * Reads a tar archive from its start, one entry at a time: name, type and content. Owners, times and links are ignored. It
 * supports POSIX ustar, pax (path and size), GNU long names and files with holes.
 * Source: POSIX, pax, "ustar Interchange Format" and "pax Extended Header". Where they leave a choice we do what the libarchive of
 * pkg_info does (archive_read_support_format_tar.c): one block of zeros is the end, global pax headers are ignored. One
 * difference: libarchive accepts an archive without that block. We do not, because it may be truncated and the record incomplete.
 *
 * Text is Latin-1, one code unit per byte: nothing is decoded.
 */

import { describeFormat, isTarHeader, latin1, octalNumber } from './formats.ts';
import { packageLimits } from './limits.ts';
import { MalformedPackage } from './malformed-package.ts';
import {
  decodeGnuPieces,
  decodeSparseRecords,
  expandSparse,
  gnuMap,
  type SparseFile,
  type SparseHeader,
} from './tar-sparse.ts';

const blockBytes = 512;

export interface TarEntry {
  readonly name: string;
  /** The type flag: `0` (or NUL, of old) is a file, `5` a directory. */
  readonly type: string;
  /** Bytes of its content. */
  readonly size: number;
  /** Bytes of it in the archive: fewer for a file with holes. */
  readonly storedBytes: number;
  /** For a file with holes; `damaged` if its map is invalid, which matters only if the content is read. */
  readonly sparse?: SparseFile | 'damaged' | undefined;
  /** The map of the older GNU format continues in blocks before the data. */
  readonly isMapExtended?: boolean;
  /** Offset of its header in the archive. */
  readonly offset: number;
}

/** What extended headers change in the entry that follows them. */
interface Extension {
  readonly name?: string;
  readonly size?: number;
  readonly sparse?: SparseHeader | undefined;
}

/**
 * A parser without I/O: each `yield` asks for the next chunk of the archive, or undefined at its end. So the same parser serves
 * synchronous and streaming callers.
 */
export type Reading<Result> = Generator<void, Result, Uint8Array | undefined>;

/** Asks for a chunk only when it needs one. */
export class TarReader {
  /** Bytes consumed so far. */
  offset = 0;
  #held: Uint8Array = new Uint8Array();

  /**
   * The next entry; undefined at the end of the archive. Call `content` for the entry before it first.
   * @throws {MalformedPackage} not-a-package, corrupt-archive, truncated, too-large.
   */
  *nextEntry(): Reading<TarEntry | undefined> {
    let extension: Extension = {};
    for (;;) {
      const { offset } = this;
      if (offset > packageLimits.metadataBytesMax)
        throw tooLarge(`at most ${packageLimits.metadataBytesMax} bytes of metadata`, 'more', offset);
      const block = yield* this.#take(blockBytes);
      if (offset === 0 && !isTarHeader(block)) throw notAnArchive(block);
      if (block[0] === 0 && block.every((byte) => byte === 0)) return undefined;
      if (block.length < blockBytes) throw this.#truncated();
      const header = decodeHeader(block, offset);
      if (!isExtension(header.type)) return extend(header, extension);
      checkExtension(header);
      const content = latin1(yield* this.content(header));
      if (header.type === 'x') extension = { ...extension, ...decodePaxHeader(content, offset) };
      if (header.type === 'L') extension = { ...extension, name: upToNul(content) };
    }
  }

  /** @throws {MalformedPackage} truncated, corrupt-archive, too-large. */
  *content(entry: TarEntry): Reading<Uint8Array> {
    const { storedBytes, offset } = entry;
    const sparse = entry.isMapExtended === true ? yield* this.#extendedMap(entry) : entry.sparse;
    const bytes = yield* this.#take(blockBytes * Math.ceil(storedBytes / blockBytes));
    if (bytes.length < storedBytes) throw this.#truncated();
    const stored = bytes.subarray(0, storedBytes);
    if (sparse === undefined) return stored;
    const content = sparse === 'damaged' ? undefined : expandSparse(stored, sparse);
    if (content === undefined) throw corrupt('a map of a file with holes', 'one that does not match its data', offset);
    return content;
  }

  *#extendedMap({ sparse, offset }: TarEntry): Reading<SparseFile | 'damaged'> {
    const { start, pieces, isExtendedAt } = gnuMap.extension;
    let result = sparse;
    for (let blocks = 0, isExtended = true; isExtended; blocks += 1) {
      if (blocks * blockBytes > packageLimits.extendedHeaderBytesMax)
        throw tooLarge(`a map of at most ${packageLimits.extendedHeaderBytesMax} bytes`, 'more', offset);
      const block = yield* this.#take(blockBytes);
      if (block.length < blockBytes) throw this.#truncated();
      result = withPieces(result, decodeGnuPieces(block, { start, pieces }));
      isExtended = block[isExtendedAt] !== 0;
    }
    return result ?? 'damaged';
  }

  /** Returns fewer bytes at the end of the archive. */
  *#take(bytes: number): Reading<Uint8Array> {
    return this.#takeHeld(bytes) ?? (yield* this.#takeMore(bytes));
  }

  /** Undefined if there are too few. */
  #takeHeld(bytes: number): Uint8Array | undefined {
    if (this.#held.length < bytes) return undefined;
    const taken = this.#held.subarray(0, bytes);
    this.#held = this.#held.subarray(bytes);
    this.offset += bytes;
    return taken;
  }

  *#takeMore(bytes: number): Reading<Uint8Array> {
    const pieces: Uint8Array[] = [];
    let last = this.#held;
    let length = this.#held.length;
    while (length < bytes) {
      const chunk = yield;
      if (chunk === undefined) break;
      const joined = joinIfAdjacent(last, chunk);
      if (joined === undefined) pieces.push(last);
      last = joined ?? chunk;
      length += chunk.length;
    }
    const all = pieces.length === 0 ? last : Buffer.concat([...pieces, last]);
    this.#held = all.subarray(bytes);
    this.offset += Math.min(bytes, length);
    return all.subarray(0, bytes);
  }

  #truncated(): MalformedPackage {
    return new MalformedPackage('truncated', 'expected more of the tar archive, found its end', this.offset, 'archive');
  }
}

/** Without copying them, where one follows the other in memory: so does what is inflated step by step. */
function joinIfAdjacent(before: Uint8Array, after: Uint8Array): Uint8Array | undefined {
  if (before.length === 0) return after;
  const isAdjacent = before.buffer === after.buffer && before.byteOffset + before.length === after.byteOffset;
  return isAdjacent ? Buffer.from(before.buffer, before.byteOffset, before.length + after.length) : undefined;
}

/** `x` of pax, for one entry; `g` of pax, for all; `L` and `K` of GNU: a long name, or a long name of a link. */
function isExtension(type: string): boolean {
  return type === 'x' || type === 'g' || type === 'L' || type === 'K';
}

function checkExtension({ size, offset }: TarEntry): void {
  if (size > packageLimits.extendedHeaderBytesMax)
    throw tooLarge(
      `an extended header of at most ${packageLimits.extendedHeaderBytesMax} bytes`,
      `one of ${size}`,
      offset,
    );
}

function extend(header: TarEntry, { name = header.name, size, sparse: sparseHeader }: Extension): TarEntry {
  const storedBytes = size ?? header.storedBytes;
  const sparse = sparseHeader === undefined ? header.sparse : (sparseHeader.file ?? 'damaged');
  return {
    ...header,
    name: sparseHeader?.name ?? name,
    size: typeof sparse === 'object' ? sparse.size : storedBytes,
    storedBytes,
    sparse,
  };
}

function decodeHeader(block: Uint8Array, offset: number): TarEntry {
  const size = decodeSize(block, sizeField);
  if (!isTarHeader(block) || size === undefined)
    throw corrupt('a valid tar header', 'one with a wrong checksum or size', offset);
  const magic = latin1(block.subarray(257, 265));
  const prefix = magic.startsWith('ustar') && magic !== 'ustar  \0' ? textField(block, 345, 500) : '';
  const name = textField(block, 0, 100);
  const type = String.fromCharCode(block[156] ?? 0);
  const header = { name: prefix === '' ? name : `${prefix}/${name}`, type, size, storedBytes: size, offset };
  return type === gnuSparse ? { ...header, ...decodeGnuHeader(block) } : header;
}

/** Up to the first NUL. Most are short, so the whole block is not made a string. */
function textField(block: Uint8Array, start: number, end: number): string {
  const nul = block.indexOf(0, start);
  return latin1(block.subarray(start, nul === -1 || nul > end ? end : nul));
}

/** The type flag of a file with holes in the older GNU format. */
const gnuSparse = 'S';

function decodeGnuHeader(block: Uint8Array): Pick<TarEntry, 'sparse' | 'isMapExtended'> {
  const { size: realSizeField, isExtendedAt, ...map } = gnuMap.header;
  const realSize = decodeSize(block, realSizeField);
  const sparse =
    realSize === undefined ? 'damaged' : withPieces({ size: realSize, pieces: [] }, decodeGnuPieces(block, map));
  return { sparse, isMapExtended: block[isExtendedAt] !== 0 };
}

function withPieces(sparse: TarEntry['sparse'], pieces: SparseFile['pieces']): SparseFile | 'damaged' {
  if (typeof sparse !== 'object' || pieces === undefined) return 'damaged';
  return { size: sparse.size, pieces: [...(sparse.pieces ?? []), ...pieces] };
}

const sizeField = { start: 124, end: 136 } as const;

/** Octal digits, or (GNU) a flag byte and a big-endian number. Undefined if it is neither, or negative. */
function decodeSize(
  block: Uint8Array,
  { start, end }: typeof sizeField | typeof gnuMap.header.size,
): number | undefined {
  if (block[start] !== 0x80) return octalNumber(block, start, end);
  return Number(`0x${Buffer.from(block.subarray(start + 1, end)).toString('hex')}`);
}

/** Records of the form `LENGTH KEYWORD=VALUE\n`, where LENGTH counts the whole record. */
function decodePaxHeader(text: string, offset: number): Extension {
  const recordStart = /([1-9]\d{0,9}) ([^=]+)=/y;
  let extension: Extension = {};
  const sparseRecords: (readonly [keyword: string, value: string])[] = [];
  for (let start = 0; start < text.length; ) {
    recordStart.lastIndex = start;
    const [head = '', length = '', keyword] = recordStart.exec(text) ?? [];
    const end = start + Number(length);
    const valueStart = start + head.length;
    if (head === '' || end <= valueStart || text[end - 1] !== '\n')
      throw corrupt(
        'pax records of the length that they declare',
        JSON.stringify(text.slice(start, start + 40)),
        offset,
      );
    const value = text.slice(valueStart, end - 1);
    if (keyword === 'path' && value !== '') extension = { ...extension, name: value };
    if (keyword === 'size') extension = { ...extension, size: decodePaxSize(value, offset) };
    if (keyword?.startsWith('GNU.sparse.')) sparseRecords.push([keyword, value]);
    start = end;
  }
  return sparseRecords.length === 0 ? extension : { ...extension, sparse: decodeSparseRecords(sparseRecords) };
}

function decodePaxSize(value: string, offset: number): number {
  if (!/^\d+$/.test(value)) throw corrupt('a size in a pax record', JSON.stringify(value.slice(0, 40)), offset);
  return Number(value);
}

function upToNul(text: string): string {
  const nul = text.indexOf('\0');
  return nul === -1 ? text : text.slice(0, nul);
}

function notAnArchive(head: Uint8Array): MalformedPackage {
  const what = `expected a tar archive inside the compressed data, found ${describeFormat(head)}`;
  return new MalformedPackage('not-a-package', what, 0, 'archive');
}

function corrupt(expected: string, found: string, offset: number): MalformedPackage {
  return new MalformedPackage('corrupt-archive', `expected ${expected}, found ${found}`, offset, 'archive');
}

function tooLarge(expected: string, found: string, offset: number): MalformedPackage {
  return new MalformedPackage('too-large', `expected ${expected}, found ${found}`, offset, 'archive');
}
