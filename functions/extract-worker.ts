/** A thread of extract-threads.ts. It opens directory and table itself, and extracts one package after the other. */

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
import type { Rules } from './record/rules.ts';

export interface ExtractWork {
  /** All three paths are absolute. */
  readonly directory: string;
  readonly stateDirectory: string;
  readonly table: string;
  readonly rules: Rules;
}

/** What became of some hints. Their rows are in the table. */
export interface Extracted {
  readonly hints: number;
  readonly changed: readonly Repository[];
  readonly rejected: readonly { readonly key: ObjectKey; readonly code: string; readonly message: string }[];
  /** A sentence for each key that could not be read. */
  readonly failed: readonly string[];
}

/** `failure`: a sentence on why this thread cannot continue. */
export type ExtractAnswer = { readonly extracted: Extracted } | { readonly failure: string };

const { directory, stateDirectory, table: file, rules } = workerData as ExtractWork;
const clock = new SystemClock();
const changed = new Set<Repository>();
const rejected: Extracted['rejected'][number][] = [];
const failed: string[] = [];

const objects = new DirectoryObjects({ root: directory, stateDirectory, calls: syncCalls });
const { table } = SqliteRecords.open({ file, isExamined: true, onChange: (repository) => changed.add(repository) });
const records = new BatchedRecords(table);
const queue = new MemoryHints({
  clock,
  limits: { ...hintLimits, hintsConcurrentMax: 1 },
  work: async ({ key, force = false }) => {
    const extraction = await extract({ objects, records, clock }, key, { force, rules });
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
    const extracted = {
      hints: hints.length,
      changed: [...changed],
      rejected: rejected.splice(0),
      failed: failed.splice(0),
    };
    changed.clear();
    return { extracted };
  } catch (error) {
    return { failure: failureSentence(error) ?? (error as Error).stack ?? String(error) };
  }
}

parentPort?.on('message', (hints: readonly Hint[]) => {
  void follow(hints).then((answer) => parentPort?.postMessage(answer));
});
