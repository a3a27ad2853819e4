/** The summary of a repository: the records of its rows, one behind the other. */

import { createHash } from 'node:crypto';
import type { Row } from '../ports.ts';
import { findDuplicates, packageNameOf } from './hazards.ts';

/** An empty file is fatal to clients, and so is one of two line feeds: nothing is one line feed. */
const emptySummary = Buffer.from('\n');

export interface Summary {
  /** A pure function of the rows: the same rows give the same bytes. */
  readonly text: Uint8Array;
  /** Of `text`, in hexadecimal. */
  readonly sha256: string;
  readonly records: number;
  readonly rejected: number;
  readonly warnings: number;
  /** What the rows say of every file, rejected ones too. */
  readonly etags: ReadonlyMap<string, string>;
  /** When the packages whose row is from `since` or later were uploaded: for measuring how long an upload takes to be seen. */
  readonly uploads: readonly Date[];
}

/** @param rows by the bytes of their file names, as the table gives them. */
export async function buildSummary(rows: AsyncIterable<Row>, since: Date = new Date(0)): Promise<Summary> {
  const records: Uint8Array[] = [];
  const names: { file: string; name: string }[] = [];
  const etags = new Map<string, string>();
  const uploads: Date[] = [];
  let rejected = 0;
  let warnings = 0;
  for await (const row of rows) {
    etags.set(row.file, row.etag);
    if (row.state === 'rejected') {
      rejected += 1;
      continue;
    }
    if (row.indexedAt >= since) uploads.push(row.lastModified);
    records.push(row.record);
    names.push({ file: row.file, name: packageNameOf(row.record) });
    warnings += row.warnings.length;
  }
  const text = records.length === 0 ? emptySummary : Buffer.concat(records);
  const sha256 = createHash('sha256').update(text).digest('hex');
  return {
    text,
    sha256,
    records: records.length,
    rejected,
    warnings: warnings + findDuplicates(names).size,
    etags,
    uploads,
  };
}
