/** A thread of extract-threads.ts: extracts one package after the other, and sends their rows. */

import { parentPort, workerData } from 'node:worker_threads';
import { DirectoryObjects } from './adapters/local/directory-objects.ts';
import { syncCalls } from './adapters/local/file-calls.ts';
import { hintLimits, MemoryHints } from './adapters/local/memory-hints.ts';
import type { OpenedObject } from './adapters/local/opened-object.ts';
import { SentRows } from './adapters/local/sent-rows.ts';
import { Settling } from './adapters/local/settling.ts';
import { type RowChange, SqliteRecords } from './adapters/local/sqlite-records.ts';
import { SystemClock } from './adapters/system-clock.ts';
import { extract } from './extract.ts';
import { failureSentence, systemErrorSentence } from './failures.ts';
import { packageLimits } from './package/limits.ts';
import type { Hint, ObjectKey } from './ports.ts';
import type { Rules } from './record/rules.ts';

export interface ExtractWork {
  /** All paths are absolute. */
  readonly directory: string;
  readonly stateDirectory: string;
  /** The table with rows of before; undefined where there are none. */
  readonly table: string | undefined;
  readonly rules: Rules;
  readonly settleMilliseconds: number;
}

/** What became of some hints. */
export interface Extracted {
  readonly hints: number;
  /** To be written. */
  readonly changes: readonly RowChange[];
  readonly rejected: readonly { readonly key: ObjectKey; readonly code: string; readonly message: string }[];
  /** Files that are still being written. */
  readonly leftOut: readonly ObjectKey[];
  /** A sentence for each key that could not be read. */
  readonly failed: readonly string[];
}

/** `failure`: a sentence on why this thread cannot go on. */
export type ExtractAnswer = { readonly extracted: Extracted } | { readonly failure: string };

const { directory, stateDirectory, table, rules, settleMilliseconds } = workerData as ExtractWork;
const clock = new SystemClock();
const settling = new Settling({ clock, settleMilliseconds });
const rejected: Extracted['rejected'][number][] = [];
const leftOut: ObjectKey[] = [];
const failed: string[] = [];

const directoryObjects = new DirectoryObjects({ root: directory, stateDirectory, calls: syncCalls });
const before = table === undefined ? undefined : SqliteRecords.open({ file: table, readOnly: true }).table;
const records = new SentRows(before);
const buffer = Buffer.allocUnsafeSlow(packageLimits.firstRangeBytes * packageLimits.rangeGrowthFactor);
const queue = new MemoryHints({
  clock,
  limits: { ...hintLimits, hintsConcurrentMax: 1 },
  work: async (hint) => {
    const objects = directoryObjects.openedObject(hint.key, buffer);
    try {
      if (await hasSettled(hint.key, objects)) await extractFrom(objects, hint);
      else leftOut.push(hint.key);
    } finally {
      await objects.close();
    }
  },
  onDeadLetter: ({ hint, error }) => failed.push(systemErrorSentence(error, `cannot index ${hint.key}`)),
});

async function extractFrom(objects: OpenedObject, { key, force = false }: Hint): Promise<void> {
  const extraction = await extract({ objects, records, clock }, key, { force, rules });
  const row = extraction.outcome === 'removed' ? undefined : extraction.row;
  if (row?.state === 'rejected') rejected.push({ key, ...row.reason });
}

/** A file that cannot be read is left to extract, which says why. */
async function hasSettled(key: ObjectKey, objects: OpenedObject): Promise<boolean> {
  try {
    return (await settling.millisecondsLeft(key, await objects.settlingFile())) === 0;
  } catch {
    return true;
  }
}

async function follow(
  hints: readonly Hint[],
): Promise<{ readonly answer: ExtractAnswer; readonly buffer?: ArrayBuffer }> {
  try {
    await queue.send(hints);
    await queue.idle();
    const { changes, buffer } = records.take();
    const extracted = {
      hints: hints.length,
      changes,
      rejected: rejected.splice(0),
      leftOut: leftOut.splice(0),
      failed: failed.splice(0),
    };
    return { answer: { extracted }, buffer };
  } catch (error) {
    return { answer: { failure: failureSentence(error) ?? (error as Error).stack ?? String(error) } };
  }
}

parentPort?.on('message', (hints: readonly Hint[]) => {
  void follow(hints).then(({ answer, buffer }) =>
    parentPort?.postMessage(answer, buffer === undefined ? [] : [buffer]),
  );
});
