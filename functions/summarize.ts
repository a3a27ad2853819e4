import pMap from 'p-map';
import { fileSumMetadata } from './index/file-sum.ts';
import { type IndexFormat, type IndexFormatName, indexFormats } from './index/index-formats.ts';
import { summaryLimits } from './index/limits.ts';
import {
  buildSummary,
  type CompressedBlock,
  changeSummary,
  type Summary,
  type SummaryOptions,
  splitIndex,
} from './index/summary.ts';
import { compareByBytes, indexFiles, isPackageKey, joinKey, plusAliasOf, splitKey } from './keys.ts';
import { headPage, type KeptPage, keepPage } from './page/keep-page.ts';
import type { RepositoryPage } from './page/page.ts';
import {
  type Changes,
  type Clock,
  type ETag,
  ObjectChanged,
  type ObjectFacts,
  type ObjectStore,
  type RecordTable,
  type Repository,
  type Row,
} from './ports.ts';

export interface SummarizePorts {
  readonly objects: ObjectStore;
  readonly records: RecordTable;
  readonly clock: Clock;
}

export interface SummarizeOptions {
  /** The formats to publish; an index in any other is removed, since clients would take it for the fresh one. */
  readonly formats?: readonly IndexFormatName[];
  /** What changed. Those of a call that failed have to be in a later one. */
  readonly changes?: Changes;
  /** The package browser to keep as index.html; without one nothing of that name is touched. */
  readonly page?: RepositoryPage | undefined;
  /** A block's size on average (functions/index/blocks.ts). */
  readonly blockBytes?: number;
}

/** What became of the index. */
export type Publication =
  | {
      readonly outcome: 'published';
      readonly publishedAt: Date;
      /** Of all formats. */
      readonly bytes: number;
      readonly summary: Summary;
      /** The rows had not covered the whole repository before. */
      readonly isFirst: boolean;
      readonly page: KeptPage;
    }
  /** Every format held this summary already. */
  | {
      readonly outcome: 'unchanged';
      readonly summary: Summary;
      readonly isFirst: boolean;
      readonly page: KeptPage;
    }
  /** An index that we never published serves on until the rows cover all packages that are there; so many are missing. */
  | { readonly outcome: 'waiting'; readonly missing: number }
  /** The index that is there is none to make these changes in: a summary of all rows was asked for, and does it. */
  | { readonly outcome: 'deferred' }
  /** No rows and no index: nothing to publish. */
  | { readonly outcome: 'absent' };

/** Others published all the time. The hint goes back to the queue. */
class Contended extends Error {
  override readonly name = 'Contended';
}

/** The one that tells of its blocks. */
const gzFile = 'pkg_summary.gz';

/**
 * An index object carries what stands for its summary and (`fileSumMetadata`) for the files in it, the time set for its publication, and
 * the time of what it replaced.
 */
const digestMetadata = 'blocks-sha256';
const publishedMetadata = 'published';
const replacedMetadata = 'replaced';

type Heads = ReadonlyMap<string, ObjectFacts>;

/**
 * Rows of a repository changed: replace its index by the summary of the rows, and have its page list what is in it.
 *
 *   take a run number ─ look at index and page ─ read the rows ─ put them, If-Match what was seen ─ look again
 *
 * Of the rows only those that changed are read; the rest of the summary is taken over from the index, which If-Match then holds to be the
 * one that is replaced. All rows are read where that was asked for.
 *
 * For every row, the last put by a pass that read it was by one that saw no run begin after its own number was taken, and so after it read
 * the row: a row that changed later has a run of its own, which sees this index. If-Match keeps the index from going backwards meanwhile.
 * A pass that fails after its put leaves that to the next try, which has to read the same rows; so none reads more than it was asked to.
 *
 * @throws {Contended} and whatever the ports throw: to be tried again.
 */
