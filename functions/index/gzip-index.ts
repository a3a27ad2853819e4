/**
 * An index in gzip (RFC 1952): one member, since pkgin 0.8 and older read only one, with one piece of deflate data for each block.
 *
 *     header  extra field: the layout  piece  piece  …  an empty last piece  CRC-32  length
 *
 * A piece refers to nothing before it and ends on a byte, so that it can be copied into the next index. The layout describes the pieces.
 * It is part of the index, so index and layout always have the same version.
 */

import { promisify } from 'node:util';
import { constants, crc32, deflateRaw, inflateRawSync } from 'node:zlib';
import type { Block, PackedBlock } from './blocks.ts';
import { combineCrc32 } from './crc32.ts';

const deflateBest = promisify<Uint8Array, object, Buffer>(deflateRaw);

/** ID1, ID2, CM, FLG, MTIME, XFL (2: best compression), OS (255: unknown), and the length of the extra field. */
const headerBytes = 12;
const hasExtraField = 0b100;
const modificationTimeOffset = 4;
/** The last time that a header can hold, in seconds since 1970: on 7 February 2106 (RFC 1952). */
export const lastSecond = 2 ** 32 - 1;
const extraLengthOffset = 10;
/** An extra field's length has 16 bits (RFC 1952). A layout of about 800 blocks fits. */
export const extraFieldBytesMax = 65_535;
/** Our subfield of the extra field: its two letters, then its length. */
const subfieldName = Buffer.from('pi');
const subfieldHeaderBytes = 4;
/** The layout: the average size of blocks, the CRC-32 of all entries, then one entry for each block, each with its first file's name. */
const layoutHeaderBytes = 8;
const entryBytes = 5 * 4 + 32 + 2;
/** The last piece: an empty block of deflate data. */
const lastPiece = Buffer.from([0x03, 0x00]);
const trailerBytes = 8;

/** Compresses a block's text to its piece. */
export async function deflateBlock(text: Uint8Array): Promise<Uint8Array> {
  return deflateBest(text, { level: 9, finishFlush: constants.Z_SYNC_FLUSH });
}

/** @returns undefined where the piece does not hold the block. */
export function inflateBlock({ block, piece }: PackedBlock): Uint8Array | undefined {
  try {
    const options = { finishFlush: constants.Z_SYNC_FLUSH, ...outputOf(block.textBytes) };
    const text = inflateRawSync(piece, options);
    return text.length === block.textBytes && crc32(text) === block.crc32 ? text : undefined;
  } catch {
    return undefined;
  }
}

/** Options of zlib for output of at most so many bytes: in one chunk, since joining chunks takes as long as inflating them. */
export function outputOf(bytes: number): { readonly maxOutputLength: number; readonly chunkSize: number } {
  return { maxOutputLength: Math.max(bytes, 1), chunkSize: Math.max(bytes + 1, constants.Z_MIN_CHUNK) };
}

/** Whether the piece holds exactly this text, and another piece can follow it. */
export function isDeflated(piece: Uint8Array, text: Uint8Array): boolean {
  const data = Buffer.concat([piece, lastPiece]);
  try {
    const inflated = inflateRawSync(data, { ...outputOf(text.length), info: true });
    const { buffer, engine } = inflated as unknown as { buffer: Buffer; engine: { bytesWritten: number } };
    return engine.bytesWritten === data.length && buffer.equals(text);
  } catch {
    return false;
  }
}

/** @param publishedAt goes into the header, in seconds: so no two publications have equal bytes. */
export function joinGzip(packed: readonly PackedBlock[], publishedAt: Date, blockBytes: number): readonly Uint8Array[] {
  const layout = layoutOf(packed, blockBytes);
  const extraField = layout === undefined ? Buffer.alloc(0) : Buffer.concat([subfieldHeaderOf(layout), layout]);
  const header = Buffer.from([0x1f, 0x8b, 8, hasExtraField, 0, 0, 0, 0, 2, 255, 0, 0]);
  const seconds = Math.floor(publishedAt.getTime() / 1000);
  header.writeUInt32LE(Math.min(Math.max(seconds, 0), lastSecond), modificationTimeOffset);
  header.writeUInt16LE(extraField.length, extraLengthOffset);
  const trailer = Buffer.alloc(trailerBytes);
  trailer.writeUInt32LE(packed.reduce((crc, { block }) => combineCrc32(crc, block.crc32, block.textBytes), 0));
  trailer.writeUInt32LE(packed.reduce((bytes, { block }) => bytes + block.textBytes, 0) % 2 ** 32, 4);
  return [header, extraField, ...packed.map(({ piece }) => piece), lastPiece, trailer];
}

