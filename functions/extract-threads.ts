/** Extracts many packages: in this thread, and in others besides where it pays. */

import { availableParallelism } from 'node:os';
import { setImmediate } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { BulkExtract, type BulkWork, type Extracted } from './bulk-extract.ts';
import type { ExtractAnswer } from './extract-worker.ts';
import { CannotRun, failureSentence } from './failures.ts';
import type { Hint, HintQueue } from './ports.ts';

export const bulkLimits = {
  /** Fewer hints are followed without another thread: starting one takes 0.1 s, the time to read 500 packages. */
  hintsWithoutThreadsMax: 500,
  /** Including this one. Another thread takes 40 MB, and one alone can write to the table. */
  threadsMax: 4,
  /** Hints that a thread follows at a time: some 20 ms of work. Their rows are written together: 34 MiB at most. */
  hintsAtOnceMax: 100,
  /** So often as many wait in a thread, which has work while this one has no time for it. */
  batchesAheadMax: 3,
  /** Of a thread's heap for new objects, most of which are garbage soon. V8's default takes twice the memory and as much time. */
  youngMebibytesMax: 4,
} as const;

/** Beside this module: as a source, or bundled (scripts/build-package.ts). */
const workerFile = import.meta.url.endsWith('.ts') ? './extract-worker.ts' : './extract-worker.js';

export interface ExtractThreadsOptions {
  readonly work: BulkWork;
  /** Writes the rows. If it throws, nothing more is extracted. */
  readonly onExtracted: (extracted: Extracted) => Promise<void>;
}

interface Thread {
  readonly worker: Worker;
  /** Batches that it has not answered. */
  batches: number;
}

/** Follows hints once `idle` is called; other threads start before, when there are many. */
export class ExtractThreads implements HintQueue {
  readonly #options: ExtractThreadsOptions;
  #waiting: Hint[] = [];
  readonly #threads: Thread[] = [];
  #failure: CannotRun | undefined;
  /** Settles once all rows that came are written; one batch after the other. */
  #written = Promise.resolve();
  #wake: () => void = () => {};

  constructor(options: ExtractThreadsOptions) {
    this.#options = options;
  }

  async send(hints: readonly Hint[]): Promise<void> {
    for (const hint of hints) this.#waiting.push(hint);
    if (this.#waiting.length > bulkLimits.hintsWithoutThreadsMax) this.#start();
    this.#handOut();
  }

  /**
   * Resolves once every hint has been followed.
   * @throws {CannotRun} where a thread failed: not every hint was followed.
   */
  async idle(): Promise<void> {
    let bulk: BulkExtract | undefined;
    try {
      while (!this.#isIdle) {
        const hints = this.#waiting.splice(0, bulkLimits.hintsAtOnceMax);
        if (hints.length === 0) await new Promise<void>((resolve) => (this.#wake = resolve));
        else {
          bulk ??= new BulkExtract(this.#options.work);
          await this.#report((await bulk.follow(hints)).extracted);
          // For the answers of the others.
          await setImmediate();
        }
      }
    } catch (error) {
      this.#fail(sentenceOf(error));
    } finally {
      bulk?.close();
    }
    await this.#written;
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Ends the threads, whatever they are doing. */
  async close(): Promise<void> {
    await Promise.all(this.#threads.map(({ worker }) => worker.terminate()));
  }

  get #isIdle(): boolean {
    const isDone = this.#waiting.length === 0 && this.#threads.every(({ batches }) => batches === 0);
    return isDone || this.#failure !== undefined;
  }

  #start(): void {
    const threads = Math.min(availableParallelism(), bulkLimits.threadsMax);
    while (this.#threads.length < threads - 1) this.#startOne();
  }

  #startOne(): void {
    const worker = new Worker(new URL(workerFile, import.meta.url), {
      workerData: this.#options.work,
      // Node 22 warns of node:sqlite and of zstd, in each thread.
      execArgv: ['--disable-warning=ExperimentalWarning'],
      resourceLimits: { maxYoungGenerationSizeMb: bulkLimits.youngMebibytesMax },
    });
    const thread = { worker, batches: 0 };
    worker.on('message', (answer: ExtractAnswer) => {
      thread.batches -= 1;
      if ('failure' in answer) return this.#fail(answer.failure);
      // First, so that the thread works on while its rows are written.
      this.#handOut();
      void this.#report(answer.extracted);
      this.#wake();
    });
    worker.on('error', (error) => this.#fail(`a thread that reads packages failed: ${error.message}`));
    this.#threads.push(thread);
  }

  #handOut(): void {
    for (const thread of this.#threads) {
      while (thread.batches < bulkLimits.batchesAheadMax && this.#waiting.length > 0 && this.#failure === undefined) {
        thread.batches += 1;
        thread.worker.postMessage(this.#waiting.splice(0, bulkLimits.hintsAtOnceMax));
      }
    }
  }

  #report(extracted: Extracted): Promise<void> {
    this.#written = this.#written
      .then(() => this.#options.onExtracted(extracted))
      .catch((error: unknown) => this.#fail(sentenceOf(error)));
    return this.#written;
  }

  #fail(sentence: string): void {
    this.#failure ??= new CannotRun(sentence);
    this.#wake();
  }
}

/** Of an error that is a bug of ours, its stack. */
function sentenceOf(error: unknown): string {
  return failureSentence(error) ?? (error as Error).stack ?? String(error);
}
