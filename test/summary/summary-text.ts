/** Summaries of made rows, and the text in them. */

import { gunzipSync } from 'node:zlib';
import type { Row } from '../../functions/ports.ts';
import { type IndexFormatName, indexFormats } from '../../functions/summary/index-formats.ts';
import {
  buildSummary,
  type CompressedBlock,
  type Summary,
  type SummaryOptions,
} from '../../functions/summary/summary.ts';

export const summaryOptions: SummaryOptions = { formats: ['gz', 'zst'], blockBytes: 384 * 1024 };

/** Of all rows, and of nothing that was there before. */
export async function summaryOf(rows: Iterable<Row>, options: Partial<SummaryOptions> = {}): Promise<Summary> {
  return buildSummary(each(rows), [], { ...summaryOptions, ...options });
}

export async function* each<Item>(items: Iterable<Item>): AsyncGenerator<Item> {
  yield* items;
}

export async function gathered<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
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
  return join?.(packed, publishedAt, blockBytes) ?? new Uint8Array();
}

export function textOf(summary: Summary): Buffer {
  return gunzipSync(indexOf('gz', summary));
}
