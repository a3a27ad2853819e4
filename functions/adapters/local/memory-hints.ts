/**
 * A queue of hints in memory.
 *
 *     send ────────────────▶ ready ──▶ working ──▶ done
 *                              ▲          │ fails
 *     sendAfter ──▶ later ─────┘          ├──▶ later (back-off), up to hintTriesMax
 *                     ▲                   └──▶ dead letter
 *                     └───────────────────┘
 *     dead letter ── retryDeadLetters ──▶ ready, for one more try
 *
 * A key waits at most once (ready or later), and at most one task works on it. It may wait while it is worked on: the work may have read
 * the object before that hint came, so it runs once more.
 */

import type { Clock, DelayedHintQueue, Hint, ObjectKey } from '../../ports.ts';

export const hintLimits = {
  /** Packages read at the same time: enough to hide the latency of a disk, few enough to bound memory. */
  hintsConcurrentMax: 8,
  /** Tries before a hint becomes a dead letter. The waits between them double: about 6 s in all. */
  hintTriesMax: 6,
  /** The first of these waits. */
  retryMillisecondsMin: 200,
} as const;

export type HintLimits = { readonly [Name in keyof typeof hintLimits]: number };

export interface MemoryHintsOptions {
  /** Follows a hint. If it rejects, it is retried. */
  readonly work: (hint: Hint) => Promise<void>;
  readonly clock: Clock;
  readonly limits?: HintLimits;
  /** Called after every try that failed; `tries` counts from 1. */
  readonly onError?: (hint: Hint, error: unknown, tries: number) => void;
  /** Called when a hint becomes a dead letter, unless it was one before for the same reason. */
  readonly onDeadLetter?: (letter: DeadLetter) => void;
}

/** A hint that is not retried any more. The next success for its key removes it. */
export interface DeadLetter {
  readonly hint: Hint;
  /** Of the last try. */
  readonly error: unknown;
  /** The message of `error`. */
  readonly message: string;
  readonly tries: number;
  readonly at: Date;
}

interface Task {
  readonly key: ObjectKey;
  /** True if any of its hints said so. */
  force: boolean;
  /** How many have failed. */
  readonly tries: number;
}

export class MemoryHints implements DelayedHintQueue {
  readonly #work: (hint: Hint) => Promise<void>;
  readonly #clock: Clock;
  readonly #limits: HintLimits;
  readonly #onError: (hint: Hint, error: unknown, tries: number) => void;
  readonly #onDeadLetter: (letter: DeadLetter) => void;

  /** In the order of arrival. */
  readonly #ready = new Map<ObjectKey, Task>();
  readonly #later = new Map<ObjectKey, { readonly task: Task; readonly wake: AbortController }>();
  readonly #working = new Set<ObjectKey>();
  readonly #deadLetters = new Map<ObjectKey, DeadLetter>();
  #whenIdle: (() => void)[] = [];
  #isClosed = false;

  constructor({ work, clock, limits = hintLimits, onError, onDeadLetter }: MemoryHintsOptions) {
    this.#work = work;
    this.#clock = clock;
    this.#limits = limits;
    this.#onError = onError ?? (() => {});
    this.#onDeadLetter = onDeadLetter ?? (() => {});
  }

  /** Follows the hints as soon as possible. Resolves once they are in the queue. */
  async send(hints: readonly Hint[]): Promise<void> {
    this.#refuseIfClosed();
    for (const hint of hints) this.#ready.set(hint.key, this.#merge(hint));
    this.#start();
  }

  /**
   * Follows each hint once no other for its key has come for that time: a file that is being copied causes many of them. Resolves once
   * they are in the queue.
   */
  async sendAfter(hints: readonly Hint[], milliseconds: number): Promise<void> {
    this.#refuseIfClosed();
    for (const hint of hints) this.#wait(this.#merge(hint), milliseconds);
  }

  /** Oldest first. */
  get deadLetters(): readonly DeadLetter[] {
    return [...this.#deadLetters.values()];
  }

  /** Tries every dead letter once more: the cause (a full disk, a missing permission) may be gone. */
  retryDeadLetters(): void {
    for (const [key, { hint }] of this.#deadLetters) {
      const isQueued = this.#ready.has(key) || this.#later.has(key) || this.#working.has(key);
      if (!isQueued) this.#ready.set(key, { key, force: hint.force === true, tries: this.#limits.hintTriesMax - 1 });
    }
    this.#start();
  }

  /** Whether the key is waiting to be worked on, for the first time since the last news of it. */
  isWaiting(key: ObjectKey): boolean {
    const task = this.#ready.get(key) ?? this.#later.get(key)?.task;
    return task?.tries === 0;
  }

  /** How many keys are waiting or being worked on. */
  get pending(): number {
    return this.#ready.size + this.#later.size + this.#working.size;
  }

  /** Resolves once the queue is empty and no work is running. */
  async idle(): Promise<void> {
    if (this.pending === 0) return;
    await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
  }

  /**
   * Refuses further hints, and resolves once those in the queue are done. None of them waits any longer, and none is retried: one that
   * fails becomes a dead letter.
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

  /** Forgets what waits: a comparison finds it again. Resolves `close` once the work in progress is done. */
  drop(): void {
    this.#ready.clear();
    for (const { wake } of this.#later.values()) wake.abort();
    this.#later.clear();
    this.#wakeIfIdle();
  }

  #wakeIfIdle(): void {
    if (this.pending === 0) for (const resolve of this.#whenIdle.splice(0)) resolve();
  }

  #refuseIfClosed(): void {
    if (this.#isClosed) throw new Error('expected no hint after the queue was closed; close what sends them first');
  }

  /** Removes the waiting task of this key, and returns a new one for both hints, with no failed tries. */
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

  /** Starts what is ready, up to the limit. */
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
      this.#wakeIfIdle();
    }
  }

  #failed(task: Task, hint: Hint, error: unknown): void {
    const tries = task.tries + 1;
    this.#onError(hint, error, tries);
    const next = this.#ready.get(task.key) ?? this.#later.get(task.key)?.task;
    if (next !== undefined) {
      // Another hint for this key came meanwhile: that is its next try.
      next.force ||= task.force;
      return;
    }
    if (tries < this.#limits.hintTriesMax && !this.#isClosed) {
      this.#wait({ ...task, tries }, this.#limits.retryMillisecondsMin * 2 ** (tries - 1));
      return;
    }
    const message = error instanceof Error ? error.message : String(error);
    const letter: DeadLetter = { hint, error, message, tries, at: this.#clock.now() };
    const isNew = this.#deadLetters.get(task.key)?.message !== message;
    this.#deadLetters.delete(task.key);
    this.#deadLetters.set(task.key, letter);
    if (isNew) this.#onDeadLetter(letter);
  }
}
