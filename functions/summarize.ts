import pMap from 'p-map';
import { architecturesMetadata, decodeCounts } from './index/architecture-counts.ts';
import { blockBytes as defaultBlockBytes } from './index/blocks.ts';
import { type Difference, differenceOf } from './index/difference.ts';
import { fileSumMetadata } from './index/file-sum.ts';
import type { IndexFormatName } from './index/index-formats.ts';
import {
  digestIn,
  gzFile,
  type Heads,
  headIndexes,
  holds,
  isForeign,
  isOf,
  lastPublication,
  metadataOf,
  publishedAt,
  wantedFormats,
} from './index/index-heads.ts';
import {
  buildSummary,
  type CompressedBlock,
  changeSummary,
  type Summary,
  type SummaryOptions,
  splitIndex,
} from './index/summary.ts';
import { compareByBytes, isPackageKey, joinKey, plusAliasOf, splitKey } from './keys.ts';
import { headPage, type KeptPage, keepPage } from './page/keep-page.ts';
import type { PageTemplate } from './page/page.ts';
import {
  type Changes,
  type Clock,
  type ETag,
  ObjectChanged,
  type ObjectStore,
  type RecordTable,
  type Repository,
  type Row,
} from './ports.ts';

/** Publishing one repository's index. */
export const summarizeLimits = {
  /** Passes of one summarize. Each further pass means that another summarize published meanwhile; after these the changes are retried. */
  passesMax: 20,
  /** The longest wait for the next second: every clock reaches it within this time. */
  waitMillisecondsMax: 1_200,
  /** How far the store's clock, which dates the last publication, may differ from ours. */
  clockSkewMilliseconds: 200,
  /** Changed rows that are read at the same time. */
  rowsConcurrentMax: 16,
} as const;

export interface SummarizePorts {
  readonly objects: ObjectStore;
  readonly records: RecordTable;
  readonly clock: Clock;
}

export interface SummarizeOptions {
  /** The formats to publish. Indexes in other formats are deleted: clients would prefer a stale one. */
  readonly formats?: readonly IndexFormatName[];
  /** What changed. The changes of a call that failed must be part of a later call. */
  readonly changes?: Changes;
  /** The package browser to keep as index.html; without one, index.html is never read or written. */
  readonly page?: PageTemplate | undefined;
  /** The average size of a block (functions/index/blocks.ts). */
  readonly blockBytes?: number;
  /** Whether to find out what a publication changes. */
  readonly describe?: boolean;
}

/** What happened to the index. */
export type Publication =
  | {
      readonly outcome: 'published';
      readonly publishedAt: Date;
      /** Of all formats. */
      readonly bytes: number;
      readonly summary: Summary;
      /** The repository was not adopted before. */
      readonly isFirst: boolean;
      /** From the index that was replaced; undefined where nobody asked, and where that index was not ours. */
      readonly difference: Difference | undefined;
      readonly page: KeptPage;
    }
  /** Every format held this summary already. */
  | {
      readonly outcome: 'unchanged';
      readonly summary: Summary;
      readonly isFirst: boolean;
      readonly page: KeptPage;
    }
  /** The index that was there before us stays until every package has a row; so many are missing. */
  | { readonly outcome: 'waiting'; readonly missing: number }
  /** These changes cannot be applied to the index that is there: a summary of all rows was requested instead. */
  | { readonly outcome: 'deferred' }
  /** No rows and no index: nothing to publish. */
  | { readonly outcome: 'absent' };

/** Others published in every pass. The changes are retried. */
class Contended extends Error {
  override readonly name = 'Contended';
}

/**
 * Rows of a repository changed: replace its index by the summary of the rows, and its page by a list of the index's files.
 *
 *   take a run number ─ head index and page ─ read the rows ─ put, If-Match ─ check run number and index again
 *
 * Only the rows that changed are read; all other records are copied from the index, and If-Match makes sure that this is the index that
 * is replaced. With `changes: 'all'` every row is read.
 *
 * Why this converges: take the last put by a pass that read a certain row. That pass checked that no run began since it took its number,
 * and so since it read the row. A later change of the row has a run of its own, which reads this index. If-Match keeps the index from
 * going backwards meanwhile. A pass that fails after its put leaves the check to its retry, which must read the same rows: so no pass
 * reads other rows than it was called with. docs/interleavings.md goes through the cases.
 *
 * @throws {Contended} and any error of the ports: the caller retries.
 */