export async function summarize(
  ports: SummarizePorts,
  repository: Repository,
  { formats = ['gz', 'zst'], changes = 'all', page, blockBytes = summaryLimits.blockBytes }: SummarizeOptions = {},
): Promise<Publication> {
  let last: Omit<Publication & { readonly outcome: 'published' }, 'page'> | undefined;
  let isFirst = false;
  let kept: KeptPage = 'unwanted';
  // Without gz there never is an index to make changes in.
  const toRead = formats.includes('gz') ? changes : 'all';
  for (let pass = 0; pass < summaryLimits.passesMax; pass += 1) {
    const run = await ports.records.takeRun(repository);
    // Before the rows are read: rows that were read before another pass found the repository whole may not cover it.
    const isAdopted = await ports.records.isAdopted(repository);
    const heads = await headIndexes(ports.objects, repository);
    const seen = page ? await headPage(ports.objects, repository) : undefined;
    const view: View = { repository, isAdopted, heads, formats, blockBytes };
    const reading = await read(ports, view, toRead);
    if (reading.outcome === 'object-changed') continue;
    if (reading.outcome === 'deferred') await ports.records.requestSummary(repository);
    if (reading.outcome !== 'read') return last === undefined ? reading : { ...last, page: kept };

    const { summary } = reading;
    const published = await publish(ports, view, summary);
    if (published === 'lost-race') continue;
    if (!isAdopted) {
      // After the put: from here on changes are made in the index that is there, and it must not be one of before. Before the look that
      // follows: a run that waits, or defers to one that does, until then has left its changes to this one.
      await ports.records.markAdopted(repository);
      isFirst = true;
    }
    if (published !== undefined) last = { outcome: 'published', ...published, summary, isFirst };
    const made = page ? await keepPage(ports, { repository, page, seen }, summary) : 'unwanted';
    if (made === 'lost-race') continue;
    if (made === 'deferred') await ports.records.requestSummary(repository);
    kept = made;
    const publication = { ...(last ?? { outcome: 'unchanged', summary, isFirst }), page: kept } as const;
    const hasWritten = published !== undefined || made === 'put' || !isAdopted;
    if (!hasWritten) return publication;

    const isLatestRun = (await ports.records.lastRun(repository)) === run;
    const now = await headIndexes(ports.objects, repository);
    if (isLatestRun && holds(now, formats, summary)) return publication;
  }
  throw new Contended(
    `the index of ${repository} was published by others ${summaryLimits.passesMax} times in a row: it is tried again later`,
  );
}

/** What a pass works on. */
interface View {
  readonly repository: Repository;
  /** Before anything else was looked at. */
  readonly isAdopted: boolean;
  readonly heads: Heads;
  readonly formats: readonly IndexFormatName[];
  readonly blockBytes: number;
}

type Reading =
  | { readonly outcome: 'read'; readonly summary: Summary }
  | { readonly outcome: 'object-changed' }
  | Exclude<Publication, { readonly summary: Summary }>;

/** Makes the summary, of the rows that changed or of all. */
async function read(ports: SummarizePorts, view: View, changes: Changes): Promise<Reading> {
  const { repository, isAdopted, heads, formats, blockBytes } = view;
  const options: SummaryOptions = { formats, blockBytes, since: new Date(lastPublication(heads)) };
  try {
    if (changes === 'all') return await readAll(ports, view, options);
    // The index that is there, if any, may be none of these rows.
    if (!isAdopted) return { outcome: 'deferred' };
    const blocks = await readIndexes(ports.objects, view);
    const fileSum = heads.get(gzFile)?.metadata[fileSumMetadata];
    if (fileSum === undefined || !formats.every((format) => blocks[0]?.pieces.has(format)))
      return { outcome: 'deferred' };
    const changed = (files: readonly string[]) => readRows(ports.records, repository, files);
    const summary = await changeSummary({ blocks, fileSum }, changes, changed, options);
    return summary === undefined ? { outcome: 'deferred' } : { outcome: 'read', summary };
  } catch (error) {
    if (error instanceof ObjectChanged) return { outcome: 'object-changed' };
    throw error;
  }
}

