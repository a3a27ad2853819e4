/** Summaries of made rows, and the text in them. */

import { gunzipSync } from 'node:zlib';
import { BlockCutter, type CutBlock, type FiledRecord } from '../../functions/index/blocks.ts';
import { type IndexFormatName, indexFormats } from '../../functions/index/index-formats.ts';
import {
  buildSummary,
  type CompressedBlock,
  type Summary,
  type SummaryOptions,
} from '../../functions/index/summary.ts';
import type { Row } from '../../functions/ports.ts';

export const summaryOptions: SummaryOptions = { formats: ['gz', 'zst'], blockBytes: 384 * 1024 };

/** Of all rows, and of nothing that was there before. */
export async function summaryOf(rows: Iterable<Row>, options: Partial<SummaryOptions> = {}): Promise<Summary> {
  return buildSummary(each(rows), [], { ...summaryOptions, ...options });
}

export async function* each<Item>(items: Iterable<Item>): AsyncGenerator<Item> {
  yield* items;
}

export function cutIntoBlocks(records: readonly FiledRecord[], blockBytes: number): CutBlock[] {
  const cutter = new BlockCutter(blockBytes);
  return [...records.flatMap((filed) => cutter.add(filed) ?? []), ...[cutter.end() ?? []].flat()];
}

/** The index that is published of a summary. */
export function indexOf(
  format: IndexFormatName,
  { blocks }: { readonly blocks: readonly CompressedBlock[] },
  blockBytes = summaryOptions.blockBytes,
  publishedAt = new Date('2026-03-04T05:06:07Z'),
): Uint8Array {
  const packed = blocks.map(({ block, pieces }) => ({ block, piece: pieces.get(format) ?? new Uint8Array() }));
  const join = indexFormats.find(({ name }) => name === format)?.join;
  return Buffer.concat(join?.(packed, publishedAt, blockBytes) ?? []);
}

export function textOf(summary: Summary): Buffer {
  return gunzipSync(indexOf('gz', summary));
}
