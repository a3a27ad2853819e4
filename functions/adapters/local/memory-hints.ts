/**
 * The queue of hints within one process.
 *
 *     send ────────────────▶ ready ──▶ working ──▶ done
 *                              ▲          │ fails
 *     sendAfter ──▶ later ─────┘          ├──▶ later (back-off), up to hintTriesMax
 *                     ▲                   └──▶ dead letter
 *                     └───────────────────┘
 *     dead letter ── retryDeadLetters ──▶ ready, for one more try
 *
 * A key waits at most once (ready or later), and is worked on at most once at a time. It may wait while it is worked on:
 * the work may have looked before that hint came, so it is done once more.
 */

import type { Clock, Hint, HintQueue, ObjectKey } from '../../ports.ts';
import { localLimits } from './limits.ts';

export interface MemoryHintsLimits {
  readonly hintsConcurrentMax: number;
  readonly hintTriesMax: number;
  readonly retryMillisecondsMin: number;
}

export interface MemoryHintsOptions {
  /** What a hint asks for. It is tried again when it rejects. */
  readonly work: (hint: Hint) => Promise<void>;
  readonly clock: Clock;
  readonly limits?: MemoryHintsLimits;
  /** Told of every try that failed; `tries` counts from 1. */
  readonly onError?: (hint: Hint, error: unknown, tries: number) => void;
  /** Told of a hint that is given up; of one that was given up before for the same reason, not again. */
  readonly onDeadLetter?: (letter: DeadLetter) => void;
}

/** A hint that was given up. A later hint for its key that succeeds clears it. */
export interface DeadLetter {
  readonly hint: Hint;
  /** The last one. */
  readonly error: unknown;
  /** Of the last error. */
  readonly message: string;
  readonly tries: number;
  readonly at: Date;
}

interface Task {
  readonly key: ObjectKey;
  /** Once set by any of the hints that it stands for, it stays. */
  force: boolean;
  /** That failed so far. */
  readonly tries: number;
}

export class MemoryHints implements HintQueue {
  readonly #work: (hint: Hint) => Promise<void>;
  readonly #clock: Clock;
  readonly #limits: MemoryHintsLimits;
  readonly #onError: (hint: Hint, error: unknown, tries: number) => void;
  readonly #onDeadLetter: (letter: DeadLetter) => void;

  /** In the order in which they came. */
  readonly #ready = new Map<ObjectKey, Task>();
  readonly #later = new Map<ObjectKey, { readonly task: Task; readonly wake: AbortController }>();
  readonly #working = new Set<ObjectKey>();
  readonly #deadLetters = new Map<ObjectKey, DeadLetter>();
  #whenIdle: (() => void)[] = [];
  #isClosed = false;

  constructor({ work, clock, limits = localLimits, onError, onDeadLetter }: MemoryHintsOptions) {
    this.#work = work;
    this.#clock = clock;
    this.#limits = limits;
    this.#onError = onError ?? (() => {});
    this.#onDeadLetter = onDeadLetter ?? (() => {});
  }

  /** To be worked on as soon as there is room. Resolves once they are in the queue. */
  async send(hints: readonly Hint[]): Promise<void> {
    this.#refuseIfClosed();
    for (const hint of hints) this.#ready.set(hint.key, this.#merge(hint));
    this.#start();
  }

  /**
   * To be worked on once no hint for the key has come for so long: a file that is being copied causes many of them.
   * Resolves once they are in the queue.
   */
  async sendAfter(hints: readonly Hint[], milliseconds: number): Promise<void> {
    this.#refuseIfClosed();
    for (const hint of hints) this.#wait(this.#merge(hint), milliseconds);
  }

  /** Hints that were given up, oldest first. */
  get deadLetters(): readonly DeadLetter[] {
    return [...this.#deadLetters.values()];
  }

  /** Gives every hint that was given up one more try: what stood in its way (a full disk, a missing right) may be gone. */
  retryDeadLetters(): void {
    for (const [key, { hint }] of this.#deadLetters) {
      const isComing = this.#ready.has(key) || this.#later.has(key) || this.#working.has(key);
      if (!isComing) this.#ready.set(key, { key, force: hint.force === true, tries: this.#limits.hintTriesMax - 1 });
    }
    this.#start();
  }

  /** How many hints wait or are worked on. */
  get pending(): number {
    return this.#ready.size + this.#later.size + this.#working.size;
  }

  /** Resolves once nothing waits and nothing is worked on. */
  async idle(): Promise<void> {
    if (this.pending === 0) return;
    await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
  }

  /**
   * Takes no more hints, and resolves once those that are here are done. None waits for its time any more, and none is
   * tried again after it fails: it becomes a dead letter.
   */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const { task, wake } of [...this.#later.values()]) {
      wake.abort();
      this.#later.delete(task.key);
      this.#ready.set(task.key, task);
    }
    this.#start();
    await this.idle();
  }

  #refuseIfClosed(): void {
    if (this.#isClosed) throw new Error('expected no hint after the queue was closed; close what sends them first');
  }

  /** Takes what waits for this key out of the queue and returns both as one. News has all its tries before it. */
  #merge({ key, force = false }: Hint): Task {
    const later = this.#later.get(key);
    const waiting = later?.task ?? this.#ready.get(key);
    later?.wake.abort();
    this.#later.delete(key);
    return { key, force: force || waiting?.force === true, tries: 0 };
  }

  #wait(task: Task, milliseconds: number): void {
    const later = { task, wake: new AbortController() };
    this.#ready.delete(task.key);
    this.#later.set(task.key, later);
    void this.#clock.sleep(milliseconds, later.wake.signal).then(() => {
      if (this.#later.get(task.key) !== later) return;
      this.#later.delete(task.key);
      this.#ready.set(task.key, task);
      this.#start();
    });
  }

  /** Begins what is ready, as far as there is room. */
  #start(): void {
    for (const [key, task] of this.#ready) {
      if (this.#working.size >= this.#limits.hintsConcurrentMax) return;
      if (this.#working.has(key)) continue;
      this.#ready.delete(key);
      this.#working.add(key);
      void this.#run(task);
    }
  }

  async #run(task: Task): Promise<void> {
    const hint: Hint = task.force ? { key: task.key, force: true } : { key: task.key };
    try {
      await this.#work(hint);
      this.#deadLetters.delete(task.key);
    } catch (error) {
      this.#failed(task, hint, error);
    } finally {
      this.#working.delete(task.key);
      this.#start();
      if (this.pending === 0) for (const resolve of this.#whenIdle.splice(0)) resolve();
    }
  }

  #failed(task: Task, hint: Hint, error: unknown): void {
    const tries = task.tries + 1;
    this.#onError(hint, error, tries);
    const next = this.#ready.get(task.key) ?? this.#later.get(task.key)?.task;
    if (next !== undefined) {
      // The key came again meanwhile: that is its next try.
      next.force ||= task.force;
      return;
    }
    if (tries < this.#limits.hintTriesMax && !this.#isClosed) {
      this.#wait({ ...task, tries }, this.#limits.retryMillisecondsMin * 2 ** (tries - 1));
      return;
    }
    const message = error instanceof Error ? error.message : String(error);
    const letter: DeadLetter = { hint, error, message, tries, at: this.#clock.now() };
    const isNews = this.#deadLetters.get(task.key)?.message !== message;
    this.#deadLetters.delete(task.key);
    this.#deadLetters.set(task.key, letter);
    if (isNews) this.#onDeadLetter(letter);
  }
}
