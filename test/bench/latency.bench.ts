/** How long an upload takes to be in the index that is served, on one machine. */

import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { ServingIndexer, until } from '../local/indexer-process.ts';
import { makePackage } from '../package-maker.ts';
import { directoryOfPackages } from './made-directories.ts';
import type { Section } from './report.ts';

export interface LatencyOptions {
  readonly runs: number;
}

const packages = 27_699;
/** Publications are at least a second apart, and everything is looked through two seconds after the last event. */
const pauseMilliseconds = 4_000;
const quietCpuMillisecondsMax = 40;
/** Reading all packages at the start. */
const startMillisecondsMax = 300_000;

export async function benchLatency({ runs }: LatencyOptions): Promise<Section> {
  const made = await directoryOfPackages(packages, { payloadBytes: 200 });
  const directory = await mkdtemp(join(tmpdir(), 'bench-latency-'));
  const milliseconds: number[] = [];
  const cpu: number[] = [];
  const read: number[] = [];
  try {
    await cp(made, join(directory, 'All'), { recursive: true });
    const indexer = await ServingIndexer.start(directory, ['--debounce', '0']);
    const index = `${indexer.url}/All/pkg_summary.gz`;
    await until('all packages are indexed', () => hasAll(index), startMillisecondsMax);
    for (let run = 0; run < runs; run += 1) {
      await quiet(indexer);
      const [cpuBefore, readBefore] = [await indexer.cpuTime(), await indexer.bytesRead()];
      milliseconds.push(await uploadToIndex(indexer.url, `latency${run}-1.0`));
      await quiet(indexer);
      cpu.push((await indexer.cpuTime()) - cpuBefore);
      read.push(((await indexer.bytesRead()) - readBefore) / 1e6);
    }
    await indexer.interrupt();
  } finally {
    await rm(directory, { recursive: true });
  }
  return {
    name: 'latency',
    title: 'From an upload to the served index',
    about: `\`serve --debounce 0\` of ${packages.toLocaleString('en')} packages: from the beginning of an upload over HTTP until the index that is
served, in gz, is another one; nothing else going on. Its processor time, with that of the requests that ask for the index, and what it
reads of files, are until it is quiet again.`,
    command: 'npm run bench -- latency',
    rows: [
      { what: `${packages.toLocaleString('en')} packages`, unit: 'ms', values: milliseconds, limit: 120 },
      { what: `${packages.toLocaleString('en')} packages: until quiet`, unit: 'ms CPU', values: cpu, limit: 250 },
      { what: `${packages.toLocaleString('en')} packages: read`, unit: 'MB', values: read },
    ],
  };
}

/** Until it has done next to nothing for some seconds: it checks after an upload, too. */
async function quiet(indexer: ServingIndexer): Promise<void> {
  for (let before = await indexer.cpuTime(); ; ) {
    await sleep(pauseMilliseconds);
    const now = await indexer.cpuTime();
    if (now - before <= quietCpuMillisecondsMax) return;
    before = now;
  }
}

async function hasAll(index: string): Promise<true | undefined> {
  await sleep(1_000);
  const answer = await fetch(index);
  if (answer.status !== 200) return undefined;
  const text = gunzipSync(await answer.arrayBuffer()).toString('latin1');
  return text.split('\nFILE_NAME=').length - 1 === packages || undefined;
}

async function uploadToIndex(url: string, name: string): Promise<number> {
  const etag = async () => (await fetch(`${url}/All/pkg_summary.gz`, { method: 'HEAD' })).headers.get('etag');
  const before = await etag();
  const begin = performance.now();
  await fetch(`${url}/All/${name}.tgz`, { method: 'PUT', body: makePackage({ name }) });
  while ((await etag()) === before) await sleep(2);
  return performance.now() - begin;
}
