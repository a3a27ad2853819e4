/** The layouts that an index may have, of which a client is to notice nothing. */

import { constants, crc32, deflateRawSync } from 'node:zlib';

/** Each part of so many bytes compressed by itself, into a gzip member or a zstd frame, and these one behind the other. */
export function inFrames(summary: Uint8Array, partBytes: number, compress: (part: Uint8Array) => Uint8Array): Buffer {
  return Buffer.concat(partsOf(summary, partBytes).map(compress));
}

/**
 * One gzip member that is put together from pieces: each part of the summary is compressed by itself and ended by a flush, so that it
 * can be taken over into the next index; an empty block ends the member.
 * @param extraBytes of a field in its header that tells where the pieces are (RFC 1952: FEXTRA).
 */
export function gzipInPieces(summary: Uint8Array, partBytes: number, extraBytes = 1_000): Buffer {
  const header = Buffer.from([0x1f, 0x8b, 8, 4, 1, 2, 3, 4, 2, 255, 0, 0]);
  header.writeUInt16LE(extraBytes, 10);
  const flush = { level: 9, finishFlush: constants.Z_SYNC_FLUSH };
  const pieces = partsOf(summary, partBytes).map((part) => deflateRawSync(part, flush));
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(crc32(summary), 0);
  trailer.writeUInt32LE(summary.length % 2 ** 32, 4);
  return Buffer.concat([header, Buffer.alloc(extraBytes, 'PI'), ...pieces, deflateRawSync(''), trailer]);
}

function partsOf(summary: Uint8Array, partBytes: number): Uint8Array[] {
  const starts = Array.from({ length: Math.ceil(summary.length / partBytes) }, (_, index) => index * partBytes);
  return starts.map((start) => summary.subarray(start, start + partBytes));
}
