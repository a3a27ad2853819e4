/**
 * The summary of a repository: the records of its rows, in compressed blocks. Only the text of one block at a time is in memory.
 */

import { crc32 } from 'node:zlib';
import { DuplicateNames } from '../check/duplicate-names.ts';
import { compareByBytes } from '../keys.ts';
import type { Row } from '../ports.ts';
import { packageNameOf } from '../record/hazards.ts';
import { ArchitectureCounter, type ArchitectureCounts } from './architecture-counts.ts';
import { type Block, BlockCutter, type CutBlock, digestOf, emptyBlock, type FiledRecord, recordsOf } from './blocks.ts';
import { FileNames } from './file-names.ts';
import { changedSum, type FileSum, sumOf } from './file-sum.ts';
import { inflateBlock, splitGzip } from './gzip-index.ts';
import { type IndexFormatName, indexFormats } from './index-formats.ts';
import { splitZstd } from './zstd-index.ts';

/** A block, compressed in some formats or in all of them. */
export interface CompressedBlock {
  readonly block: Block;
  readonly pieces: ReadonlyMap<IndexFormatName, Uint8Array>;
}

export interface Summary {
  /** Depend on the rows alone. At least one. */
  readonly blocks: readonly CompressedBlock[];
  /** Digest of the blocks (functions/index/blocks.ts). */
  readonly digest: string;
  readonly records: number;
  /** Sum of the files that have a record. */
  readonly fileSum: FileSum;
  /** Of the records. */
  readonly architectures: ArchitectureCounts;
  readonly files: SummaryFiles;
  /** Upload times of the packages whose rows were read and are new: they measure the time from upload to index. */
  readonly uploads: readonly Date[];
  /** Counts over all rows; undefined where only the changed ones were read. */
  readonly counted: RowCounts | undefined;
}

/** The files that have a record; or, of the changed rows, which have one. */
type SummaryFiles =
  | { readonly known: 'all'; readonly files: Iterable<string> }
  | { readonly known: 'changed'; readonly presence: ReadonlyMap<string, 'present' | 'absent'> };

export interface RowCounts {
  readonly rejected: number;
  /** Of the rejected ones, those with a record: a rule rejects it. By file. */
  readonly ruledOut: ReadonlyMap<string, RuledOut>;
  /** Warnings of records, and records that share their PKGNAME. */
  readonly warnings: number;
}

interface RuledOut {
  readonly recordCrc: number;
  /** Fingerprint of the rules. */
  readonly rules: string;
}

export interface SummaryOptions {
  readonly formats: readonly IndexFormatName[];
  /** The average size of a block. */
  readonly blockBytes: number;
  /** Rows that were indexed at or after this time are new. */
  readonly since?: Date;
}

/**
 * Splits an index into its blocks, to copy them into the next one.
 *
 * @param indexes gz, and the other formats that hold the same summary.
 * @returns undefined where the index in gz has no layout, or one with another digest.
 */
