/** The thread's side of extract-threads.ts: its own look at the directory and the table, and one package after the other. */

import { parentPort, workerData } from 'node:worker_threads';
import { BatchedRecords } from './adapters/local/batched-records.ts';
import { DirectoryObjects } from './adapters/local/directory-objects.ts';
import { syncCalls } from './adapters/local/file-calls.ts';
import { hintLimits, MemoryHints } from './adapters/local/memory-hints.ts';
import { SqliteRecords } from './adapters/local/sqlite-records.ts';
import { SystemClock } from './adapters/system-clock.ts';
import { extract } from './extract.ts';
import { failureSentence, systemErrorSentence } from './failures.ts';
import type { Hint, ObjectKey, Repository } from './ports.ts';

/** What it works on, by absolute paths. */
export interface ExtractPlace {
  readonly directory: string;
  readonly stateDirectory: string;
  readonly table: string;
}

/** What became of some hints; their rows are in the table. */
export interface ExtractNews {
  readonly hints: number;
  readonly changed: readonly Repository[];
  readonly rejected: readonly { readonly key: ObjectKey; readonly code: string; readonly message: string }[];
  /** Keys that could not be looked at, a sentence each. */
  readonly failed: readonly string[];
}

/** `failure`: what keeps this thread from working on, as a sentence; its hints are not followed. */
export type ExtractAnswer = { readonly news: ExtractNews } | { readonly failure: string };

const { directory, stateDirectory, table: file } = workerData as ExtractPlace;
const clock = new SystemClock();
const changed = new Set<Repository>();
const rejected: ExtractNews['rejected'][number][] = [];
const failed: string[] = [];

const objects = new DirectoryObjects({ root: directory, stateDirectory, calls: syncCalls });
const { table } = SqliteRecords.open({ file, isExamined: true, onChange: (repository) => changed.add(repository) });
const records = new BatchedRecords(table);
const queue = new MemoryHints({
  clock,
  limits: { ...hintLimits, hintsConcurrentMax: 1 },
  work: async ({ key, force = false }) => {
    const extraction = await extract({ objects, records, clock }, key, { force });
    const row = extraction.outcome === 'removed' ? undefined : extraction.row;
    if (row?.state === 'rejected') rejected.push({ key, ...row.reason });
  },
  onDeadLetter: ({ hint, error }) => failed.push(systemErrorSentence(error, `cannot index ${hint.key}`)),
});

async function follow(hints: readonly Hint[]): Promise<ExtractAnswer> {
  try {
    await queue.send(hints);
    await queue.idle();
    records.writeAll();
    const news = {
      hints: hints.length,
      changed: [...changed],
      rejected: rejected.splice(0),
      failed: failed.splice(0),
    };
    changed.clear();
    return { news };
  } catch (error) {
    return { failure: failureSentence(error) ?? (error as Error).stack ?? String(error) };
  }
}

parentPort?.on('message', (hints: readonly Hint[]) => {
  void follow(hints).then((answer) => parentPort?.postMessage(answer));
});