export async function summarize(
  ports: SummarizePorts,
  repository: Repository,
  {
    formats = ['gz', 'zst'],
    changes = 'all',
    page,
    blockBytes = defaultBlockBytes,
    describe = false,
  }: SummarizeOptions = {},
): Promise<Publication> {
  let last: Omit<Publication & { readonly outcome: 'published' }, 'page'> | undefined;
  /** What the first pass that published replaced. */
  let replaced: readonly CompressedBlock[] | undefined;
  let isFirst = false;
  let kept: KeptPage = 'unwanted';
  // Changes can only be applied to an index in gz.
  const toRead = formats.includes('gz') ? changes : 'all';
  for (let pass = 0; pass < summarizeLimits.passesMax; pass += 1) {
    const run = await ports.records.takeRun(repository);
    // Before the rows are read: another pass may adopt the repository after we read half of its rows.
    const isAdopted = await ports.records.isAdopted(repository);
    const heads = await headIndexes(ports.objects, repository);
    const pageHead = page ? await headPage(ports.objects, repository) : undefined;
    const view: View = { repository, isAdopted, heads, formats, blockBytes };
    const reading = await read(ports, view, toRead);
    if (reading.outcome === 'object-changed') continue;
    if (reading.outcome === 'deferred') await ports.records.requestSummary(repository);
    if (reading.outcome === 'absent') await ports.records.forget(repository);
    if (reading.outcome !== 'read') return last === undefined ? reading : { ...last, page: kept };

    const { summary, damaged } = reading;
    const published = await publish(ports, view, summary, damaged);
    if (published === 'lost-race') continue;
    if (!isAdopted) {
      // After the put: from here on, changes are applied to the index that is there, so it must be ours. Before the check below: runs that
      // wait or defer until this mark is set leave their changes to this pass.
      await ports.records.markAdopted(repository);
      isFirst = true;
    }
    if (published !== undefined) {
      if (last === undefined) replaced = reading.replaced;
      const difference = describe && replaced !== undefined ? differenceOf(replaced, summary.blocks) : undefined;
      last = { outcome: 'published', ...published, summary, isFirst, difference };
    }
    const made = page ? await keepPage(ports, { repository, template: page, page: pageHead }, summary) : 'unwanted';
    if (made === 'lost-race') continue;
    if (made === 'deferred') await ports.records.requestSummary(repository);
    kept = made;
    const publication = { ...(last ?? { outcome: 'unchanged', summary, isFirst }), page: kept } as const;
    const hasWritten = published !== undefined || made === 'put' || !isAdopted;
    if (!hasWritten) return publication;

    const isLatestRun = (await ports.records.lastRun(repository)) === run;
    const now = await headIndexes(ports.objects, repository);
    if (isLatestRun && holds(now, repository, formats, summary)) return publication;
  }
  throw new Contended(
    `others published the index of ${repository} ${summarizeLimits.passesMax} times in a row; will retry`,
  );
}

/** The state that a pass starts from. */
interface View {
  readonly repository: Repository;
  /** Read before everything else. */
  readonly isAdopted: boolean;
  readonly heads: Heads;
  readonly formats: readonly IndexFormatName[];
  readonly blockBytes: number;
}

type Reading =
  | {
      readonly outcome: 'read';
      readonly summary: Summary;
      readonly damaged: ReadonlySet<IndexFormatName>;
      /** The blocks of the index that is there; none without an index, undefined for one that is not ours. */
      readonly replaced: readonly CompressedBlock[] | undefined;
    }
  | { readonly outcome: 'object-changed' }
  | Exclude<Publication, { readonly summary: Summary }>;

