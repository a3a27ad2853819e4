/**
 * How long each bundle takes to load in a fresh process, with source maps as on Lambda: `npm run bench:cold`. Fails where a
 * median is over the target.
 */

import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { buildBundles, defaultPlaces } from '../../scripts/build.ts';

const run = promisify(execFile);

const processes = 20;
const targetMilliseconds = 150;

/** Prints the milliseconds. What Node itself needs to come up is not in them. */
const measured = `
  const begin = performance.now();
  require(process.argv[1]);
  console.log(performance.now() - begin);
`;

async function loadMilliseconds(file: string): Promise<number> {
  const { stdout } = await run(process.execPath, ['--enable-source-maps', '-e', measured, file], { env: {} });
  return Number(stdout);
}

function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(Math.ceil(share * sorted.length) - 1, 0)] ?? Number.NaN;
}

const directory = await mkdtemp(join(tmpdir(), 'cold-start-'));
try {
  const bundles = await buildBundles({ ...defaultPlaces, outdir: directory });
  console.log(`${processes} fresh processes each, Node ${process.versions.node}, ${process.arch}`);
  for (const { step, file, sizeBytes } of bundles) {
    const times: number[] = [];
    for (let count = 0; count < processes; count += 1) times.push(await loadMilliseconds(file));
    const sorted = times.toSorted((one, other) => one - other);
    const [best, median, slow] = [percentile(sorted, 0), percentile(sorted, 0.5), percentile(sorted, 0.9)];
    const figures = Object.entries({ best, median, p90: slow }).map(
      ([name, value]) => `${name} ${value.toFixed(0)} ms`,
    );
    console.log(`${step.padEnd(10)} ${(sizeBytes / 1000).toFixed(0)} KB   ${figures.join('   ')}`);
    if (median > targetMilliseconds) process.exitCode = 1;
  }
} finally {
  await rm(directory, { recursive: true });
}
