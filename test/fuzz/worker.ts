/** A thread that runs cases and publishes the number of the running one, so that the main thread can detect an endless case. */

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { clock, type FuzzMessage, type FuzzTask } from './messages.ts';
import { watchPeak } from './peak-memory.ts';
import { Finding, type FuzzTarget } from './target.ts';
import { runCase } from './targets.ts';

const memoryMebibytesMax = 64;
/** Tests of indexes compare the output of four libraries in memory. */
const indexMemoryMebibytesMax = 256;
const casesPerReport = 500;
/** Postpones the time limit while the memory is measured again. */
const confirmationMilliseconds = 60_000;

async function runAll({ seed, first, end, target, module, at }: FuzzTask): Promise<void> {
  const { targets } = (await import(module)) as { readonly targets: readonly FuzzTarget[] };
  let outcomes = new Map<string, number>();
  const send = (message: FuzzMessage) => parentPort?.postMessage(message);
  for (let index = first; index < end; index += 1) {
    Atomics.store(at, 1, clock());
    Atomics.store(at, 0, index);
    const fail = (message: string, input?: Uint8Array) =>
      send({ kind: 'found', found: { index, message, input: input && Buffer.from(input).toString('base64') } });
    const note = (error: unknown) => fail(`an unhandled error: ${error instanceof Error ? error.stack : error}`);
    process.on('uncaughtException', note).on('unhandledRejection', note);
    const peak = watchPeak();
    let mebibytesMax = memoryMebibytesMax;
    try {
      const outcome = await runCase(targets, seed, index, target);
      if (outcome.startsWith('index: ')) mebibytesMax = indexMemoryMebibytesMax;
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    } catch (error) {
      if (error instanceof Finding) fail(error.message, error.input);
      else fail(`an error of the target: ${error instanceof Error ? error.stack : error}`);
    }
    if (peak() > mebibytesMax) {
      Atomics.store(at, 1, clock() + confirmationMilliseconds);
      const alone = memoryAlone(module, seed, index, target);
      if (alone > mebibytesMax) fail(`it takes ${alone} MiB of memory`);
    }
    // Unhandled errors have been reported by then.
    await setImmediate();
    process.off('uncaughtException', note).off('unhandledRejection', note);
    if (outcomes.size > 0 && (index % casesPerReport === 0 || index === end - 1)) {
      send({ kind: 'outcomes', outcomes });
      outcomes = new Map();
    }
  }
}

function memoryAlone(module: string, seed: number, index: number, target: string | undefined): number {
  const args = [
    join(import.meta.dirname, 'memory-of-case.ts'),
    module,
    `${seed}`,
    `${index}`,
    ...(target === undefined ? [] : [target]),
  ];
  return Number(spawnSync(process.execPath, args, { encoding: 'utf8' }).stdout);
}

// Keeps the thread alive while a case awaits a promise that nothing resolves.
const alive = setInterval(() => undefined, 60_000);
await runAll(workerData as FuzzTask);
clearInterval(alive);
