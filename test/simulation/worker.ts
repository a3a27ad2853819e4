/** A thread that simulates some seeds. */

import { parentPort, workerData } from 'node:worker_threads';
import { mutatedSteps } from './mutations.ts';
import { planOf } from './plan.ts';
import { simulate } from './simulation.ts';
import { realSteps } from './steps.ts';

export interface WorkerTask {
  readonly first: number;
  /** From one seed to the next. */
  readonly step: number;
  readonly end: number;
  readonly mutation: string | undefined;
}

/** Since the one before. */
export interface WorkerProgress {
  readonly seeds: number;
  readonly turns: number;
  /** Of the longest run. */
  readonly turnsMost: number;
  readonly publications: number;
  readonly faults: number;
  readonly failed: readonly number[];
}

const seedsPerReport = 100;

const { first, step, end, mutation } = workerData as WorkerTask;
const steps = mutation === undefined ? realSteps : await mutatedSteps(mutation);
let progress = { seeds: 0, turns: 0, turnsMost: 0, publications: 0, faults: 0, failed: [] as number[] };
for (let seed = first; seed < end; seed += step) {
  const { violation, turns, publications, faults } = await simulate(planOf(seed), { steps });
  progress.seeds += 1;
  progress.turns += turns;
  progress.turnsMost = Math.max(progress.turnsMost, turns);
  progress.publications += publications;
  progress.faults += faults.length;
  if (violation !== undefined) progress.failed.push(seed);
  if (progress.seeds === seedsPerReport || seed + step >= end) {
    parentPort?.postMessage(progress satisfies WorkerProgress);
    progress = { seeds: 0, turns: 0, turnsMost: 0, publications: 0, faults: 0, failed: [] };
  }
}
