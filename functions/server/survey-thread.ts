/** A thread that looks repositories through, so that whoever serves and indexes meanwhile is not held up. */

import { Worker } from 'node:worker_threads';
import type { RepositoryStatus } from '../check/repository-status.ts';
import { CannotRun } from '../failures.ts';
import type { Repository } from '../ports.ts';
import { statusLimits } from './status-limits.ts';
import type { SurveyAnswer, SurveyPlace } from './survey-worker.ts';

interface Asked {
  readonly resolve: (status: RepositoryStatus) => void;
  readonly reject: (error: Error) => void;
}

export class SurveyThread {
  readonly #place: SurveyPlace;
  /** In the order in which they were asked, which is that of the answers. */
  #asked: Asked[] = [];
  #worker: Worker | undefined;
  #rest: NodeJS.Timeout | undefined;

  constructor(place: SurveyPlace) {
    this.#place = place;
  }

  /**
   * The thread begins with the first question, and ends when there has been none for a while.
   * @throws {CannotRun} what kept it from answering
   */
  async survey(repository: Repository): Promise<RepositoryStatus> {
    clearTimeout(this.#rest);
    this.#worker ??= this.#start();
    const { promise, resolve, reject } = Promise.withResolvers<RepositoryStatus>();
    this.#asked.push({ resolve, reject });
    this.#worker.postMessage(repository);
    return await promise;
  }

  /** Whoever still waits for an answer gets none. */
  async close(): Promise<void> {
    clearTimeout(this.#rest);
    const worker = this.#worker;
    this.#ended('the server is stopping');
    await worker?.terminate();
  }

  #start(): Worker {
    const worker = new Worker(new URL('./survey-worker.ts', import.meta.url), {
      workerData: this.#place,
      resourceLimits: {
        maxYoungGenerationSizeMb: statusLimits.surveyYoungMegabytes,
        maxOldGenerationSizeMb: statusLimits.surveyOldMegabytes,
      },
    });
    worker.on('message', (answer: SurveyAnswer) => {
      const asked = this.#asked.shift();
      if ('status' in answer) asked?.resolve(answer.status);
      else asked?.reject(new CannotRun(answer.failure));
      if (this.#asked.length > 0) return;
      this.#rest = setTimeout(() => void this.close(), statusLimits.surveyRestMilliseconds).unref();
    });
    worker.on('error', (error) => {
      if (this.#worker === worker) this.#ended(`the thread that looks repositories through ended: ${error.message}`);
    });
    // Nothing waits for it but requests, which the server waits for itself.
    worker.unref();
    return worker;
  }

  #ended(why: string): void {
    this.#worker = undefined;
    for (const { reject } of this.#asked.splice(0)) reject(new CannotRun(why));
  }
}
