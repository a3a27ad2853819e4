/** The layouts that an index may have, of which a client is to notice nothing. */

import { recordsOf } from '../../functions/index/blocks.ts';
import { type IndexFormatName, indexFormats } from '../../functions/index/index-formats.ts';
import { cutIntoBlocks } from '../index/summary-text.ts';

/** Each part of so many bytes compressed by itself, into a gzip member or a zstd frame, and these one behind the other. */
export function inFrames(summary: Uint8Array, partBytes: number, compress: (part: Uint8Array) => Uint8Array): Buffer {
  const starts = Array.from({ length: Math.ceil(summary.length / partBytes) }, (_, index) => index * partBytes);
  return Buffer.concat(starts.map((start) => compress(summary.subarray(start, start + partBytes))));
}

/** As it is published: gz is one member of pieces behind a field that tells of them, zst a frame for each block. */
export async function publishedAs(name: IndexFormatName, summary: Uint8Array, blockBytes: number): Promise<Buffer> {
  const format = indexFormats.find((each) => each.name === name);
  if (format === undefined) throw new Error(`expected an index format, found ${name}`);
  const blocks = cutIntoBlocks(recordsOf(summary), blockBytes);
  const packed = await Promise.all(blocks.map(async (block) => ({ block, piece: await format.compress(block.text) })));
  return Buffer.concat(format.join(packed, new Date('2026-03-04T05:06:07Z'), blockBytes));
}

const extraLengthOffset = 10;
const extraFieldOffset = 12;

/** An index in gzip with a field of so many bytes in the place of the one in its header (RFC 1952: FEXTRA). */
export function withExtraField(index: Buffer, bytes: number): Buffer {
  const header = Buffer.from(index.subarray(0, extraFieldOffset));
  const rest = index.subarray(extraFieldOffset + index.readUInt16LE(extraLengthOffset));
  header.writeUInt16LE(bytes, extraLengthOffset);
  return Buffer.concat([header, Buffer.alloc(bytes, 'PI'), rest]);
}