/** @returns undefined where the index is not ours, has blocks of another average size, or has no layout. */
export function splitGzip(index: Uint8Array, blockBytes: number): readonly PackedBlock[] | undefined {
  const bytes = Buffer.from(index.buffer, index.byteOffset, index.byteLength);
  if (bytes.length < headerBytes + subfieldHeaderBytes || bytes[3] !== hasExtraField) return undefined;
  const extraEnd = headerBytes + bytes.readUInt16LE(extraLengthOffset);
  const layout = bytes.subarray(headerBytes + subfieldHeaderBytes, extraEnd);
  if (!bytes.subarray(headerBytes, headerBytes + subfieldHeaderBytes).equals(subfieldHeaderOf(layout)))
    return undefined;
  const packed: PackedBlock[] = [];
  let end = extraEnd;
  for (const { block, pieceBytes } of entriesOf(layout, blockBytes)) {
    packed.push({ block, piece: bytes.subarray(end, end + pieceBytes) });
    end += pieceBytes;
  }
  const isComplete = packed.length > 0 && end + lastPiece.length + trailerBytes === bytes.length;
  return isComplete ? packed : undefined;
}

function subfieldHeaderOf(layout: Uint8Array): Buffer {
  const header = Buffer.alloc(subfieldHeaderBytes);
  subfieldName.copy(header);
  header.writeUInt16LE(layout.length, 2);
  return header;
}

/** @returns undefined where it does not fit into an extra field: then the next publication copies no block. */
function layoutOf(packed: readonly PackedBlock[], blockBytes: number): Uint8Array | undefined {
  const entries = packed.map(({ block, piece }) => {
    const name = Buffer.from(block.firstFile);
    const entry = Buffer.alloc(entryBytes);
    entry.writeUInt32LE(piece.length, 0);
    entry.writeUInt32LE(block.textBytes, 4);
    entry.writeUInt32LE(block.records, 8);
    entry.writeUInt32LE(block.crc32, 12);
    entry.writeUInt32LE(block.firstRecordBytes, 16);
    entry.write(block.sha256, 20, 'hex');
    entry.writeUInt16LE(name.length, 52);
    return Buffer.concat([entry, name]);
  });
  const header = Buffer.alloc(layoutHeaderBytes);
  header.writeUInt32LE(blockBytes);
  header.writeUInt32LE(crc32(Buffer.concat(entries)), 4);
  const layout = Buffer.concat([header, ...entries]);
  return subfieldHeaderBytes + layout.length > extraFieldBytesMax ? undefined : layout;
}

function* entriesOf(layout: Buffer, blockBytes: number): Generator<{ block: Block; pieceBytes: number }> {
  if (layout.length < layoutHeaderBytes || layout.readUInt32LE(0) !== blockBytes) return;
  if (layout.readUInt32LE(4) !== crc32(layout.subarray(layoutHeaderBytes))) return;
  for (let start = layoutHeaderBytes; start + entryBytes <= layout.length; ) {
    const entry = layout.subarray(start, start + entryBytes);
    const nameStart = start + entryBytes;
    start = nameStart + entry.readUInt16LE(52);
    const block = {
      firstFile: layout.toString('utf8', nameStart, start),
      firstRecordBytes: entry.readUInt32LE(16),
      records: entry.readUInt32LE(8),
      textBytes: entry.readUInt32LE(4),
      crc32: entry.readUInt32LE(12),
      sha256: entry.toString('hex', 20, 52),
    };
    yield { block, pieceBytes: entry.readUInt32LE(0) };
  }
}