/** Builds the summary from the changed rows, or from all. */
async function read(ports: SummarizePorts, view: View, changes: Changes): Promise<Reading> {
  const { repository, isAdopted, heads, formats, blockBytes } = view;
  const options: SummaryOptions = { formats, blockBytes, since: new Date(lastPublication(heads)) };
  try {
    if (changes === 'all') return await readAll(ports, view, options);
    // The index that is there may not be of these rows.
    if (!isAdopted) return { outcome: 'deferred' };
    const { blocks } = await readIndexes(ports.objects, view);
    const { metadata = {} } = heads.get(gzFile) ?? {};
    const fileSum = metadata[fileSumMetadata];
    const architectures = decodeCounts(metadata[architecturesMetadata]);
    const isDescribed = fileSum !== undefined && architectures !== undefined;
    if (!isDescribed || !formats.every((format) => blocks[0]?.pieces.has(format))) return { outcome: 'deferred' };
    const changed = (files: readonly string[]) => readRows(ports.records, repository, files);
    const summary = await changeSummary({ blocks, fileSum, architectures }, changes, changed, options);
    if (summary === undefined) return { outcome: 'deferred' };
    return { outcome: 'read', summary, damaged: new Set(), replaced: blocks };
  } catch (error) {
    if (error instanceof ObjectChanged) return { outcome: 'object-changed' };
    throw error;
  }
}

async function readAll({ objects, records }: SummarizePorts, view: View, options: SummaryOptions): Promise<Reading> {
  const { repository, isAdopted, heads } = view;
  const { blocks, indexes } = await readIndexes(objects, view);
  // A directory that was swapped in, or a copy of a bucket, brings an index along, and its packages have no rows yet.
  const isToWait = (!isAdopted && heads.size > 0) || isForeign(heads, repository);
  const coverage = new Coverage(isToWait ? await listPackages(objects, repository) : new Map());
  const summary = await buildSummary(coverage.of(records.rows(repository)), blocks, options);
  if (coverage.missing > 0) return { outcome: 'waiting', missing: coverage.missing };
  if (coverage.rows === 0 && heads.size === 0) return { outcome: 'absent' };
  const replaced = heads.size === 0 || blocks.length > 0 ? blocks : undefined;
  return { outcome: 'read', summary, damaged: damagedAmong(indexes, view, summary), replaced };
}

/** The formats whose metadata say that they hold this summary, and which differ from what was published. */
function damagedAmong(
  indexes: ReadonlyMap<IndexFormatName, Uint8Array>,
  { repository, heads, blockBytes }: View,
  summary: Summary,
): ReadonlySet<IndexFormatName> {
  const damaged = new Set<IndexFormatName>();
  for (const [name, index] of indexes) {
    const head = heads.get(`pkg_summary.${name}`);
    if (!isOf(head, repository, summary)) continue;
    const body = Buffer.concat(bodyOf(name, summary, publishedAt(head) ?? new Date(0), blockBytes));
    if (!body.equals(index)) damaged.add(name);
  }
  return damaged;
}

async function readRows(
  records: RecordTable,
  repository: Repository,
  files: readonly string[],
): Promise<ReadonlyMap<string, Row | undefined>> {
  const concurrency = summarizeLimits.rowsConcurrentMax;
  return new Map(
    await pMap(files, async (file) => [file, await records.row(repository, file)] as const, { concurrency }),
  );
}

/**
 * The blocks of the index, with their pieces in gz and in every other format that holds the same summary; and these indexes. None where
 * the index is not ours.
 * @throws {ObjectChanged} where an index changed since its head was read.
 */
async function readIndexes(
  objects: ObjectStore,
  { repository, heads, formats, blockBytes }: View,
): Promise<{ blocks: readonly CompressedBlock[]; indexes: ReadonlyMap<IndexFormatName, Uint8Array> }> {
  const indexes = new Map<IndexFormatName, Uint8Array>();
  const digest = digestIn(heads.get(gzFile), repository);
  if (digest === undefined) return { blocks: [], indexes };
  for (const { name, file } of wantedFormats(formats)) {
    const head = heads.get(file);
    if (head === undefined || digestIn(head, repository) !== digest) continue;
    indexes.set(name, await objects.readRange(joinKey(repository, file), head.etag, 0, head.size));
  }
  return { blocks: splitIndex(indexes, digest, blockBytes) ?? [], indexes };
}

/**
 * Counts the listed packages that have no row of their ETag: these would vanish for clients if these rows replaced the index now. Once
 * one is missing, the rows themselves are not needed any more.
 */
