/**
 * npm run simulate -- [--seeds N] [--seed S] [--jobs J] [--mutation NAME]
 *
 * Simulates so many seeds, beginning with S, in J threads. A seed that fails is shown by its shortest trace, and ends the run with
 * exit code 1.
 */

import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { mutatedSteps } from './mutations.ts';
import { planOf } from './plan.ts';
import { describeFailure, shortestFailure } from './shrink.ts';
import { realSteps } from './steps.ts';
import type { WorkerProgress, WorkerTask } from './worker.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '0' },
    jobs: { type: 'string', default: '1' },
    mutation: { type: 'string' },
  },
});
const [seeds, firstSeed, jobs] = [values.seeds, values.seed, values.jobs].map(Number) as [number, number, number];
const failed: number[] = [];
const totals = { seeds: 0, turns: 0, publications: 0, faults: 0 };
let turnsMost = 0;
const began = performance.now();

const workers = Array.from({ length: jobs }, (_, job) => {
  const task: WorkerTask = { first: firstSeed + job, step: jobs, end: firstSeed + seeds, mutation: values.mutation };
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: task });
  worker.on('message', (progress: WorkerProgress) => {
    for (const name of ['seeds', 'turns', 'publications', 'faults'] as const) totals[name] += progress[name];
    turnsMost = Math.max(turnsMost, progress.turnsMost);
    failed.push(...progress.failed);
  });
  return worker;
});
const ticker = setInterval(report, 5_000);
await Promise.all(workers.map((worker) => once(worker, 'exit')));
clearInterval(ticker);
report();

const [worst] = failed.sort((a, b) => a - b);
if (worst !== undefined) {
  const plan = planOf(worst);
  const steps = values.mutation === undefined ? realSteps : await mutatedSteps(values.mutation);
  console.log(`\n${failed.length} seeds failed: ${failed.slice(0, 20).join(' ')}\n`);
  console.log(describeFailure(plan, await shortestFailure(plan, steps), values.mutation));
  process.exitCode = 1;
}

function report(): void {
  const seconds = (performance.now() - began) / 1000;
  const count = (number: number) => Math.round(number).toLocaleString('en');
  console.log(
    `${count(totals.seeds)} of ${count(seeds)} seeds, ${failed.length} failed, ${count(totals.seeds / seconds)} seeds/s; ` +
      `${count(totals.turns)} turns (at most ${count(turnsMost)} in a run), ${count(totals.publications)} publications, ${count(totals.faults)} faults`,
  );
}
