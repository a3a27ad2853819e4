/** Extracts many packages in several threads: on two processors in little more than half the time. */

import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { ExtractAnswer, Extracted, ExtractWork } from './extract-worker.ts';
import { CannotRun } from './failures.ts';
import type { Hint, HintQueue } from './ports.ts';

export const bulkLimits = {
  /** Fewer hints are followed without threads: starting one takes 0.1 s, the time to read 300 packages. */
  hintsWithoutThreadsMax: 500,
  /** Each thread takes 60 MB, and only one at a time can write to the table. */
  threadsMax: 4,
  /** Hints that a thread gets at a time: some 30 ms of work. Their rows are written together. */
  hintsPerThreadMax: 100,
  /** Of a thread's heap for new objects, most of which are garbage soon. V8's default takes twice the memory and as much time. */
  youngMebibytesMax: 4,
} as const;

/** Beside this module: as a source, or bundled (scripts/build-package.ts). */
const workerFile = import.meta.url.endsWith('.ts') ? './extract-worker.ts' : './extract-worker.js';

export interface ExtractThreadsOptions {
  readonly work: ExtractWork;
  readonly onExtracted: (extracted: Extracted) => void;
}

interface FollowedHints extends HintQueue {
  /** Resolves once every hint has been followed. */
  idle(): Promise<void>;
}

export class ExtractThreads implements FollowedHints {
  readonly #options: ExtractThreadsOptions;
  #waiting: Hint[] = [];
  /** Those without work. */
  readonly #free: Worker[] = [];
  readonly #all: Worker[] = [];
  #failure: CannotRun | undefined;
  #whenIdle: (() => void)[] = [];

  constructor(options: ExtractThreadsOptions) {
    this.#options = options;
  }

  /** Starts the threads with the first hints. Resolves once the hints are in the queue. */
  async send(hints: readonly Hint[]): Promise<void> {
    this.#waiting.push(...hints);
    const threads = Math.min(availableParallelism(), bulkLimits.threadsMax);
    while (this.#all.length < threads) this.#start();
    this.#handOut();
  }

  /** @throws {CannotRun} where a thread failed: not every hint was followed. */
  async idle(): Promise<void> {
    if (!this.#isIdle) await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Ends the threads, whatever they are doing. */
  async close(): Promise<void> {
    await Promise.all(this.#all.map((worker) => worker.terminate()));
  }

  get #isIdle(): boolean {
    const isDone = this.#waiting.length === 0 && this.#free.length === this.#all.length;
    return isDone || this.#failure !== undefined;
  }

  #start(): void {
    const worker = new Worker(new URL(workerFile, import.meta.url), {
      workerData: this.#options.work,
      // Node 22 warns of node:sqlite and of zstd, in each thread.
      execArgv: ['--disable-warning=ExperimentalWarning'],
      resourceLimits: { maxYoungGenerationSizeMb: bulkLimits.youngMebibytesMax },
    });
    worker.on('message', (answer: ExtractAnswer) => {
      if ('failure' in answer) return this.#fail(answer.failure);
      this.#options.onExtracted(answer.extracted);
      this.#free.push(worker);
      this.#handOut();
    });
    worker.on('error', (error) => this.#fail(`a thread that reads packages failed: ${error.message}`));
    this.#all.push(worker);
    this.#free.push(worker);
  }

  #handOut(): void {
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

/** Holds hints until `idle`, and then sends them to the one queue; if they are many, all of them go to the other at once. */
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
