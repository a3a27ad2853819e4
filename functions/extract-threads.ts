/** Threads that extract packages, for whoever has many to do and nothing else: on two processors in hardly more than half the time. */

import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { ExtractAnswer, ExtractNews, ExtractPlace } from './extract-worker.ts';
import { CannotRun } from './failures.ts';
import type { Hint, HintQueue } from './ports.ts';

/** Indexing many packages at once on one machine. */
export const bulkLimits = {
  /** Fewer hints are followed without threads: one of those takes 0.1 s to begin, in which 300 packages are read. */
  hintsWithoutThreadsMax: 500,
  /** Threads: the table has one writer at a time, and each takes 60 MB. */
  threadsMax: 4,
  /** Hints that a thread is given at a time, whose rows are written together: some 30 ms of work. */
  hintsPerThreadMax: 100,
  /** What a thread collects before it looks for what is done with: with V8's own choice, twice as much memory and no less time. */
  youngMebibytesMax: 4,
} as const;

export interface ExtractThreadsOptions {
  readonly place: ExtractPlace;
  readonly onNews: (news: ExtractNews) => void;
}

/** A queue that can be waited for. */
interface FollowedHints extends HintQueue {
  /** Resolves once every hint has been followed. */
  idle(): Promise<void>;
}

export class ExtractThreads implements FollowedHints {
  readonly #options: ExtractThreadsOptions;
  #waiting: Hint[] = [];
  /** Those that have nothing to do. */
  readonly #free: Worker[] = [];
  readonly #all: Worker[] = [];
  #failure: CannotRun | undefined;
  #whenIdle: (() => void)[] = [];

  constructor(options: ExtractThreadsOptions) {
    this.#options = options;
  }

  /** The threads begin with the first hint. Resolves once they are in the queue. */
  async send(hints: readonly Hint[]): Promise<void> {
    this.#waiting.push(...hints);
    while (this.#all.length < threadsWanted()) this.#start();
    this.#hand();
  }

  /** @throws {CannotRun} where a thread could not go on: not every hint was followed. */
  async idle(): Promise<void> {
    if (!this.#isIdle) await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** What goes on is broken off. */
  async close(): Promise<void> {
    await Promise.all(this.#all.map((worker) => worker.terminate()));
  }

  get #isIdle(): boolean {
    const isDone = this.#waiting.length === 0 && this.#free.length === this.#all.length;
    return isDone || this.#failure !== undefined;
  }

  #start(): void {
    const worker = new Worker(new URL('./extract-worker.ts', import.meta.url), {
      workerData: this.#options.place,
      // Most of what a package takes is done with at once: more room for it only takes memory.
      resourceLimits: { maxYoungGenerationSizeMb: bulkLimits.youngMebibytesMax },
    });
    worker.on('message', (answer: ExtractAnswer) => {
      if ('failure' in answer) return this.#fail(answer.failure);
      this.#options.onNews(answer.news);
      this.#free.push(worker);
      this.#hand();
    });
    worker.on('error', (error) => this.#fail(`a thread that reads packages ended: ${error.message}`));
    this.#all.push(worker);
    this.#free.push(worker);
  }

  #hand(): void {
    while (this.#waiting.length > 0) {
      const worker = this.#free.pop();
      if (worker === undefined) return;
      worker.postMessage(this.#waiting.splice(0, bulkLimits.hintsPerThreadMax));
    }
    this.#wakeIfIdle();
  }

  #fail(sentence: string): void {
    this.#failure ??= new CannotRun(sentence);
    this.#wakeIfIdle();
  }

  #wakeIfIdle(): void {
    if (this.#isIdle) for (const resolve of this.#whenIdle.splice(0)) resolve();
  }
}

function threadsWanted(): number {
  return Math.min(availableParallelism(), bulkLimits.threadsMax);
}

/** Few hints go to the one queue, when there are no more to come; if there are more, all of them go to the other. */
export class FewOrMany implements FollowedHints {
  readonly #few: FollowedHints;
  readonly #many: FollowedHints;
  /** Undefined once there are many. */
  #held: Hint[] | undefined = [];

  constructor(few: FollowedHints, many: FollowedHints) {
    this.#few = few;
    this.#many = many;
  }

  async send(hints: readonly Hint[]): Promise<void> {
    const all = [...(this.#held ?? []), ...hints];
    const isFew = this.#held !== undefined && all.length <= bulkLimits.hintsWithoutThreadsMax;
    this.#held = isFew ? all : undefined;
    if (!isFew) await this.#many.send(all);
  }

  async idle(): Promise<void> {
    if (this.#held === undefined) return await this.#many.idle();
    await this.#few.send(this.#held.splice(0));
    await this.#few.idle();
  }
}
