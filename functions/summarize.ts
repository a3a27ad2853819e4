import { indexFiles, isPackageKey, joinKey, plusAliasOf, splitKey } from './keys.ts';
import { summaryLimits } from './limits.ts';
import type { Clock, ETag, ObjectFacts, ObjectStore, RecordTable, Repository } from './ports.ts';
import { type IndexFormatName, indexFormats } from './summary/index-formats.ts';
import { buildSummary, type Summary } from './summary/summary.ts';

export interface SummarizePorts {
  readonly objects: ObjectStore;
  readonly records: RecordTable;
  readonly clock: Clock;
}

export interface SummarizeOptions {
  /** The formats to publish; an index in any other is removed, since clients would take it for the fresh one. */
  readonly formats?: readonly IndexFormatName[];
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
    }
  /** Every format held this summary already. */
  | { readonly outcome: 'unchanged'; readonly summary: Summary; readonly isFirst: boolean }
  /** An index that we never published serves on until the rows cover all packages that are there; so many are missing. */
  | { readonly outcome: 'waiting'; readonly missing: number; readonly summary: Summary }
  /** No rows and no index: nothing to publish. */
  | { readonly outcome: 'absent' };

/** Others published all the time. The hint goes back to the queue. */
class Contended extends Error {
  override readonly name = 'Contended';
}

/** An index object carries the hash of the summary in it, the time set for its publication, and the time of what it replaced. */
const hashMetadata = 'summary-sha256';
const publishedMetadata = 'published';
const replacedMetadata = 'replaced';

type Heads = ReadonlyMap<string, ObjectFacts>;

/**
 * Rows of a repository changed: replace its index by the summary of the rows.
 *
 *   take a run number ─ look at the index ─ read the rows ─ put, If-Match what was seen ─ look again
 *
 * The last put of all was made by a pass that saw no run begin after its own number was taken, and so after its rows were read:
 * a row that changed later has a run of its own, which sees this index. If-Match keeps the index from going backwards meanwhile.
 *
 * @throws {Contended} and whatever the ports throw: to be tried again.
 */
export async function summarize(
  ports: SummarizePorts,
  repository: Repository,
  { formats = ['gz', 'zst'] }: SummarizeOptions = {},
): Promise<Publication> {
  let last: (Publication & { readonly outcome: 'published' }) | undefined;
  let isFirst = false;
  for (let pass = 0; pass < summaryLimits.passesMax; pass += 1) {
    const run = await ports.records.takeRun(repository);
    // Before the rows are read: rows that were read before another pass found the repository whole may not cover it.
    const isWhole = await ports.records.isWhole(repository);
    const heads = await lookAtIndexes(ports.objects, repository);
    const summary = await buildSummary(ports.records.rows(repository), new Date(lastPublication(heads)));
    if (summary.etags.size === 0 && heads.size === 0) return { outcome: 'absent' };
    if (!isWhole) {
      const missing = await countMissing(ports.objects, repository, heads, summary);
      if (missing > 0) return { outcome: 'waiting', missing, summary };
      await ports.records.markWhole(repository);
      isFirst = true;
    }

    const published = await publish(ports, repository, formats, heads, summary);
    if (published === 'lost-race') continue;
    if (published === undefined) return last ?? { outcome: 'unchanged', summary, isFirst };
    last = { outcome: 'published', ...published, summary, isFirst };

    const isLatestRun = (await ports.records.lastRun(repository)) === run;
    const now = await lookAtIndexes(ports.objects, repository);
    if (isLatestRun && holds(now, formats, summary)) return last;
  }
  throw new Contended(
    `the index of ${repository} was published by others ${summaryLimits.passesMax} times in a row: it is tried again later`,
  );
}

async function lookAtIndexes(objects: ObjectStore, repository: Repository): Promise<Heads> {
  const heads = new Map<string, ObjectFacts>();
  for (const file of indexFiles) {
    const head = await objects.head(joinKey(repository, file));
    if (head !== undefined) heads.set(file, head);
  }
  return heads;
}

/** Whether exactly the wanted formats are there, each holding the summary. */
function holds(heads: Heads, formats: readonly IndexFormatName[], summary: Summary): boolean {
  return indexFiles.every((file) => {
    const isWanted = indexFormats.some((format) => format.file === file && formats.includes(format.name));
    const head = heads.get(file);
    return isWanted ? isOf(head, summary) : head === undefined;
  });
}

/**
 * Whether clients find the summary in it: a store that dates objects itself may have given two publications one second, if our
 * clock jumped meanwhile, and then those who have the first do not look at the second.
 */
function isOf(head: ObjectFacts | undefined, summary: Summary): boolean {
  if (head === undefined || head.metadata[hashMetadata] !== summary.sha256) return false;
  const replaced = Date.parse(head.metadata[replacedMetadata] ?? '');
  return Number.isNaN(replaced) || head.lastModified.getTime() > replaced;
}

/** How many packages would vanish from clients' sight if the rows replaced the index now; none where there is no index to lose. */
async function countMissing(
  objects: ObjectStore,
  repository: Repository,
  heads: Heads,
  summary: Summary,
): Promise<number> {
  if (heads.size === 0) return 0;
  let missing = 0;
  for (const [file, etag] of await listPackages(objects, repository)) {
    if (summary.etags.get(file) !== etag) missing += 1;
  }
  return missing;
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
  repository: Repository,
  formats: readonly IndexFormatName[],
  heads: Heads,
  summary: Summary,
): Promise<{ readonly publishedAt: Date; readonly bytes: number } | 'lost-race' | undefined> {
  if (holds(heads, formats, summary)) return undefined;
  const publishedAt = await nextSecond(clock, heads);
  let bytes = 0;
  for (const format of indexFormats.filter(({ name }) => formats.includes(name))) {
    const seen = heads.get(format.file);
    if (isOf(seen, summary)) continue;
    const body = await format.compress(summary.text, publishedAt);
    const put = await objects.put(joinKey(repository, format.file), body, {
      condition: seen === undefined ? { ifNoneMatch: '*' } : { ifMatch: seen.etag },
      metadata: {
        [hashMetadata]: summary.sha256,
        [publishedMetadata]: publishedAt.toISOString(),
        ...(seen === undefined ? {} : { [replacedMetadata]: seen.lastModified.toISOString() }),
      },
      contentType: format.contentType,
      lastModified: publishedAt,
    });
    if (put.outcome === 'lost-race') return 'lost-race';
    bytes += body.length;
  }
  const wanted = indexFormats.filter(({ name }) => formats.includes(name)).map(({ file }) => file);
  for (const file of heads.keys()) {
    if (!wanted.includes(file)) await objects.delete(joinKey(repository, file));
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
