/** How long each bundle takes to load in a fresh process, with source maps as on Lambda; and how large it is. */

import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { buildBundles, defaultPlaces } from '../../scripts/build.ts';
import type { Measured, Section } from './report.ts';

const run = promisify(execFile);

/** Fresh processes for each run that is asked for. */
const processesPerRun = 4;

/** Prints the milliseconds. What Node itself needs to come up is not in them. */
const measured = `
  const begin = performance.now();
  require(process.argv[1]);
  console.log(performance.now() - begin);
`;

export async function benchColdStart({ runs }: { readonly runs: number }): Promise<Section> {
  const directory = await mkdtemp(join(tmpdir(), 'cold-start-'));
  const rows: Measured[] = [];
  try {
    for (const { step, file, sizeBytes } of await buildBundles({ ...defaultPlaces, outdir: directory })) {
      const times: number[] = [];
      for (let count = 0; count < processesPerRun * runs; count += 1) times.push(await loadMilliseconds(file));
      rows.push({ what: `${step}: loading`, unit: 'ms', values: times, limit: 150 });
      rows.push({ what: `${step}: size`, unit: 'KB', values: [sizeBytes / 1000] });
    }
  } finally {
    await rm(directory, { recursive: true });
  }
  return {
    name: 'cold-start',
    title: 'Cold start',
    about: `Loading each handler's bundle in a fresh process, ${processesPerRun} for each run, without what Node itself takes to start; and the
bundle's size, minified.`,
    command: 'npm run bench -- cold-start',
    rows,
  };
}

async function loadMilliseconds(file: string): Promise<number> {
  const { stdout } = await run(process.execPath, ['--enable-source-maps', '-e', measured, file], { env: {} });
  return Number(stdout);
}
