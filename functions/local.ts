/**
 * The composition on one machine, as lambda.ts is the one on AWS: the three steps over a directory, a table in SQLite and a queue in
 * memory. `index` runs it to its end; `serve` adds a watch and a web server (local-service.ts).
 *
 *     receive, remove ──────▶┐        ┌ not settled: later
 *     fileChanged, reindex ─▶┴ hints ─┴▶ extract ─▶ table ─▶ publications ─▶ summarize
 */

import { Debouncer, debouncerLimits } from './adapters/local/debouncer.ts';
import type { ReceiveOptions, ReceiveOutcome } from './adapters/local/directory-objects.ts';
import { type DeadLetter, MemoryHints } from './adapters/local/memory-hints.ts';
import type { Loss } from './adapters/local/opened-directory.ts';
import type { OpenedObject } from './adapters/local/opened-object.ts';
import { Settling, type SettlingFile } from './adapters/local/settling.ts';
import { type OpenedPlace, openPlace, type PlaceOptions } from './adapters/opened-place.ts';
import { packagesPage } from './adapters/pages.ts';
import type { StoreAbilities } from './adapters/store/abilities.ts';
import { SystemClock } from './adapters/system-clock.ts';
import { type Extraction, extract } from './extract.ts';
import { confirm } from './index/confirmation.ts';
import { type IndexFormatName, indexFormats } from './index/index-formats.ts';
import { judgePackage } from './judge-package.ts';
import { joinKey, splitKey } from './keys.ts';
import { obstructedFiles } from './obstruction.ts';
import type { PackageSource } from './package/package-source.ts';
import { PageTemplate, pageFile } from './page/page.ts';
import type {
  Changes,
  Clock,
  Hint,
  HintQueue,
  ListedObject,
  ObjectKey,
  ObjectStore,
  RecordTable,
  RejectedRow,
  Repository,
} from './ports.ts';
import type { Rules } from './record/rules.ts';
import { type ReindexOptions, type ReindexResult, reindex } from './reindex.ts';
import { type Publication, summarize } from './summarize.ts';
import { printable } from './wording.ts';

export const localLimits = {
  /** How long `close` goes on with what is queued: who stops a service waits for it. The next start finds the rest. */
  closeMillisecondsMax: 1_000,
} as const;

/** Where packages, indexes and rows are: a directory, or anything else that holds objects and takes uploads. */
export interface LocalStores {
  readonly objects: UploadStore;
  readonly records: LocalTable;
  /** For messages: the path of the directory, or `s3://bucket/prefix`. */
  readonly name: string;
  readonly stateDirectory: string;
  /** What a store can do. */
  readonly abilities?: StoreAbilities | undefined;
  /** What listings of a directory left out. */
  readonly leftOutLinks?: { take(): string | undefined };
  /** What was lost, if anything: the indexer cannot continue then. */
  loss(): Promise<Loss | undefined>;
  /** For a start that failed before it did any work: `release` then removes what this opening made. */
  discard(): void;
  /** Closes it, and lets other indexers have it. */
  release(): void | Promise<void>;
}

/** The table on one machine: what it knows can also be counted. */
interface LocalTable extends RecordTable {
  /** Reads no record. */
  countRows(repository: Repository): { readonly indexed: number; readonly rejected: number };
  /** Files with every word in their names, the best first. */
  findFiles(
    words: readonly string[],
    filesMax: number,
  ): readonly { readonly repository: Repository; readonly file: string }[];
}

interface UploadStore extends ObjectStore {
  /** Stores a body of any size: all of it, or nothing. */
  receive(key: ObjectKey, body: AsyncIterable<Uint8Array>, options: ReceiveOptions): Promise<ReceiveOutcome>;
  /** As `list`, of keys without a further `/` behind the prefix. */
  listDirectory(prefix: string): AsyncIterable<ListedObject>;
  /** The same object for several reads; where that costs less than `head` and `readRange` do. */
  openedObject?(key: ObjectKey): OpenedObject;
  /** The object as it is now, where other programs may still be writing it. Without this function, every object is complete. */
  readonly settlingFile?: ((key: ObjectKey) => Promise<SettlingFile | undefined>) | undefined;
}

