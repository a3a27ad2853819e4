/** A thread of extract-threads.ts. */

import { parentPort, workerData } from 'node:worker_threads';
import { BulkExtract, type BulkWork, type Extracted } from './bulk-extract.ts';
import { failureSentence } from './failures.ts';
import type { Hint } from './ports.ts';

/** `failure`: a sentence on why this thread cannot continue. */
export type ExtractAnswer = { readonly extracted: Extracted } | { readonly failure: string };

let bulk: BulkExtract | undefined;

async function answer(hints: readonly Hint[]): Promise<void> {
  try {
    bulk ??= new BulkExtract(workerData as BulkWork);
    const { extracted, buffer } = await bulk.follow(hints);
    parentPort?.postMessage({ extracted } satisfies ExtractAnswer, [buffer]);
  } catch (error) {
    const failure = failureSentence(error) ?? (error as Error).stack ?? String(error);
    parentPort?.postMessage({ failure } satisfies ExtractAnswer);
  }
}

// One after the other: all of them use the same queue.
let last = Promise.resolve();
parentPort?.on('message', (hints: readonly Hint[]) => {
  last = last.then(() => answer(hints));
});
