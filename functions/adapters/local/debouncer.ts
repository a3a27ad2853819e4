/**
 * Runs work for a repository once its changes have paused: on one machine, what a batching window is on AWS.
 *
 *     touch ─▶ waiting ── quiet for quietMilliseconds, or waitMillisecondsMax after the first touch ─▶ running
 *                 ▲                                                                                       │
 *                 └─────────── touched during the run, or failed (then after a back-off) ─────────────────┘
 */

import type { Changes, Clock, Repository } from '../../ports.ts';

export const debouncerLimits = {
  /** A repository is published once its rows have not changed for this long … */
  quietMilliseconds: 1_000,
  /** … but at the latest this long after its first change. */
  waitMillisecondsMax: 10_000,
  /** Files that a run gets by name. Beyond that it gets `all`, and reads every row. */
  changedFilesMax: 5_000,
  /** The wait after a failure doubles from this … */
  retryMillisecondsMin: 200,
  /** … up to this: a full disk may have room again soon. */
  retryMillisecondsMax: 10_000,
} as const;

export type DebouncerLimits = { readonly [Name in keyof typeof debouncerLimits]: number };

export interface DebouncerOptions {
  /** Runs for the changes since the last run that succeeded. If it rejects, it is retried until it succeeds. */
  readonly work: (repository: Repository, changes: Changes) => Promise<void>;
  readonly clock: Clock;
  readonly limits?: DebouncerLimits;
  /** Called after every run that failed; `failures` counts those in a row, from 1. */
  readonly onError?: (repository: Repository, error: unknown, failures: number) => void;
}

/** Touches that wait for a run, or a failed run that waits to be retried. */
interface Waiting {
  isDue: boolean;
  /** Ends every sleep that could make it due. */
  readonly end: AbortController;
  /** The last time, in milliseconds since 1970. */
  touchedAt: number;
}

/** A repository that is waiting, running, or both. It is removed once it is neither. */
interface Busy {
  readonly repository: Repository;
  waiting: Waiting | undefined;
  /** That no run has received, or only one that failed. */
  changes: Set<string> | 'all';
  /** Settles once no run is due. */
  runs: Promise<void> | undefined;
  /** In a row. */
  failures: number;
}

export class Debouncer {
  readonly #work: (repository: Repository, changes: Changes) => Promise<void>;
  readonly #clock: Clock;
  readonly #limits: DebouncerLimits;
  readonly #onError: (repository: Repository, error: unknown, failures: number) => void;
  readonly #busy = new Map<Repository, Busy>();
  #isClosed = false;

  constructor({ work, clock, limits = debouncerLimits, onError }: DebouncerOptions) {
    this.#work = work;
    this.#clock = clock;
    this.#limits = limits;
    this.#onError = onError ?? (() => {});
  }

  /**
   * This file of the repository changed, or any file. A run that begins after this call follows.
   * @throws after `close`, unless the repository's run is still going on.
   */
  touch(repository: Repository, file?: string): void {
    const known = this.#busy.get(repository);
    if (this.#isClosed && known?.runs === undefined)
      throw new Error('expected no change after the debouncer was closed; close what changes rows first');
    const busy = known ?? { repository, waiting: undefined, changes: new Set(), runs: undefined, failures: 0 };
    this.#busy.set(repository, busy);
    this.#add(busy, file === undefined ? 'all' : new Set([file]));
    if (busy.waiting === undefined) void this.#awaitQuiet(busy, this.#wait(busy, this.#limits.waitMillisecondsMax));
    else busy.waiting.touchedAt = this.#clock.now().getTime();
    // If a run is due or waits to be retried, it begins after this touch.
  }

  /** How many repositories are waiting or running. */
  get pending(): number {
    return this.#busy.size;
  }

  /**
   * Refuses further touches, and runs everything that is waiting, one repository after the other in the order of their names. A run that
   * fails now is not retried.
   */
  async close(): Promise<void> {
    this.#isClosed = true;
    while (this.#busy.size > 0) {
      for (const [, busy] of [...this.#busy].sort(([a], [b]) => (a < b ? -1 : 1))) {
        if (busy.waiting !== undefined) this.#due(busy, busy.waiting);
        await busy.runs;
      }
    }
  }

  #wait(busy: Busy, milliseconds: number): Waiting {
    const touchedAt = this.#clock.now().getTime();
    const waiting: Waiting = { isDue: false, end: new AbortController(), touchedAt };
    busy.waiting = waiting;
    void this.#clock.sleep(milliseconds, waiting.end.signal).then(() => this.#due(busy, waiting));
    return waiting;
  }

  /** Sleeps on where it was touched meanwhile: a sleep that each touch ends and starts again costs 20 µs a touch. */
  async #awaitQuiet(busy: Busy, waiting: Waiting): Promise<void> {
    const { quietMilliseconds } = this.#limits;
    let left: number = quietMilliseconds;
    do {
      await this.#clock.sleep(left, waiting.end.signal);
      // At most the whole time: the clock may have been set back.
      left = Math.min(waiting.touchedAt + quietMilliseconds - this.#clock.now().getTime(), quietMilliseconds);
    } while (left > 0 && !waiting.isDue);
    this.#due(busy, waiting);
  }

  #due(busy: Busy, waiting: Waiting): void {
    if (waiting.isDue) return;
    waiting.isDue = true;
    waiting.end.abort();
    busy.runs ??= this.#runAll(busy);
  }

  /** What becomes due during a run is run after it, never beside it. */
  async #runAll(busy: Busy): Promise<void> {
    while (busy.waiting?.isDue) {
      busy.waiting = undefined;
      await this.#run(busy);
    }
    busy.runs = undefined;
    if (busy.waiting === undefined) this.#busy.delete(busy.repository);
  }

  #add(busy: Busy, changes: Changes): void {
    if (changes === 'all') busy.changes = 'all';
    else if (busy.changes !== 'all') for (const file of changes) busy.changes.add(file);
    if (busy.changes !== 'all' && busy.changes.size > this.#limits.changedFilesMax) busy.changes = 'all';
  }

  async #run(busy: Busy): Promise<void> {
    const { changes } = busy;
    busy.changes = new Set();
    try {
      await this.#work(busy.repository, changes);
      busy.failures = 0;
    } catch (error) {
      this.#add(busy, changes);
      busy.failures += 1;
      this.#onError(busy.repository, error, busy.failures);
      if (busy.waiting !== undefined || this.#isClosed) return;
      const doubled = this.#limits.retryMillisecondsMin * 2 ** (busy.failures - 1);
      this.#wait(busy, Math.min(doubled, this.#limits.retryMillisecondsMax));
    }
  }
}