export interface LocalIndexerOptions {
  readonly formats: readonly IndexFormatName[];
  /** The package browser, index.html, to put into every repository. */
  readonly page: PageTemplate | undefined;
  /** Which packages are accepted. */
  readonly rules: Rules;
  /** Seconds without a change before a repository is published; without it, `close` publishes, from all rows. */
  readonly debounce?: number;
  /** Seconds without a change before a file is read; without it, every file is read at once. */
  readonly settle?: number;
  /** Percent of its records that a publication may drop, whatever the reason. */
  readonly maxShrink?: number | undefined;
  /** Confirm every publication that is held back. */
  readonly confirmsHeldBack?: boolean;
  /** Whether a publication says what it changed. */
  readonly describe?: boolean;
  readonly clock?: Clock;
  readonly events: LocalIndexerEvents;
}

export interface LocalIndexerEvents {
  /** The files, the rows or the index of this repository changed. */
  readonly onChanged?: (repository: Repository) => void;
  readonly onUploaded?: (key: ObjectKey) => void;
  readonly onRemoved?: (key: ObjectKey) => void;
  readonly onExtracted?: (key: ObjectKey, extraction: Extraction) => void;
  /** Will be retried; `tries` counts from 1. */
  readonly onExtractFailed?: (key: ObjectKey, error: unknown, tries: number) => void;
  readonly onDeadLetter?: (letter: DeadLetter) => void;
  /** Summarize ended, whether or not it had anything to publish. */
  readonly onSummarized: (repository: Repository, publication: Publication, startedAt: Date) => void;
  /** Will be retried, unless the indexer is closing; `failures` counts those in a row, from 1. */
  readonly onSummarizeFailed: (repository: Repository, error: unknown, failures: number) => void;
  /** A sentence for the operator. */
  readonly onNotice: (sentence: string) => void;
  /** A sentence on an index or a page that cannot be published; without this, it is a notice. */
  readonly onObstructed?: (sentence: string) => void;
}

export class LocalIndexer<Stores extends LocalStores = LocalStores> implements HintQueue {
  readonly stores: Stores;
  /** The queue, for what is ready to be read now. */
  readonly hints: MemoryHints;
  /** Repositories whose index is to be published. */
  readonly publications: Debouncer;
  readonly #options: LocalIndexerOptions;
  readonly #events: LocalIndexerEvents;
  readonly #clock: Clock;
  readonly #settling: Settling | undefined;
  #isClosing = false;
  #isAbandoned = false;

  /** @throws {CannotRun} where the place is missing, not writable, or in use by another indexer. */
  static async open(
    place: Omit<PlaceOptions, 'onChange' | 'onNotice'>,
    options: Omit<LocalIndexerOptions, 'page'> & { readonly page: boolean },
  ): Promise<LocalIndexer<OpenedPlace>> {
    const page = options.page ? new PageTemplate(await packagesPage()) : undefined;
    const onNotice = once(options.events.onNotice);
    // The table reports a change only after a hint, and no hint comes before there is an indexer.
    let indexer: LocalIndexer<OpenedPlace> | undefined;
    const stores = await openPlace({
      ...place,
      onNotice,
      onChange: (repository, file) => indexer?.rowChanged(repository, file),
    });
    indexer = new LocalIndexer(stores, { ...options, page, events: { ...options.events, onNotice } });
    return indexer;
  }

  constructor(stores: Stores, options: LocalIndexerOptions) {
    const { clock = new SystemClock(), debounce = Number.POSITIVE_INFINITY, settle, events } = options;
    this.stores = stores;
    this.#options = options;
    this.#events = events;
    this.#clock = clock;
    if (settle !== undefined) this.#settling = new Settling({ clock, settleMilliseconds: 1_000 * settle });
    this.hints = new MemoryHints({
      clock,
      work: (hint) => this.#extract(hint),
      onError: ({ key }, error, tries) => events.onExtractFailed?.(key, error, tries),
      ...(events.onDeadLetter ? { onDeadLetter: events.onDeadLetter } : {}),
    });
    this.publications = new Debouncer({
      clock,
      limits: { ...debouncerLimits, quietMilliseconds: 1_000 * debounce, waitMillisecondsMax: 10_000 * debounce },
      work: (repository, changes) => this.#publish(repository, changes),
      onError: (repository, error, failures) => events.onSummarizeFailed(repository, error, failures),
    });
  }

