/**
 * Files with holes in a tar archive: only the data is stored, with a map of where it belongs. pkg_create writes them on a file system that
 * stores zeros as holes. Source: "Storing Sparse Files" in the manual of GNU tar, which has three formats in pax headers (0.0, 0.1 and
 * 1.0) and an older one; libarchive reads all of them.
 */

import { latin1, octalNumber } from './formats.ts';

const blockBytes = 512;

/** A piece of data in the file. */
interface Piece {
  readonly offset: number;
  readonly bytes: number;
}

export interface SparseFile {
  /** Bytes of the file with its holes. */
  readonly size: number;
  /** Undefined: the map precedes the data (1.0). */
  readonly pieces: readonly Piece[] | undefined;
}

/** What a pax header says of a sparse file. */
export interface SparseHeader {
  readonly name: string | undefined;
  /** Undefined if it is damaged. */
  readonly file: SparseFile | undefined;
}

/** @param records those of a pax header about a sparse file, in order. */
export function decodeSparseRecords(records: readonly (readonly [keyword: string, value: string])[]): SparseHeader {
  const last = (keyword: string) => records.findLast(([each]) => each === `GNU.sparse.${keyword}`)?.[1];
  const size = decimal(last('realsize') ?? last('size'));
  const name = last('name');
  if (size === undefined) return { name, file: undefined };
  if (last('major') === '1' && last('minor') === '0') return { name, file: { size, pieces: undefined } };
  const numbers =
    last('map')?.split(',') ?? records.filter(([each]) => /\.(offset|numbytes)$/.test(each)).map(([, value]) => value);
  const pieces = piecesOf(numbers.map(decimal));
  return { name, file: pieces && { size, pieces } };
}

/** The map in the older format of GNU tar, type `S`: in the header, and in as many further blocks as `isExtended` tells. */
export const gnuMap = {
  header: { start: 386, pieces: 4, isExtendedAt: 482, size: { start: 483, end: 495 } },
  extension: { start: 0, pieces: 21, isExtendedAt: 504 },
} as const;

/** @returns undefined for a damaged map. Unused places are zero. */
export function decodeGnuPieces(
  block: Uint8Array,
  { start, pieces }: { start: number; pieces: number },
): readonly Piece[] | undefined {
  const fieldBytes = 12;
  const numbers = Array.from({ length: 2 * pieces }, (_, index) => {
    const field = start + fieldBytes * index;
    return octalNumber(block, field, field + fieldBytes);
  });
  return piecesOf(numbers)?.filter(({ offset, bytes }) => offset + bytes > 0);
}

/**
 * @param stored what the archive holds of the file.
 * @returns the file with zeros in its holes; undefined if the map does not belong to the data.
 */
export function expandSparse(stored: Uint8Array, { size, pieces }: SparseFile): Uint8Array | undefined {
  const map = pieces === undefined ? readMap(stored) : { pieces, dataStart: 0 };
  if (map === undefined) return undefined;
  const expanded = new Uint8Array(size);
  let from = map.dataStart;
  let to = 0;
  for (const { offset, bytes } of map.pieces) {
    if (offset < to || offset + bytes > size || from + bytes > stored.length) return undefined;
    expanded.set(stored.subarray(from, from + bytes), offset);
    from += bytes;
    to = offset + bytes;
  }
  return expanded;
}

/** Numbers in lines: how many pieces, then offset and length of each. The data starts with the next block. */
function readMap(stored: Uint8Array): { readonly pieces: readonly Piece[]; readonly dataStart: number } | undefined {
  let at = 0;
  const number = () => {
    const end = stored.indexOf(0x0a, at);
    const value = end === -1 || end > at + 20 ? undefined : decimal(latin1(stored.subarray(at, end)));
    at = end + 1;
    return value;
  };
  const count = number();
  // Each piece takes at least four bytes.
  if (count === undefined || 4 * count > stored.length) return undefined;
  const pieces = piecesOf(Array.from({ length: 2 * count }, number));
  return pieces && { pieces, dataStart: blockBytes * Math.ceil(at / blockBytes) };
}

function piecesOf(numbers: readonly (number | undefined)[]): readonly Piece[] | undefined {
  const pieces: Piece[] = [];
  for (let index = 0; index < numbers.length; index += 2) {
    const [offset, bytes] = [numbers[index], numbers[index + 1]];
    if (offset === undefined || bytes === undefined) return undefined;
    pieces.push({ offset, bytes });
  }
  return pieces;
}

function decimal(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