export function splitIndex(
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
 * Builds the summary of all rows.
 *
 * @param rows in the table's order, by the bytes of their file names.
 * @param known blocks that need not be compressed again.
 */
export async function buildSummary(
  rows: AsyncIterable<Row>,
  known: readonly CompressedBlock[],
  options: SummaryOptions,
): Promise<Summary> {
  const uploads: Date[] = [];
  const files = new FileNames();
  const names = new DuplicateNames();
  const architectures = new ArchitectureCounter();
  const compressor = new BlockCompressor(known, options);
  const ruledOut = new Map<string, RuledOut>();
  let [rejected, warnings] = [0, 0];
  for await (const row of rows) {
    if (row.state === 'rejected') {
      rejected += 1;
      if (row.record !== undefined) ruledOut.set(row.file, { recordCrc: crc32(row.record), rules: row.rules });
      continue;
    }
    if (isNew(row, options)) uploads.push(row.lastModified);
    files.add(row.file);
    names.add(packageNameOf(row.record));
    architectures.add(row.record);
    warnings += row.warnings.length;
    const ended = compressor.add(row);
    if (ended !== undefined) await ended;
  }
  const all = { fileSum: sumOf(files), files: { known: 'all', files } } as const;
  const counted = { rejected, ruledOut, warnings: warnings + names.count() };
  return { ...(await compressor.end()), ...all, architectures: architectures.counts, uploads, counted };
}

/** Reads the rows of these files only; undefined for a file without a row. */
export type ReadRows = (files: readonly string[]) => Promise<ReadonlyMap<string, Row | undefined>>;

/**
 * Applies the rows of these files, as they are now, to `base`. If no other row changed, the result equals the summary of all rows. Blocks
 * without any of these files are copied.
 *
 * @returns undefined where a block of `base` is damaged, or rules that changed reject a record of it: then all rows must be read.
 */
export async function changeSummary(
  base: Pick<Summary, 'blocks' | 'fileSum' | 'architectures'>,
  files: ReadonlySet<string>,
  readRows: ReadRows,
  options: SummaryOptions,
): Promise<Summary | undefined> {
  const uploads: Date[] = [];
  const presence = new Map<string, 'present' | 'absent'>();
  const changes = changesByBlock(base.blocks, files);
  const compressor = new BlockCompressor(base.blocks, options);
  const architectures = new ArchitectureCounter(base.architectures);
  let { fileSum } = base;
  try {
    for (const [index, known] of base.blocks.entries()) {
      const changed = changes.get(index);
      if (changed === undefined && (await compressor.reuseBlock(known))) continue;
      const rows = await readRows(changed ?? []);
      for (const row of rows.values()) if (row !== undefined && isNew(row, options)) uploads.push(row.lastModified);
      const records = recordsIn(known);
      if (records.some((filed) => isRuledOut(filed, rows.get(filed.file)))) return undefined;
      for (const filed of applyChanges(records, rows)) await compressor.add(filed);
      for (const [file, row] of rows) {
        presence.set(file, row?.state === 'indexed' ? 'present' : 'absent');
        if (row?.state === 'indexed') architectures.add(row.record);
      }
      for (const { file, record } of records) if (rows.has(file)) architectures.remove(record);
      const has = [...rows.keys()].filter((file) => presence.get(file) === 'present');
      const had = records.map(({ file }) => file).filter((file) => rows.has(file));
      fileSum = changedSum(fileSum, has, had);
    }
    const files = { known: 'changed', presence } as const;
    const counts = { fileSum, architectures: architectures.counts };
    return { ...(await compressor.end()), ...counts, files, uploads, counted: undefined };
  } catch (error) {
    if (error instanceof BlockDamaged) return undefined;
    throw error;
  }
}

/** The package is the same, and is rejected now. */
function isRuledOut({ record }: FiledRecord, row: Row | undefined): boolean {
  return row?.state === 'rejected' && row.record !== undefined && Buffer.compare(row.record, record) === 0;
}

/** A block's content does not match the layout. */
class BlockDamaged extends Error {}

/**
 * The blocks that changes of these files affect, by their position, with the files of each. If the first file of a block is among
 * them, the boundary before it may vanish: then the block before is affected too.
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

function applyChanges(records: readonly FiledRecord[], rows: ReadonlyMap<string, Row | undefined>): FiledRecord[] {
  const kept = records.filter(({ file }) => !rows.has(file));
  const changed = [...rows.values()].filter((row) => row?.state === 'indexed');
  return [...kept, ...changed].sort((a, b) => compareByBytes(a.file, b.file));
}

/** Cuts records into blocks, and compresses those that are not known. Only the current block's text is in memory. */
class BlockCompressor {
  readonly #options: SummaryOptions;
  readonly #knownPieces: ReadonlyMap<string, CompressedBlock['pieces']>;
  readonly #cutter: BlockCutter;
  readonly #blocks: CompressedBlock[] = [];

  constructor(known: readonly CompressedBlock[], options: SummaryOptions) {
    this.#options = options;
    this.#knownPieces = new Map(known.map(({ block, pieces }) => [block.sha256, pieces]));
    this.#cutter = new BlockCutter(options.blockBytes);
  }

  /** @returns a promise only where this record ends a block, which is rare: awaiting for every record would be slow. */
  add(filed: FiledRecord): Promise<void> | undefined {
    const ended = this.#cutter.add(filed);
    return ended && this.#compress(ended);
  }

  /** Adds a whole block, unless the current block continues into it. @returns whether it did. */
  async reuseBlock(known: CompressedBlock): Promise<boolean> {
    if (!this.#cutter.startsBlock(known.block.firstFile, known.block.firstRecordBytes)) return false;
    const ended = this.#cutter.end();
    if (ended !== undefined) await this.#compress(ended);
    this.#blocks.push(known);
    return true;
  }

  async end(): Promise<Pick<Summary, 'blocks' | 'digest' | 'records'>> {
    const ended = this.#cutter.end();
    if (ended !== undefined) await this.#compress(ended);
    if (this.#blocks.length === 0) await this.#compress(emptyBlock);
    const blocks = this.#blocks.map(({ block }) => block);
    const records = blocks.reduce((sum, block) => sum + block.records, 0);
    return { blocks: this.#blocks, digest: digestOf(blocks), records };
  }

  async #compress({ text, ...block }: CutBlock): Promise<void> {
    const known = this.#knownPieces.get(block.sha256);
    const wanted = indexFormats.filter(({ name }) => this.#options.formats.includes(name));
    const pieces = wanted.map(async ({ name, compress, isPieceOf }) => {
      const piece = known?.get(name);
      // A disk may have flipped a bit of it, and a copied block is copied again and again.
      return [name, piece !== undefined && isPieceOf(piece, text) ? piece : await compress(text)] as const;
    });
    this.#blocks.push({ block, pieces: new Map(await Promise.all(pieces)) });
  }
}

function isNew(row: Row, { since = new Date(0) }: SummaryOptions): boolean {
  return row.state === 'indexed' && row.indexedAt >= since;
}
