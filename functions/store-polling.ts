/** Finds the changes of a store, which may not tell of any: compares it with its rows, often while something changes, seldom else. */

import type { DirectoryWatch } from './adapters/local/watch-directory.ts';
import { splitKey } from './keys.ts';
import type { LocalIndexer } from './local.ts';
import type { Clock, ETag, ObjectKey } from './ports.ts';
import type { ReindexResult } from './reindex.ts';

export const pollLimits = {
  /** How often a store is compared after something changed: 27,000 packages are 27 requests. */
  busyMilliseconds: 10_000,
  /** How often else. */
  quietMilliseconds: 60_000,
  /** Comparisons in a row that are left out while changes are worked on. */
  skippedMax: 10,
  /** How long after the last change the store is quiet. */
  calmMilliseconds: 120_000,
} as const;

export interface StorePollingOptions {
  readonly indexer: Pick<LocalIndexer, 'reindex' | 'rowChanged'>;
  /** Whether this version of an index was put by this process. */
  readonly isOwnIndex: (key: ObjectKey, etag: ETag) => boolean;
  /** Whether changes are still worked on: comparing would only queue them again. */
  readonly isBusy?: () => boolean;
  readonly clock: Clock;
  /** Always this often. */
  readonly pollMilliseconds?: number | undefined;
  /** Called with what made a comparison fail; undefined: it works again. */
  readonly onFailed: (error: unknown) => void;
}

export class StorePolling implements DirectoryWatch {
  readonly #options: StorePollingOptions;
  readonly #stopping = new AbortController();
  /** The versions of indexes that were listed last. */
  #indexes: ReadonlyMap<ObjectKey, ETag> = new Map();
  #changedAt = Number.NEGATIVE_INFINITY;
  #running: Promise<void> = Promise.resolve();

  constructor(options: StorePollingOptions) {
    this.#options = options;
  }

  get intervalMilliseconds(): number {
    const { clock, pollMilliseconds } = this.#options;
    if (pollMilliseconds !== undefined) return pollMilliseconds;
    const isCalm = clock.now().getTime() - this.#changedAt >= pollLimits.calmMilliseconds;
    return isCalm ? pollLimits.quietMilliseconds : pollLimits.busyMilliseconds;
  }

  get polled(): DirectoryWatch['polled'] {
    const reason = `a store reports no changes: it is compared every ${this.intervalMilliseconds / 1_000} s`;
    return [{ kind: 'store', directories: 1, reason, setting: '--poll SECONDS' }];
  }

  /** Something changed, as an upload or an event says. */
  changed(): void {
    this.#changedAt = this.#options.clock.now().getTime();
  }

  /** Compares everything, and from then on again and again, until `close`. */
  async start(): Promise<ReindexResult> {
    const indexes = new Map<ObjectKey, ETag>();
    const found = await this.#options.indexer.reindex({ onIndex: (key, etag) => indexes.set(key, etag) });
    this.#indexes = indexes;
    this.#running = this.#run();
    return found;
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  /** Queues the packages that differ from their rows, and publishes indexes again that another program changed. */
  async #compare(): Promise<void> {
    const { indexer, isOwnIndex } = this.#options;
    const indexes = new Map<ObjectKey, ETag>();
    const { hints } = await indexer.reindex({ onlyPackages: true, onIndex: (key, etag) => indexes.set(key, etag) });
    const before = this.#indexes;
    this.#indexes = indexes;
    let isChanged = hints > 0;
    for (const key of new Set([...before.keys(), ...indexes.keys()])) {
      const etag = indexes.get(key);
      const isKnown = before.get(key) === etag || (etag !== undefined && isOwnIndex(key, etag));
      if (isKnown) continue;
      isChanged = true;
      indexer.rowChanged(splitKey(key).repository);
    }
    if (isChanged) this.changed();
  }

  async #run(): Promise<void> {
    const { clock, onFailed, isBusy = () => false } = this.#options;
    const { signal } = this.#stopping;
    let skipped = 0;
    while (!signal.aborted) {
      await clock.sleep(this.intervalMilliseconds, signal);
      if (signal.aborted) return;
      skipped = isBusy() && skipped < pollLimits.skippedMax ? skipped + 1 : 0;
      if (skipped > 0) continue;
      try {
        await this.#compare();
        onFailed(undefined);
      } catch (error) {
        onFailed(error);
      }
    }
  }
}
