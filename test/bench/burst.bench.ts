/** Many packages at once: how long until all of them are in the index that is served, in how many publications, in how much memory. */

import { copyFile, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { ServingIndexer, until } from '../local/indexer-process.ts';
import { changedFile, directoryOfSmallPackages } from './made-directories.ts';
import type { Measured, Section } from './report.ts';

export interface BurstOptions {
  readonly runs: number;
}

const packages = 10_000;
const runsMax = 3;
const pollMilliseconds = 250;
/** It takes seconds; this is to end a run in which something is lost. */
const millisecondsMax = 300_000;

interface Burst {
  readonly copiedSeconds: number;
  readonly servedSeconds: number;
  readonly publications: number;
  readonly peakMebibytes: number;
}

export async function benchBurst({ runs }: BurstOptions): Promise<Section> {
  const made = await directoryOfSmallPackages(packages, 'tgz', 'real');
  const bursts: Burst[] = [];
  for (let run = 0; run < Math.min(runs, runsMax); run += 1) bursts.push(await measure(made));
  const row = (what: string, unit: string, of: (burst: Burst) => number): Measured => ({
    what: `${packages.toLocaleString('en')} packages: ${what}`,
    unit,
    values: bursts.map(of),
  });
  return {
    name: 'burst',
    title: 'A burst of packages',
    about: `\`serve\` of an empty directory, into which ${packages.toLocaleString('en')} packages of about 20 KB are copied, one after the other: the time
from the first one's beginning until the served index has all of them.`,
    command: 'npm run bench -- burst',
    rows: [
      row('copied after', 's', ({ copiedSeconds }) => copiedSeconds),
      row('in the served index after', 's', ({ servedSeconds }) => servedSeconds),
      row('publications', '', ({ publications }) => publications),
      row('peak memory', 'MiB', ({ peakMebibytes }) => peakMebibytes),
    ],
  };
}

async function measure(made: string): Promise<Burst> {
  const directory = await mkdtemp(join(tmpdir(), 'bench-burst-'));
  try {
    await mkdir(join(directory, 'All'));
    const indexer = await ServingIndexer.start(directory);
    const begin = performance.now();
    const seconds = () => (performance.now() - begin) / 1000;
    for (const file of await readdir(made)) {
      if (file !== changedFile) await copyFile(join(made, file), join(directory, 'All', file));
    }
    const copiedSeconds = seconds();
    await until('all packages are in the index', () => hasAll(indexer.url), millisecondsMax);
    const servedSeconds = seconds();
    const peakMebibytes = (await indexer.peakMemory()) / 2 ** 20;
    await indexer.interrupt();
    const publications = indexer.output.split('\n').filter((line) => line.includes('published All')).length;
    return { copiedSeconds, servedSeconds, publications, peakMebibytes };
  } finally {
    await rm(directory, { recursive: true });
  }
}

async function hasAll(url: string): Promise<true | undefined> {
  await sleep(pollMilliseconds);
  const answer = await fetch(`${url}/All/pkg_summary.gz`);
  if (answer.status !== 200) return undefined;
  const text = gunzipSync(await answer.arrayBuffer()).toString('latin1');
  return text.split('\nFILE_NAME=').length - 1 === packages || undefined;
}
