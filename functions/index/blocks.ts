/**
 * Cuts the summary's text into blocks that are compressed separately: so a changed record costs one block, and all others are copied.
 *
 * Whether a record begins a new block depends on the hash of its file name and on its length (so that the average size does not depend
 * on the length of records), and on the size of the block before. So equal rows give equal blocks, whatever was published before. A change
 * moves the block boundaries near it, up to the next boundary that stays.
 */

import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { latin1 } from '../package/formats.ts';

/**
 * The default of a block's average text size. Smaller blocks make a change cheaper and the index larger: of 27,699 records (25.8 MB) this
 * makes 81 blocks, gz larger by 1.3 % and zst by 43 %; 192 KiB would make them larger by 2.3 % and 48 %.
 */
export const blockBytes = 320 * 1024;

/** A record, and the file name of its package. */
export interface FiledRecord {
  readonly file: string;
  readonly record: Uint8Array;
}

/** A block without its text. */
export interface Block {
  /** The file of its first record; the empty string where it has none. */
  readonly firstFile: string;
  readonly firstRecordBytes: number;
  readonly records: number;
  readonly textBytes: number;
  /** CRC-32 of the text. */
  readonly crc32: number;
  /** SHA-256 of the text, in hexadecimal. */
  readonly sha256: string;
}

export interface CutBlock extends Block {
  readonly text: Uint8Array;
}

/** A block, and its compressed text in one format. */
export interface PackedBlock {
  readonly block: Block;
  readonly piece: Uint8Array;
}

/** The summary without records: one line feed. pkgin fails on an empty file, and on two line feeds. */
export const emptyBlock: CutBlock = blockOf('', 0, 0, Buffer.from('\n'));

/** Cuts records into blocks. They come by the bytes of their file names. */
export class BlockCutter {
  readonly #bytesMin: number;
  readonly #bytesMore: number;
  /** The text of the current block. One buffer: many small arrays would survive garbage collection and keep their memory. */
  #text = Buffer.alloc(0);
  #textBytes = 0;
  #records = 0;
  #first: { readonly file: string; readonly bytes: number } = { file: '', bytes: 0 };

  /** @param averageBytes a block's average size: its minimum is three quarters of that; a quarter more passes on average until a record begins the next. */
  constructor(averageBytes: number) {
    this.#bytesMin = 0.75 * averageBytes;
    this.#bytesMore = averageBytes - this.#bytesMin;
  }

  /** Whether this record, as the next one, begins a block. The first one does. */
  startsBlock(file: string, recordBytes: number): boolean {
    if (this.#records === 0) return true;
    return this.#textBytes >= this.#bytesMin && crc32(file) / 2 ** 32 < recordBytes / this.#bytesMore;
  }

  /** @returns the block that ends before this record, if one does. */
  add({ file, record }: FiledRecord): CutBlock | undefined {
    const ended = this.startsBlock(file, record.length) ? this.end() : undefined;
    if (this.#records === 0) this.#first = { file, bytes: record.length };
    const bytes = this.#textBytes + record.length;
    if (bytes > this.#text.length) this.#text = Buffer.concat([this.#text, Buffer.alloc(bytes)]);
    this.#text.set(record, this.#textBytes);
    this.#textBytes = bytes;
    this.#records += 1;
    return ended;
  }

  /** @returns the current block, if it has records; the next record begins a new one. */
  end(): CutBlock | undefined {
    if (this.#records === 0) return undefined;
    const { file, bytes } = this.#first;
    const ended = blockOf(file, bytes, this.#records, Buffer.from(this.#text.subarray(0, this.#textBytes)));
    this.#textBytes = 0;
    this.#records = 0;
    return ended;
  }
}

function blockOf(firstFile: string, firstRecordBytes: number, records: number, text: Buffer): CutBlock {
  const sha256 = createHash('sha256').update(text).digest('hex');
  return { firstFile, firstRecordBytes, records, textBytes: text.length, crc32: crc32(text), sha256, text };
}

/**
 * Splits a block's text into its records. Each has exactly one empty line, at its end, and one FILE_NAME (functions/record/hazards.ts,
 * record.ts).
 */
export function recordsOf(text: Uint8Array): FiledRecord[] {
  const characters = latin1(text);
  const records: FiledRecord[] = [];
  let start = 0;
  for (let end = characters.indexOf('\n\n'); end !== -1; end = characters.indexOf('\n\n', start)) {
    const [, file = ''] = /(?:^|\n)FILE_NAME=([^\n]*)/.exec(characters.slice(start, end)) ?? [];
    records.push({ file: Buffer.from(file, 'latin1').toString(), record: text.subarray(start, end + 2) });
    start = end + 2;
  }
  return records;
}

/** A digest of the summary that needs no text: the SHA-256 of the concatenated SHA-256s of its blocks. */
export function digestOf(blocks: readonly Block[]): string {
  const hash = createHash('sha256');
  for (const { sha256 } of blocks) hash.update(sha256, 'hex');
  return hash.digest('hex');
}
