/**
 * Turns many changes of a repository into few runs of some work: that of a batching window, on one machine.
 *
 *     touch ─▶ waiting ── quiet for debounceQuietMilliseconds, or debounceMilliseconds after the first touch ─▶ running
 *                 ▲                                                                                              │
 *                 └────────────────── touched meanwhile, or failed (then after a back-off) ──────────────────────┘
 */

import type { Changes, Clock, Repository } from '../../ports.ts';
import { localLimits } from './limits.ts';

export interface DebouncerLimits {
  readonly debounceQuietMilliseconds: number;
  readonly debounceMilliseconds: number;
  readonly changedFilesMax: number;
  readonly retryMillisecondsMin: number;
  readonly retryMillisecondsMax: number;
}

export interface DebouncerOptions {
  /** What touches ask for. It is run again, until it succeeds, when it rejects; for the same changes, and those that came since. */
  readonly work: (repository: Repository, changes: Changes) => Promise<void>;
  readonly clock: Clock;
  readonly limits?: DebouncerLimits;
  /** Told of every run that failed; `failures` counts those in a row, from 1. */
  readonly onError?: (repository: Repository, error: unknown, failures: number) => void;
}

/** Touches that wait for one run, or a failed run that waits for its back-off. */
interface Waiting {
  isDue: boolean;
  /** Ends every sleep that could make it due. */
  readonly end: AbortController;
  /** Ends the sleep that a new touch begins anew. */
  quiet: AbortController | undefined;
}

/** A repository that waits, or is run, or both; it is forgotten once it is neither. */
interface Busy {
  readonly repository: Repository;
  waiting: Waiting | undefined;
  /** Those that no run has been told of that succeeded, or still goes on. */
  changes: Set<string> | 'all';
  /** The runs that go on, one after the other, until none is due. */
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
  #whenIdle: (() => void)[] = [];
  #isClosed = false;

  constructor({ work, clock, limits = localLimits, onError }: DebouncerOptions) {
    this.#work = work;
    this.#clock = clock;
    this.#limits = limits;
    this.#onError = onError ?? (() => {});
  }

  /**
   * The repository changed, in this file or in anything: a run that begins after this call will follow. Once it is closed, only a run
   * that goes on may ask for another one.
   */
  touch(repository: Repository, file?: string): void {
    const known = this.#busy.get(repository);
    if (this.#isClosed && known?.runs === undefined)
      throw new Error('expected no change after the debouncer was closed; close what changes rows first');
    const busy = known ?? { repository, waiting: undefined, changes: new Set(), runs: undefined, failures: 0 };
    this.#busy.set(repository, busy);
    this.#add(busy, file === undefined ? 'all' : new Set([file]));
    if (busy.waiting === undefined) {
      const waiting = this.#wait(busy, this.#limits.debounceMilliseconds);
      waiting.quiet = this.#awaitQuiet(busy, waiting);
    } else if (busy.waiting.quiet !== undefined && !busy.waiting.isDue) {
      busy.waiting.quiet.abort();
      busy.waiting.quiet = this.#awaitQuiet(busy, busy.waiting);
    }
    // Otherwise its run is due, or waits for its back-off, and begins after this touch anyway.
  }

  /** How many repositories wait or are run. */
  get pending(): number {
    return this.#busy.size;
  }

  /** Resolves once nothing waits and nothing is run. While the work fails, that is not so. */
  async idle(): Promise<void> {
    if (this.#busy.size === 0) return;
    await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
  }

  /**
   * Runs everything that waits, now. Resolves once these runs, and those that go on, have ended. One that failed was told
   * to `onError`, and waits for its back-off.
   */
  async flush(): Promise<void> {
    for (const busy of [...this.#busy.values()]) if (busy.waiting !== undefined) this.#due(busy, busy.waiting);
    await Promise.all([...this.#busy.values()].map(({ runs }) => runs));
  }

  /** Takes no more touches, runs everything that waits once, and resolves. A run that fails now is not tried again. */
  async close(): Promise<void> {
    this.#isClosed = true;
    while (this.#busy.size > 0) await this.flush();
  }

  #wait(busy: Busy, milliseconds: number): Waiting {
    const waiting: Waiting = { isDue: false, end: new AbortController(), quiet: undefined };
    busy.waiting = waiting;
    void this.#clock.sleep(milliseconds, waiting.end.signal).then(() => this.#due(busy, waiting));
    return waiting;
  }

  #awaitQuiet(busy: Busy, waiting: Waiting): AbortController {
    const quiet = new AbortController();
    void this.#clock.sleep(this.#limits.debounceQuietMilliseconds, quiet.signal).then(() => {
      if (!quiet.signal.aborted) this.#due(busy, waiting);
    });
    return quiet;
  }

  #due(busy: Busy, waiting: Waiting): void {
    if (waiting.isDue) return;
    waiting.isDue = true;
    waiting.end.abort();
    waiting.quiet?.abort();
    busy.runs ??= this.#runAll(busy);
  }

  /** Runs until nothing is due: what becomes due during a run is run after it, never beside it. */
  async #runAll(busy: Busy): Promise<void> {
    while (busy.waiting?.isDue) {
      busy.waiting = undefined;
      await this.#run(busy);
    }
    busy.runs = undefined;
    if (busy.waiting === undefined) this.#busy.delete(busy.repository);
    if (this.#busy.size === 0) for (const resolve of this.#whenIdle.splice(0)) resolve();
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
