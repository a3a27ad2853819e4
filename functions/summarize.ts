import pMap from 'p-map';
import { architecturesMetadata, decodeCounts } from './index/architecture-counts.ts';
import { blockBytes as defaultBlockBytes } from './index/blocks.ts';
import { consumeConfirmation } from './index/confirmation.ts';
import { Coverage, listPackages } from './index/coverage.ts';
import { type Difference, differenceOf } from './index/difference.ts';
import { fileSumMetadata } from './index/file-sum.ts';
import { isSameHoldBack, isTooSmall } from './index/hold-back.ts';
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
  ruledOutText,
  wantedFormats,
} from './index/index-heads.ts';
import { type Review, type ReviewView, review } from './index/review.ts';
import {
  buildSummary,
  type CompressedBlock,
  changeSummary,
  type Summary,
  type SummaryOptions,
  splitIndex,
} from './index/summary.ts';
import { joinKey } from './keys.ts';
import { headPage, type KeptPage, keepPage } from './page/keep-page.ts';
import type { PageTemplate } from './page/page.ts';
import {
  type Changes,
  type Clock,
  type HeldBack,
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
  /** Percent of its records that a publication may drop, whatever the reason. Undefined: see functions/index/hold-back.ts. */
  readonly maxShrink?: number | undefined;
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
      /** From the index that was replaced; undefined if it was not requested, or if that index was not ours. */
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
  /** It would drop many records: the index that is there stays until the operator confirms. */
  | { readonly outcome: 'held-back'; readonly heldBack: HeldBack }
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
    maxShrink,
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
    const state = await ports.records.state(repository);
    const heads = await headIndexes(ports.objects, repository);
    const pageHead = page ? await headPage(ports.objects, repository) : undefined;
    const view: View = { repository, state, heads, formats, blockBytes, maxShrink };
    const reading = await read(ports, view, toRead);
    if (reading.outcome === 'object-changed') continue;
    if (reading.outcome === 'deferred') await ports.records.requestSummary(repository);
    if (reading.outcome === 'absent') await ports.records.forget(repository);
    if (reading.outcome === 'held-back') {
      const isNew = await noteHeldBack(ports.records, view, reading.heldBack);
      if (isNew && (await ports.records.lastRun(repository)) !== run) continue;
      return reading;
    }
    if (reading.outcome !== 'read') return last === undefined ? reading : { ...last, page: kept };

    const { summary } = reading;
    const published = await publish(ports, view, reading);
    if (published === 'lost-race') continue;
    const wasHeldBack = await noteHeldBack(ports.records, view, undefined);
    if (reading.isConfirmed) await consumeConfirmation(ports.objects, repository);
    if (!state.isAdopted) {
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
    const hasWritten = published !== undefined || made === 'put' || !state.isAdopted || wasHeldBack;
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
interface View extends ReviewView {
  readonly formats: readonly IndexFormatName[];
  readonly blockBytes: number;
}

type Reading =
  | SummaryRead
  | { readonly outcome: 'object-changed' }
  | Exclude<Publication, { readonly summary: Summary }>;

interface SummaryRead extends Omit<Review & { readonly outcome: 'publish' }, 'outcome'> {
  readonly outcome: 'read';
  readonly summary: Summary;
  readonly damaged: ReadonlySet<IndexFormatName>;
  /** The blocks of the index that is there; none without an index, undefined for one that is not ours. */
  readonly replaced: readonly CompressedBlock[] | undefined;
}

/** Builds the summary from the changed rows, or from all. */
async function read(ports: SummarizePorts, view: View, changes: Changes): Promise<Reading> {
  const { repository, state, heads, formats, blockBytes, maxShrink } = view;
  const options: SummaryOptions = { formats, blockBytes, since: new Date(lastPublication(heads)) };
  try {
    if (changes === 'all') return await readAll(ports, view, options);
    // The index that is there may not be of these rows, and lacks the changes that are held back.
    if (!state.isAdopted || state.heldBack !== undefined) return { outcome: 'deferred' };
    const { blocks } = await readIndexes(ports.objects, view);
    const { metadata = {} } = heads.get(gzFile) ?? {};
    const fileSum = metadata[fileSumMetadata];
    const architectures = decodeCounts(metadata[architecturesMetadata]);
    const isDescribed = fileSum !== undefined && architectures !== undefined;
    if (!isDescribed || !formats.every((format) => blocks[0]?.pieces.has(format))) return { outcome: 'deferred' };
    const changed = (files: readonly string[]) => readRows(ports.records, repository, files);
    const summary = await changeSummary({ blocks, fileSum, architectures }, changes, changed, options);
    const shrinkage = { reason: 'max-shrink', from: recordsIn(blocks), to: summary?.records ?? 0 } as const;
    // All rows decide what is held back.
    if (summary === undefined || isTooSmall(shrinkage, maxShrink)) return { outcome: 'deferred' };
    return { outcome: 'read', summary, damaged: new Set(), replaced: blocks, ruledOut: undefined, isConfirmed: false };
  } catch (error) {
    if (error instanceof ObjectChanged) return { outcome: 'object-changed' };
    throw error;
  }
}

async function readAll(ports: SummarizePorts, view: View, options: SummaryOptions): Promise<Reading> {
  const { objects, records } = ports;
  const { repository, state, heads } = view;
  const { blocks, indexes } = await readIndexes(objects, view);
  // A directory that was swapped in, or a copy of a bucket, brings an index along, and its packages have no rows yet.
  const isToWait = (!state.isAdopted && heads.size > 0) || isForeign(heads, repository);
  const coverage = new Coverage(isToWait ? await listPackages(objects, repository) : new Map());
  const summary = await buildSummary(coverage.of(records.rows(repository)), blocks, options);
  if (coverage.missing > 0) return { outcome: 'waiting', missing: coverage.missing };
  if (coverage.rows === 0 && heads.size === 0) return { outcome: 'absent' };
  const ours = { index: indexes.get('gz'), records: blocks.length === 0 ? undefined : recordsIn(blocks) };
  const reviewed = await review(ports, view, summary, ours);
  if (reviewed.outcome === 'held-back') return reviewed;
  const replaced = heads.size === 0 || blocks.length > 0 ? blocks : undefined;
  return { ...reviewed, outcome: 'read', summary, damaged: damagedAmong(indexes, view, summary), replaced };
}

function recordsIn(blocks: readonly CompressedBlock[]): number {
  return blocks.reduce((sum, { block }) => sum + block.records, 0);
}

/** For the status. @returns whether it was not known. */
async function noteHeldBack(
  records: RecordTable,
  { repository, state }: View,
  heldBack: HeldBack | undefined,
): Promise<boolean> {
  const known = state.heldBack;
  if (heldBack === known || (known && heldBack && isSameHoldBack(heldBack, known))) return false;
  await records.setHeldBack(repository, heldBack);
  return true;
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

/** @returns undefined where every format already holds the summary. */
async function publish(
  { objects, clock }: SummarizePorts,
  { repository, heads, formats, blockBytes }: View,
  { summary, damaged, ruledOut }: SummaryRead,
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
      metadata: metadataOf(summary, repository, date, head, ruledOutText(heads, ruledOut)),
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
