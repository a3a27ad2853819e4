/**
 * The summary of a repository: the records of its rows, one behind the other, in blocks that are compressed already. Its text is
 * never in memory as a whole.
 */

import { compareByBytes } from '../keys.ts';
import type { Row } from '../ports.ts';
import {
  type Block,
  type CutBlock,
  cutIntoBlocks,
  digestOf,
  emptyBlock,
  type FiledRecord,
  recordsOf,
} from './blocks.ts';
import { inflateBlock, splitGzip } from './gzip-index.ts';
import { packageNameOf } from './hazards.ts';
import { type IndexFormatName, indexFormats } from './index-formats.ts';
import { splitZstd } from './zstd-index.ts';

/** A block, compressed in some formats or in all. */
export interface CompressedBlock {
  readonly block: Block;
  readonly pieces: ReadonlyMap<IndexFormatName, Uint8Array>;
}

export interface Summary {
  /** The same rows give the same blocks. Never none. */
  readonly blocks: readonly CompressedBlock[];
  /** Of the blocks: functions/summary/blocks.ts. */
  readonly digest: string;
  readonly records: number;
  /** When the packages whose row was read, and is new, were uploaded: for measuring how long an upload takes to be seen. */
  readonly uploads: readonly Date[];
  /** What only all rows together tell; undefined where the changed ones were read. */
  readonly counted: RowCounts | undefined;
}

export interface RowCounts {
  readonly rejected: number;
  /** Of records, and of those that share their PKGNAME. */
  readonly warnings: number;
}

export interface SummaryOptions {
  readonly formats: readonly IndexFormatName[];
  /** A block's size on average. */
  readonly blockBytes: number;
  /** Rows from then on are new. */
  readonly since?: Date;
}

/**
 * The blocks of an index that is there, to be taken over.
 *
 * @param indexes gz, and those others that hold the same summary.
 * @returns undefined where the index in gz does not tell of its blocks, or tells of others than `digest` stands for.
 */
export function takeApart(
  indexes: ReadonlyMap<IndexFormatName, Uint8Array>,
  digest: string,
  blockBytes: number,
): readonly CompressedBlock[] | undefined {
  const gz = splitGzip(indexes.get('gz') ?? new Uint8Array(), blockBytes);
  if (gz === undefined) return undefined;
  const blocks = gz.map(({ block }) => block);
  if (digestOf(blocks) !== digest) return undefined;
  const zst = splitZstd(indexes.get('zst') ?? new Uint8Array(), blocks);
  return gz.map(({ block, piece }, index) => {
    const frame = zst?.[index];
    return { block, pieces: new Map([['gz', piece], ...(frame === undefined ? [] : [['zst', frame] as const])]) };
  });
}

/**
 * The summary of all rows.
 *
 * @param rows by the bytes of their file names, as the table gives them.
 * @param known blocks that need not be compressed again.
 */
export async function buildSummary(
  rows: AsyncIterable<Row>,
  known: readonly CompressedBlock[],
  options: SummaryOptions,
): Promise<Summary> {
  const uploads: Date[] = [];
  const filesByName = new Map<string, number>();
  let [rejected, warnings] = [0, 0];
  async function* records(): AsyncGenerator<FiledRecord> {
    for await (const row of rows) {
      if (row.state === 'rejected') {
        rejected += 1;
        continue;
      }
      if (isNew(row, options)) uploads.push(row.lastModified);
      const name = packageNameOf(row.record);
      filesByName.set(name, (filesByName.get(name) ?? 0) + 1);
      warnings += row.warnings.length;
      yield row;
    }
  }
  const blocks = await compressBlocks(cutIntoBlocks(records(), options.blockBytes), known, options);
  for (const files of filesByName.values()) if (files > 1) warnings += files;
  return summaryOf(blocks, uploads, { rejected, warnings }, options);
}

/** Gives the rows of these files, and of no others; undefined for one that has none. */
export type ReadRows = (files: readonly string[]) => Promise<ReadonlyMap<string, Row | undefined>>;

/**
 * The summary that `base` becomes when the rows of these files are as they are read now: the same as that of all rows, if no other
 * row has changed. Blocks without any of them are taken over as they are.
 *
 * @returns undefined where a block of `base` does not hold what it should: then all rows have to be read.
 */