  /** An upload. It is not visible before its last byte is on the disk. */
  async receive(key: ObjectKey, body: AsyncIterable<Uint8Array>, options: ReceiveOptions): Promise<ReceiveOutcome> {
    const received = await this.stores.objects.receive(key, body, options);
    if (received.outcome !== 'exists') {
      this.#settling?.isComplete(key, received.etag);
      this.#events.onUploaded?.(key);
      await this.send([{ key }]);
    }
    return received;
  }

  /** Whether it would be rejected, before it is uploaded. */
  async findRejection(source: PackageSource, file: string): Promise<RejectedRow['reason'] | undefined> {
    const judgement = await judgePackage(source, file, this.#options.rules, this.#clock.now());
    return judgement.state === 'rejected' ? judgement.reason : undefined;
  }

  /** @returns whether there was such a package. */
  async remove(key: ObjectKey): Promise<boolean> {
    const { objects } = this.stores;
    const isThere = (await objects.head(key)) !== undefined;
    await objects.delete(key);
    if (isThere) {
      this.#events.onRemoved?.(key);
      await this.send([{ key }]);
    }
    return isThere;
  }

  /** Queues keys that may differ from their rows. */
  async send(hints: readonly Hint[]): Promise<void> {
    await this.hints.send(hints);
    for (const { key } of hints) this.#events.onChanged?.(splitKey(key).repository);
  }

  /** Another program changed the file of this key, and may be changing it still. */
  async fileChanged(key: ObjectKey): Promise<void> {
    this.#settling?.heard(key);
    // While it waits, each of its many events would only have it checked too early.
    if (!this.hints.isWaiting(key)) await this.send([{ key }]);
  }

  /** Publishes the index again if it is not ours: another program replaced or removed it. */
  async checkIndex(key: ObjectKey): Promise<void> {
    const head = await this.stores.objects.head(key);
    if (head === undefined || Object.keys(head.metadata).length === 0) this.rowChanged(splitKey(key).repository);
  }

  /** Compares objects and rows, and queues the keys that differ. */
  async reindex(options: Omit<ReindexOptions, 'rules'> = {}, hints: HintQueue = this): Promise<ReindexResult> {
    const { objects, records, leftOutLinks } = this.stores;
    leftOutLinks?.take();
    const result = await reindex({ objects, records, hints }, { ...options, rules: this.#options.rules });
    const links = leftOutLinks?.take();
    if (links !== undefined) this.#events.onNotice(links);
    return result;
  }

  /**
   * Compares packages with their rows, and checks that their indexes are ours.
   * @param prefix `''` or ending in `/`.
   * @param what `tree`: of every repository below it, too.
   */
  async compare(prefix: string, what: 'directory' | 'tree'): Promise<void> {
    const { objects, records } = this.stores;
    const indexes: ObjectKey[] = [];
    const options = { prefix, onlyPackages: true, onIndex: (key: ObjectKey) => indexes.push(key) };
    if (what === 'tree') await this.reindex(options);
    else {
      const files = { head: (key: ObjectKey) => objects.head(key), list: () => objects.listDirectory(prefix) };
      const { rules } = this.#options;
      await reindex({ objects: files, records, hints: this }, { ...options, rules, onlyRepository: true });
    }
    for (const key of indexes) await this.checkIndex(key);
  }

  /** Publishes what is held back. @returns whether anything was. */
  async confirm(repository: Repository): Promise<boolean> {
    const { objects, records } = this.stores;
    const { heldBack } = await records.state(repository);
    if (heldBack === undefined) return false;
    await confirm({ objects, clock: this.#clock }, repository, heldBack);
    this.rowChanged(repository);
    return true;
  }

  /** A row changed; without a file, any row may have. */
  rowChanged(repository: Repository, file?: string): void {
    this.publications.touch(repository, this.#options.debounce === undefined ? undefined : file);
    this.#events.onChanged?.(repository);
  }

  /** Drops what is queued: it concerns a directory or a table that is lost. */
  abandon(): void {
    this.#isAbandoned = true;
  }

  /** Works off the queue, as far as it gets in a moment, publishes every repository that changed, and releases the stores. */
  async close(): Promise<void> {
    this.#isClosing = true;
    const done = new AbortController();
    void this.#clock.sleep(localLimits.closeMillisecondsMax, done.signal).then(() => {
      if (!done.signal.aborted) this.hints.drop();
    });
    await this.hints.close();
    done.abort();
    await this.publications.close();
    await this.stores.release();
  }

  async #extract(hint: Hint): Promise<void> {
    const { key, force = false } = hint;
    if (this.#isAbandoned) return;
    const wait = await this.#millisecondsToSettle(key);
    if (wait > 0) {
      // Its row stays as it is, and the next start finds the difference.
      if (!this.#isClosing) await this.hints.sendAfter([hint], wait);
      return;
    }
    const { objects, records } = this.stores;
    const { rules } = this.#options;
    const opened = objects.openedObject?.(key);
    const ports = { objects: opened ?? objects, records, clock: this.#clock };
    const extraction = await extract(ports, key, { force, rules }).finally(() => opened?.close());
    this.#events.onExtracted?.(key, extraction);
  }

  async #publish(repository: Repository, changes: Changes): Promise<void> {
    if (this.#isAbandoned) return;
    const startedAt = this.#clock.now();
    let publication = await this.#summarize(repository, changes);
    if (publication.outcome === 'held-back' && this.#options.confirmsHeldBack) {
      await confirm({ objects: this.stores.objects, clock: this.#clock }, repository, publication.heldBack);
      publication = await this.#summarize(repository, 'all');
    }
    this.#events.onChanged?.(repository);
    this.#events.onSummarized(repository, publication, startedAt);
    if ('page' in publication && publication.page === 'foreign')
      this.#events.onNotice(
        `kept ${printable(joinKey(repository, pageFile))}, which is not ours; remove it to get the package browser`,
      );
  }

  async #summarize(repository: Repository, changes: Changes): Promise<Publication> {
    const { objects, records } = this.stores;
    return await summarize({ objects, records, clock: this.#clock }, repository, {
      ...(await this.#publishable(repository)),
      changes,
      maxShrink: this.#options.maxShrink,
      describe: this.#options.describe ?? false,
    });
  }

  /** 0 where the file can be read now. */
  async #millisecondsToSettle(key: ObjectKey): Promise<number> {
    if (this.#settling === undefined) return 0;
    return await this.#settling.millisecondsLeft(key, async () => {
      const { objects, records } = this.stores;
      const file = await objects.settlingFile?.(key);
      const row = file && (await records.row(splitKey(key).repository, splitKey(key).file));
      return file?.etag === row?.etag ? undefined : file;
    });
  }

  /** All that was asked for, except where a directory is in its place. */
  async #publishable(repository: Repository): Promise<Pick<LocalIndexerOptions, 'formats' | 'page'>> {
    const { formats, page } = this.#options;
    const obstructed = await obstructedFiles(this.stores.objects, repository);
    for (const file of obstructed) {
      const name = printable(joinKey(repository, file));
      const report = this.#events.onObstructed ?? this.#events.onNotice;
      report(`cannot publish ${name}: a directory has that name; rename or remove it`);
    }
    const free = indexFormats.filter(({ name, file }) => formats.includes(name) && !obstructed.includes(file));
    return { formats: free.map(({ name }) => name), page: obstructed.includes(pageFile) ? undefined : page };
  }
}

/** A directory is listed again and again; each notice is given once. */
function once(give: (sentence: string) => void): (sentence: string) => void {
  const given = new Set<string>();
  return (sentence) => {
    if (!given.has(sentence)) give(sentence);
    given.add(sentence);
  };
}
