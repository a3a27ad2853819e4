/** Arbitrary text as a record, and records as an index. */

import { isDeepStrictEqual } from 'node:util';
import { IndexDecoder } from '../../functions/browser/packages/index-decoder.ts';
import { RecordSplitter } from '../../functions/browser/packages/record-splitter.ts';
import { checkConsistency, factsOf } from '../../functions/check/consistency.ts';
import { recordsOf } from '../../functions/index/blocks.ts';
import { indexFormatNames, indexFormats } from '../../functions/index/index-formats.ts';
import { buildSummary } from '../../functions/index/summary.ts';
import { latin1 } from '../../functions/package/formats.ts';
import type { IndexedRow } from '../../functions/ports.ts';
import { findRejection, findWarnings, packageNameOf } from '../../functions/record/hazards.ts';
import { readFields } from '../../functions/record/record-fields.ts';
import { fixtureCorpus } from '../corpus.ts';
import type { Dice } from '../dice.ts';
import { BrokenIndex, readIndex, readSummary } from '../pkgin-reader.ts';
import { changeBytes, changeText } from './byte-changes.ts';
import { checkAcceptance } from './package-target.ts';
import { Finding, type FuzzTarget } from './target.ts';

export const recordTarget: FuzzTarget = {
  name: 'record',
  weight: 2,
  async run(dice) {
    const record = drawRecord(dice);
    return checkAcceptance(record, dice.pick(['made-1.0.tgz', 'b.tgz']), record);
  },
};

/** Asserts that accepted records form an index that pkgin and the page can read, in every format and in any pieces. */
export const indexTarget: FuzzTarget = {
  name: 'index',
  weight: 1,
  async run(dice) {
    const rows: IndexedRow[] = [];
    for (let count = dice.integer(0, 6); count > 0; count -= 1) {
      const [file, record] = [`${count}.tgz`, drawRecord(dice)];
      if (findRejection(record, file) === undefined) rows.push(rowOf(file, record));
    }
    const [blockBytes, formats] = [dice.pick([1, 1_000, 400_000]), indexFormatNames];
    const { blocks, records } = await buildSummary(inOrder(rows), [], { formats, blockBytes });
    const sorted = rows.toSorted(byFile).map(({ record }) => record);
    const text = sorted.length === 0 ? Buffer.from('\n') : Buffer.concat(sorted);
    for (const format of indexFormats) {
      const packed = blocks.map(({ block, pieces }) => ({ block, piece: pieces.get(format.name) ?? new Uint8Array() }));
      const index = Buffer.concat(format.join(packed, new Date(1000 * dice.integer(0, 2 ** 32 - 1)), blockBytes));
      const published = checked(text, () => readIndex(index, format.name));
      const names = new Set(rows.map(({ record }) => packageNameOf(record)));
      if (published.records !== rows.length || records !== rows.length || published.packages.size !== names.size)
        throw new Finding(`${rows.length} records became ${published.records}`, text);
      const shown = checked(text, () => readAsPage(dice, index));
      const expected = sorted.map((record) => latin1(record).slice(0, -1));
      if (shown.join('\n') !== expected.join('\n')) throw new Finding(`the page reads ${JSON.stringify(shown)}`, text);
      for (const { name, fields } of published.packages.values())
        if (!shown.some((record) => isDeepStrictEqual(readFields(record), fields)))
          throw new Finding(`the page reads other fields of ${name}`, text);
    }
    if (recordsOf(text).length !== rows.length)
      throw new Finding(`${rows.length} records are read as ${recordsOf(text).length}`, text);
    checked(text, () => checkConsistency(rows.map(({ record }) => factsOf(readFields(latin1(record))))));
    return `${rows.length} records`;
  },
};

/** Tests the reader that stands for pkgin in all tests. */
export const readerTarget: FuzzTarget = {
  name: 'reader',
  weight: 1,
  async run(dice) {
    const summary = changeBytes(dice, Buffer.concat([drawRecord(dice), drawRecord(dice)]));
    try {
      return `${readSummary(summary).records} records`;
    } catch (error) {
      if (error instanceof BrokenIndex) return error.code;
      throw new Finding('expected BrokenIndex', summary, error);
    }
  },
};

/** Decompresses and splits it as the page does, while it arrives. */
function readAsPage(dice: Dice, index: Uint8Array): string[] {
  const splitter = new RecordSplitter();
  const found: Uint8Array[] = [];
  const decoder = new IndexDecoder((bytes) => found.push(...splitter.push(bytes)));
  const pieceBytes = dice.pick([1, 7, 64, 5_000]);
  for (let start = 0; start < index.length; start += pieceBytes)
    decoder.push(index.subarray(start, start + pieceBytes));
  decoder.end();
  return [...found, ...splitter.end()].map(latin1);
}

function byFile(a: IndexedRow, b: IndexedRow): number {
  return a.file < b.file ? -1 : 1;
}

function checked<Result>(input: Uint8Array, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    throw new Finding('pkgin cannot read an index of accepted records', input, error);
  }
}

function rowOf(file: string, record: Uint8Array): IndexedRow {
  const lastModified = new Date(0);
  const warnings = findWarnings(record, file);
  return {
    repository: '',
    file,
    etag: file,
    size: 1,
    lastModified,
    indexedAt: lastModified,
    rules: '',
    state: 'indexed',
    record,
    warnings,
  };
}

async function* inOrder(rows: readonly IndexedRow[]): AsyncGenerator<IndexedRow> {
  yield* rows.toSorted(byFile);
}

let records: readonly string[] | undefined;

function drawRecord(dice: Dice): Uint8Array {
  records ??= fixtureCorpus.packages.flatMap((entry) => entry.expected()?.toString('latin1') ?? []);
  let text = dice.pick(records);
  for (let count = dice.integer(0, 3); count > 0; count -= 1) text = changeText(dice, text);
  return Buffer.from(text, 'latin1');
}