export async function changeSummary(
  base: readonly CompressedBlock[],
  files: ReadonlySet<string>,
  readRows: ReadRows,
  options: SummaryOptions,
): Promise<Summary | undefined> {
  const uploads: Date[] = [];
  const changes = changesByBlock(base, files);
  async function* changedRecords(from: number, to: number): AsyncGenerator<FiledRecord> {
    for (const [offset, block] of base.slice(from, to).entries()) {
      const rows = await readRows(changes.get(from + offset) ?? []);
      for (const row of rows.values()) if (row !== undefined && isNew(row, options)) uploads.push(row.lastModified);
      yield* withChanges(recordsIn(block), rows);
    }
  }
  const blocks: CompressedBlock[] = [];
  try {
    for (const [index, untouched] of base.entries()) {
      if (!changes.has(index)) blocks.push(untouched);
      if (!changes.has(index) || changes.has(index - 1)) continue;
      // Neighbours are cut as one: whether there still is a border between them is for their records to say.
      let end = index;
      while (changes.has(end)) end += 1;
      const cut = cutIntoBlocks(changedRecords(index, end), options.blockBytes);
      blocks.push(...(await compressBlocks(cut, base.slice(index, end), options)));
    }
  } catch (error) {
    if (error instanceof BlockDamaged) return undefined;
    throw error;
  }
  return summaryOf(blocks, uploads, undefined, options);
}

/** A block does not hold what the layout says. */
class BlockDamaged extends Error {}

/**
 * The blocks that changes of these files reach, by their places, each with those of the files that lie in it. Where a block's
 * first file is among them, the border before it may go: then the block before is reached, too.
 */
function changesByBlock(base: readonly CompressedBlock[], files: ReadonlySet<string>): Map<number, string[]> {
  const changes = new Map<number, string[]>();
  for (const file of [...files].sort(compareByBytes)) {
    const following = base.findIndex(({ block }) => compareByBytes(block.firstFile, file) > 0);
    const index = Math.max((following === -1 ? base.length : following) - 1, 0);
    if (base[index]?.block.firstFile === file && index > 0 && !changes.has(index - 1)) changes.set(index - 1, []);
    changes.set(index, [...(changes.get(index) ?? []), file]);
  }
  return changes;
}

/** @throws {BlockDamaged} */
function recordsIn({ block, pieces }: CompressedBlock): readonly FiledRecord[] {
  const text = inflateBlock({ block, piece: pieces.get('gz') ?? new Uint8Array() });
  const records = recordsOf(text ?? new Uint8Array());
  if (text === undefined || records.length !== block.records || records[0]?.file !== (block.firstFile || undefined))
    throw new BlockDamaged();
  return records;
}

function withChanges(records: readonly FiledRecord[], rows: ReadonlyMap<string, Row | undefined>): FiledRecord[] {
  const kept = records.filter(({ file }) => !rows.has(file));
  const changed = [...rows.values()].filter((row) => row?.state === 'indexed');
  return [...kept, ...changed].sort((a, b) => compareByBytes(a.file, b.file));
}

/** @param known blocks whose pieces need not be made again. */
async function compressBlocks(
  cut: AsyncIterable<CutBlock>,
  known: readonly CompressedBlock[],
  { formats }: SummaryOptions,
): Promise<CompressedBlock[]> {
  const knownPieces = new Map(known.map(({ block, pieces }) => [block.sha256, pieces]));
  const blocks: CompressedBlock[] = [];
  for await (const { text, ...block } of cut) {
    const wanted = indexFormats.filter(({ name }) => formats.includes(name));
    const pieces = await Promise.all(
      wanted.map(async ({ name, compress }) => {
        const piece = knownPieces.get(block.sha256)?.get(name) ?? (await compress(text));
        return [name, piece] as const;
      }),
    );
    blocks.push({ block, pieces: new Map(pieces) });
  }
  return blocks;
}

async function summaryOf(
  blocks: readonly CompressedBlock[],
  uploads: readonly Date[],
  counted: RowCounts | undefined,
  options: SummaryOptions,
): Promise<Summary> {
  if (blocks.length === 0)
    return summaryOf(await compressBlocks(only(emptyBlock), [], options), uploads, counted, options);
  const records = blocks.reduce((sum, { block }) => sum + block.records, 0);
  return { blocks, digest: digestOf(blocks.map(({ block }) => block)), records, uploads, counted };
}

async function* only<Item>(item: Item): AsyncGenerator<Item> {
  yield item;
}

function isNew(row: Row, { since = new Date(0) }: SummaryOptions): boolean {
  return row.state === 'indexed' && row.indexedAt >= since;
}