class Coverage {
  readonly #listed: readonly (readonly [file: string, etag: ETag])[];
  /** The next listed package. */
  #next = 0;
  missing = 0;
  rows = 0;

  constructor(listed: ReadonlyMap<string, ETag>) {
    this.#listed = [...listed].sort(([a], [b]) => compareByBytes(a, b));
  }

  /** Passes the rows on, as long as no package is missing. They come by the bytes of their file names. */
  async *of(rows: AsyncIterable<Row>): AsyncGenerator<Row> {
    for await (const row of rows) {
      this.rows += 1;
      for (let [file] = this.#ahead; file !== undefined && compareByBytes(file, row.file) < 0; [file] = this.#ahead)
        this.#compare(undefined);
      if (this.#ahead[0] === row.file) this.#compare(row.etag);
      if (this.missing === 0) yield row;
    }
    while (this.#next < this.#listed.length) this.#compare(undefined);
  }

  get #ahead(): readonly [file: string, etag: ETag] | readonly [] {
    return this.#listed[this.#next] ?? [];
  }

  #compare(etag: ETag | undefined): void {
    if (this.#ahead[1] !== etag) this.missing += 1;
    this.#next += 1;
  }
}

/** The repository's packages, without aliases. */
async function listPackages(objects: ObjectStore, repository: Repository): Promise<Map<string, ETag>> {
  const packages = new Map<string, ETag>();
  for await (const { key, etag } of objects.list(joinKey(repository, ''))) {
    const { repository: holder, file } = splitKey(key);
    if (holder === repository && isPackageKey(key)) packages.set(file, etag);
  }
  for (const file of [...packages.keys()]) packages.delete(plusAliasOf(file) ?? '');
  return packages;
}

/** @returns undefined where every format already holds the summary. */
async function publish(
  { objects, clock }: SummarizePorts,
  { repository, heads, formats, blockBytes }: View,
  summary: Summary,
  damaged: ReadonlySet<IndexFormatName>,
): Promise<{ readonly publishedAt: Date; readonly bytes: number } | 'lost-race' | undefined> {
  if (holds(heads, repository, formats, summary) && damaged.size === 0) return undefined;
  const date = await nextSecond(clock, heads);
  let bytes = 0;
  for (const { name, file, contentType } of wantedFormats(formats)) {
    const head = heads.get(file);
    if (isOf(head, repository, summary) && !damaged.has(name)) continue;
    const body = bodyOf(name, summary, date, blockBytes);
    const put = await objects.put(joinKey(repository, file), body, {
      condition: head === undefined ? { ifNoneMatch: '*' } : { ifMatch: head.etag },
      metadata: metadataOf(summary, repository, date, head),
      contentType,
      // Clients and caches may keep it, and ask whether it changed before each use.
      cacheControl: 'no-cache',
      lastModified: date,
    });
    if (put.outcome === 'lost-race') return 'lost-race';
    bytes += body.reduce((sum, piece) => sum + piece.length, 0);
  }
  const files = wantedFormats(formats).map(({ file }) => file);
  for (const file of heads.keys()) {
    if (!files.includes(file)) await objects.delete(joinKey(repository, file));
  }
  return { publishedAt: date, bytes };
}

function bodyOf(format: IndexFormatName, { blocks }: Summary, date: Date, blockBytes: number): readonly Uint8Array[] {
  const packed = blocks.map(({ block, pieces }) => ({ block, piece: pieces.get(format) ?? new Uint8Array() }));
  return wantedFormats([format]).flatMap(({ join }) => join(packed, date, blockBytes));
}

/**
 * Clients compare Last-Modified in whole seconds: waits for a later second than that of the last publication, on the store's clock too.
 * A clock that is further behind was set back: then the date is set to that later second without waiting for it.
 */
async function nextSecond(clock: Clock, heads: Heads): Promise<Date> {
  const earliest = 1000 * (Math.floor(lastPublication(heads) / 1000) + 1);
  const wait = earliest + summarizeLimits.clockSkewMilliseconds - clock.now().getTime();
  if (wait > 0) await clock.sleep(Math.min(wait, summarizeLimits.waitMillisecondsMax));
  const thisSecond = 1000 * Math.floor(clock.now().getTime() / 1000);
  return new Date(Math.max(thisSecond, earliest));
}
