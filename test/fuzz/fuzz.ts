/** Runs cases in a separate thread, and detects those that never end. */

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { clock, type FoundCase, type FuzzMessage, type FuzzTask } from './messages.ts';

export interface FuzzOptions {
  readonly seed: number;
  readonly cases: number;
  readonly target?: string | undefined;
  /** The module that has `targets`. */
  readonly module?: string;
  /** Time limit for one case; 2 s are promised. */
  readonly millisecondsMax?: number;
  /** Called after cases have been run. */
  readonly onProgress?: (cases: number, found: number) => void;
}

export interface FuzzReport {
  readonly cases: number;
  readonly findings: readonly FoundCase[];
  /** Outcome → number of cases. */
  readonly outcomes: ReadonlyMap<string, number>;
}

const watchMilliseconds = 50;

const allTargets = new URL('./targets.ts', import.meta.url).href;

export async function fuzz(options: FuzzOptions): Promise<FuzzReport> {
  const { seed, cases, target, module = allTargets, millisecondsMax = 2_000, onProgress } = options;
  const findings: FoundCase[] = [];
  const outcomes = new Map<string, number>();
  /** Slow cases are repeated once, because the machine may have been busy. */
  const slow = new Set<number>();
  for (let first = 0; first < cases; ) {
    const at = new Int32Array(new SharedArrayBuffer(8));
    Atomics.store(at, 1, clock());
    const workerData: FuzzTask = { seed, first, end: cases, target, module, at };
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData });
    worker.on('message', (message: FuzzMessage) => {
      if (message.kind === 'found') findings.push(message.found);
      else for (const [outcome, count] of message.outcomes) outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + count);
      onProgress?.(Atomics.load(at, 0) + 1, findings.length);
    });
    let stuckAt: number | undefined;
    const watch = setInterval(() => {
      if (clock() - Atomics.load(at, 1) < millisecondsMax) return;
      clearInterval(watch);
      stuckAt = Atomics.load(at, 0);
      void worker.terminate();
    }, watchMilliseconds);
    await once(worker, 'exit');
    clearInterval(watch);
    first = stuckAt ?? cases;
    if (stuckAt !== undefined && slow.has(stuckAt)) {
      findings.push({ index: stuckAt, message: `it takes more than ${millisecondsMax} ms`, input: undefined });
      first = stuckAt + 1;
    } else if (stuckAt !== undefined) slow.add(stuckAt);
  }
  return { cases, findings, outcomes };
}
