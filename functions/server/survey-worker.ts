/** The thread's side of survey-thread.ts: one repository after the other, over a table that is opened for reading only. */

import { parentPort, workerData } from 'node:worker_threads';
import { openReadOnly } from '../adapters/local/open-read-only.ts';
import { type RepositoryStatus, repositoryStatus } from '../check/repository-status.ts';
import { failureSentence } from '../failures.ts';
import type { Repository } from '../ports.ts';

/** What it looks at, by absolute paths. */
export interface SurveyPlace {
  readonly directory: string;
  readonly stateDirectory: string;
}

export type SurveyAnswer = { readonly status: RepositoryStatus } | { readonly failure: string };

const { directory, stateDirectory } = workerData as SurveyPlace;
let last: Promise<void> = Promise.resolve();

parentPort?.on('message', (repository: Repository) => {
  last = last.then(async () => parentPort?.postMessage(await answerOf(repository)));
});

async function answerOf(repository: Repository): Promise<SurveyAnswer> {
  try {
    const { objects, records } = await openReadOnly(directory, stateDirectory);
    try {
      return { status: await repositoryStatus(objects, records, repository) };
    } finally {
      records.close();
    }
  } catch (error) {
    return { failure: failureSentence(error) ?? (error as Error).stack ?? String(error) };
  }
}
