/**
 * node memory-of-case.ts MODULE SEED INDEX [TARGET]: prints the MiB of memory that one case takes, measured in a
 * separate process after a warm-up. Otherwise the garbage of other cases would count too.
 */

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { watchPeak } from './peak-memory.ts';
import type { FuzzTarget } from './target.ts';
import { runCase } from './targets.ts';

const warmUps = 20;

const [module = '', seed, index, target] = process.argv.slice(2);
const { targets } = (await import(module)) as { readonly targets: readonly FuzzTarget[] };
const attempt = (number: number) => runCase(targets, Number(seed), number, target).catch(() => undefined);
for (let offset = 1; offset <= warmUps; offset += 1) await attempt(Number(index) + offset);
setFlagsFromString('--expose-gc');
runInNewContext('gc')();
const peak = watchPeak();
await attempt(Number(index));
console.log(peak().toFixed(1));
