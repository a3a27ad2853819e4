/**
 * The summary's text, cut into blocks that are compressed each by itself: so a change of one record costs the block that it is in,
 * and all others are taken over as they are.
 *
 * A block begins at a record that says so by the hash of its file name and by its length (so that blocks have a certain size on average,
 * however long the records are), unless the block before is too small yet. So equal rows give equal blocks, whatever was published before;
 * and a change moves the borders around it, but none from where an old and a new one fall together.
 */

import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { latin1 } from '../latin1.ts';

/** A record, and the file name of its package. */
export interface FiledRecord {
  readonly file: string;
  readonly record: Uint8Array;
}

/** What is known of a block without its text. */
export interface Block {
  /** Of its first record; the empty string where it has none. */
  readonly firstFile: string;
  readonly firstRecordBytes: number;
  readonly records: number;
  readonly textBytes: number;
  /** Of the text. */
  readonly crc32: number;
  /** Of the text, in hexadecimal. */
  readonly sha256: string;
}

export interface CutBlock extends Block {
  readonly text: Uint8Array;
}

/** A block, and its text compressed in some format. */
export interface PackedBlock {
  readonly block: Block;
  readonly piece: Uint8Array;
}

/** Where there are no records: an empty file is fatal to clients, and so is one of two line feeds; nothing is one line feed. */
export const emptyBlock: CutBlock = blockOf('', 0, 0, Buffer.from('\n'));

/** Cuts records into blocks, one after the other, by the bytes of their file names. */
export class BlockCutter {
  readonly #bytesMin: number;
  readonly #bytesMore: number;
  /** The records since the last border: the bytes themselves, since so many small arrays would outlive their turn with the collector. */
  #text = Buffer.alloc(0);
  #textBytes = 0;
  #records = 0;
  #first: { readonly file: string; readonly bytes: number } = { file: '', bytes: 0 };

  /** @param blockBytes a block's size on average: three quarters of it at least, and a quarter more until one begins by chance. */
  constructor(blockBytes: number) {
    this.#bytesMin = 0.75 * blockBytes;
    this.#bytesMore = blockBytes - this.#bytesMin;
  }

  /** Whether a record that comes next begins a block. The first one does. */
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

  /** @returns the last block, if there is one; a record that is added later is the first of a new one. */
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
 * The records of a block's text. Each ends in the one empty line that it has, and has one FILE_NAME (functions/record/hazards.ts,
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

/** Stands for the summary's text, and is made without it: the SHA-256 of the blocks' SHA-256s, one behind the other. */
export function digestOf(blocks: readonly Block[]): string {
  const hash = createHash('sha256');
  for (const { sha256 } of blocks) hash.update(sha256, 'hex');
  return hash.digest('hex');
}
