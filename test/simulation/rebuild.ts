/** The index that is made of records without any index before: what every publication has to equal, byte for byte. */

import { type IndexFormatName, indexFormats } from '../../functions/index/index-formats.ts';
import { buildSummary, type Summary } from '../../functions/index/summary.ts';
import type { IndexedRow } from '../../functions/ports.ts';

/** @param records by FILE_NAME, in Latin-1 */
export async function rebuilt(
  records: ReadonlyMap<string, string>,
  format: IndexFormatName,
  blockBytes: number,
  publishedAt: Date,
): Promise<{ readonly index: Uint8Array; readonly summary: Summary }> {
  const summary = await buildSummary(rowsOf(records), [], { formats: [format], blockBytes });
  const packed = summary.blocks.map(({ block, pieces }) => ({ block, piece: pieces.get(format) ?? new Uint8Array() }));
  const join = indexFormats.find(({ name }) => name === format)?.join;
  return { index: Buffer.concat(join?.(packed, publishedAt, blockBytes) ?? []), summary };
}

async function* rowsOf(records: ReadonlyMap<string, string>): AsyncGenerator<IndexedRow> {
  const date = new Date(0);
  const facts = { repository: '', etag: '', size: 0, lastModified: date, indexedAt: date, rules: '', warnings: [] };
  for (const file of [...records.keys()].sort())
    yield { ...facts, file, state: 'indexed', record: Buffer.from(records.get(file) ?? '', 'latin1') };
}