async function readAll({ objects, records }: SummarizePorts, view: View, options: SummaryOptions): Promise<Reading> {
  const { repository, isAdopted, heads } = view;
  const known = await readIndexes(objects, view);
  const isToWait = !isAdopted && heads.size > 0;
  const coverage = new Coverage(isToWait ? await listPackages(objects, repository) : new Map());
  const summary = await buildSummary(coverage.of(records.rows(repository)), known, options);
  if (coverage.missing > 0) return { outcome: 'waiting', missing: coverage.missing };
  if (coverage.rows === 0 && heads.size === 0) return { outcome: 'absent' };
  return { outcome: 'read', summary };
}

async function readRows(
  records: RecordTable,
  repository: Repository,
  files: readonly string[],
): Promise<ReadonlyMap<string, Row | undefined>> {
  const concurrency = summaryLimits.rowsConcurrentMax;
  return new Map(
    await pMap(files, async (file) => [file, await records.row(repository, file)] as const, { concurrency }),
  );
}

async function headIndexes(objects: ObjectStore, repository: Repository): Promise<Heads> {
  const heads = new Map<string, ObjectFacts>();
  for (const file of indexFiles) {
    const head = await objects.head(joinKey(repository, file));
    if (head !== undefined) heads.set(file, head);
  }
  return heads;
}

function wanted(formats: readonly IndexFormatName[]): readonly IndexFormat[] {
  return indexFormats.filter(({ name }) => formats.includes(name));
}

/**
 * The index in gz, and those others that hold the same summary, block by block; none where it is not ours.
 * @throws {ObjectChanged} where one of them is not the one that was looked at any more.
 */
async function readIndexes(
  objects: ObjectStore,
  { repository, heads, formats, blockBytes }: View,
): Promise<readonly CompressedBlock[]> {
  const digest = heads.get(gzFile)?.metadata[digestMetadata];
  if (digest === undefined) return [];
  const indexes = new Map<IndexFormatName, Uint8Array>();
  for (const { name, file } of wanted(formats)) {
    const head = heads.get(file);
    if (head?.metadata[digestMetadata] !== digest) continue;
    indexes.set(name, await objects.readRange(joinKey(repository, file), head.etag, 0, head.size));
  }
  return splitIndex(indexes, digest, blockBytes) ?? [];
}

/** Whether exactly the wanted formats are there, each holding the summary. */
function holds(heads: Heads, formats: readonly IndexFormatName[], summary: Summary): boolean {
  return indexFiles.every((file) => {
    const isWanted = wanted(formats).some((format) => format.file === file);
    const head = heads.get(file);
    return isWanted ? isOf(head, summary) : head === undefined;
  });
}

/**
 * Whether clients find the summary in it: a store that dates objects itself may have given two publications one second, if our
 * clock jumped meanwhile, and then those who have the first do not look at the second.
 */
function isOf(head: ObjectFacts | undefined, summary: Summary): boolean {
  if (head === undefined || head.metadata[digestMetadata] !== summary.digest) return false;
  if (head.metadata[fileSumMetadata] !== summary.fileSum) return false;
  const replaced = Date.parse(head.metadata[replacedMetadata] ?? '');
  return Number.isNaN(replaced) || head.lastModified.getTime() > replaced;
}

/**
 * Whether rows cover the packages that were listed before: how many of them would vanish from clients' sight if these rows replaced the
 * index now. Once one is missing, that is all that is of interest.
 */
class Coverage {
  readonly #listed: readonly (readonly [file: string, etag: ETag])[];
  /** Of the listed packages that come next. */
  #next = 0;
  missing = 0;
  rows = 0;

  constructor(listed: ReadonlyMap<string, ETag>) {
    this.#listed = [...listed].sort(([a], [b]) => compareByBytes(a, b));
  }

