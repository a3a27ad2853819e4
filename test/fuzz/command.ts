/**
 * npm run fuzz -- [--cases N] [--seed S] [--target NAME] [--case I]
 *
 * Prints the outcomes and every finding with its input. Exit code 1 if there is a finding. `--case` repeats a single case.
 */

import { parseArgs } from 'node:util';
import { fuzz } from './fuzz.ts';
import { canMeasure } from './peak-memory.ts';
import { Finding } from './target.ts';
import { runCase, targets } from './targets.ts';

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '5000' },
    seed: { type: 'string', default: '0' },
    target: { type: 'string' },
    case: { type: 'string' },
  },
});
const [seed, cases] = [Number(values.seed), Number(values.cases)];

if (values.case !== undefined) {
  try {
    console.log(await runCase(targets, seed, Number(values.case), values.target));
  } catch (error) {
    console.log(error);
    if (error instanceof Finding) console.log(`input, in Base64:\n${Buffer.from(error.input).toString('base64')}`);
    process.exitCode = 1;
  }
} else {
  const began = performance.now();
  let shown = 0;
  const perSecond = (done: number) => Math.round((1000 * done) / (performance.now() - began));
  const { findings, outcomes } = await fuzz({
    seed,
    cases,
    target: values.target,
    onProgress(done, found) {
      if (performance.now() - shown < 5_000) return;
      shown = performance.now();
      console.log(`${done} of ${cases} cases, ${found} findings, ${perSecond(done)} cases/s`);
    },
  });
  for (const [outcome, count] of [...outcomes].sort()) console.log(`${String(count).padStart(8)}  ${outcome}`);
  const again = `--seed ${seed}${values.target === undefined ? '' : ` --target ${values.target}`}`;
  for (const { index, message, input } of findings)
    console.log(
      `\ncase ${index}: ${message}\nagain: npm run fuzz -- ${again} --case ${index}\ninput, in Base64: ${input}`,
    );
  console.log(`\n${cases} cases, ${findings.length} findings, ${perSecond(cases)} cases/s`);
  if (!canMeasure) console.log('Memory was not measured: not supported on this system.');
  if (findings.length > 0) process.exitCode = 1;
}