  /** Passes rows on, by the bytes of their file names, as long as none is missing. */
  async *of(rows: AsyncIterable<Row>): AsyncGenerator<Row> {
    for await (const row of rows) {
      this.rows += 1;
      for (let [file] = this.#ahead; file !== undefined && compareByBytes(file, row.file) < 0; [file] = this.#ahead)
        this.#see(undefined);
      if (this.#ahead[0] === row.file) this.#see(row.etag);
      if (this.missing === 0) yield row;
    }
    while (this.#next < this.#listed.length) this.#see(undefined);
  }

  get #ahead(): readonly [file: string, etag: ETag] | readonly [] {
    return this.#listed[this.#next] ?? [];
  }

  #see(etag: ETag | undefined): void {
    if (this.#ahead[1] !== etag) this.missing += 1;
    this.#next += 1;
  }
}

/** The repository's packages; a key that is another one's alias is not among them. */
async function listPackages(objects: ObjectStore, repository: Repository): Promise<Map<string, ETag>> {
  const packages = new Map<string, ETag>();
  for await (const { key, etag } of objects.list(joinKey(repository, ''))) {
    const { repository: holder, file } = splitKey(key);
    if (holder === repository && isPackageKey(key)) packages.set(file, etag);
  }
  for (const file of [...packages.keys()]) packages.delete(plusAliasOf(file) ?? '');
  return packages;
}

/** @returns undefined where every format held the summary already. */
async function publish(
  { objects, clock }: SummarizePorts,
  { repository, heads, formats, blockBytes }: View,
  summary: Summary,
): Promise<{ readonly publishedAt: Date; readonly bytes: number } | 'lost-race' | undefined> {
  if (holds(heads, formats, summary)) return undefined;
  const publishedAt = await nextSecond(clock, heads);
  let bytes = 0;
  for (const { name, file, contentType, join } of wanted(formats)) {
    const seen = heads.get(file);
    if (isOf(seen, summary)) continue;
    const packed = summary.blocks.map(({ block, pieces }) => ({ block, piece: pieces.get(name) ?? new Uint8Array() }));
    const body = join(packed, publishedAt, blockBytes);
    const put = await objects.put(joinKey(repository, file), body, {
      condition: seen === undefined ? { ifNoneMatch: '*' } : { ifMatch: seen.etag },
      metadata: {
        [digestMetadata]: summary.digest,
        [fileSumMetadata]: summary.fileSum,
        [publishedMetadata]: publishedAt.toISOString(),
        ...(seen === undefined ? {} : { [replacedMetadata]: seen.lastModified.toISOString() }),
      },
      contentType,
      lastModified: publishedAt,
    });
    if (put.outcome === 'lost-race') return 'lost-race';
    bytes += body.reduce((sum, piece) => sum + piece.length, 0);
  }
  const files = wanted(formats).map(({ file }) => file);
  for (const file of heads.keys()) {
    if (!files.includes(file)) await objects.delete(joinKey(repository, file));
  }
  return { publishedAt, bytes };
}

/**
 * Clients compare Last-Modified in whole seconds: waits until a publication is in a later second than the one before, on the
 * store's clock too. Where ours is so far behind that it would take longer than that, it was set back: the date is made to be later.
 */
async function nextSecond(clock: Clock, heads: Heads): Promise<Date> {
  const earliest = 1000 * (Math.floor(lastPublication(heads) / 1000) + 1);
  const wait = earliest + summaryLimits.clockSkewMilliseconds - clock.now().getTime();
  if (wait > 0) await clock.sleep(Math.min(wait, summaryLimits.waitMillisecondsMax));
  const thisSecond = 1000 * Math.floor(clock.now().getTime() / 1000);
  return new Date(Math.max(thisSecond, earliest));
}

/** Milliseconds; 0 where there was none. */
function lastPublication(heads: Heads): number {
  const times = [...heads.values()].flatMap(({ lastModified, metadata }) => {
    const published = Date.parse(metadata[publishedMetadata] ?? '');
    return [lastModified.getTime(), ...(Number.isNaN(published) ? [] : [published])];
  });
  return Math.max(0, ...times);
}
