/** What publishing one change costs, whatever the size of the repository; against compressing all of its summary. */

import { createReadStream, createWriteStream } from 'node:fs';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { constants, createGunzip, gzipSync, zstdCompressSync } from 'node:zlib';
import { keptDirectory } from './made-directories.ts';
import { costOfProcess, median } from './measurement.ts';
import type { PublishCost, PublishRun } from './publish-run.ts';
import type { Measured, Plot, Section } from './report.ts';
import { SeededRandom } from './seeded-random.ts';

export interface PublishOptions {
  readonly runs: number;
  /** A summary in zst that is measured beside the made ones. */
  readonly records?: string | undefined;
}

const sizes = [277, 2_770, 27_699, 100_000] as const;
const acceptedSize = 27_699;
const largestSize = 100_000;
/** Changes of one process before those that are measured: its code has to be compiled. */
const warmUps = 3;
/** time(1) counts in hundredths of a second: below this its figure says little. */
const gzipMillisecondsMin = 50;

export async function benchPublish({ runs, records }: PublishOptions): Promise<Section> {
  const rows: Measured[] = [];
  const cpu = new Map<number, readonly number[]>();
  const gzip = new Map<number, readonly number[]>();
  for (const size of sizes) {
    const measured = await measure(`${size.toLocaleString('en')} packages`, String(size), runs);
    rows.push(...measured.rows);
    cpu.set(size, measured.cpu);
    gzip.set(size, measured.gzip);
  }
  const [small = Number.NaN] = [...cpu.values()].map(median);
  rows.push({
    what: `one change: CPU of ${acceptedSize.toLocaleString('en')} / of ${sizes[0]} packages`,
    unit: '',
    values: (cpu.get(acceptedSize) ?? []).map((value) => value / small),
    limit: 4,
  });
  if (records !== undefined) rows.push(...(await measure('real summary', records, runs)).rows);
  return {
    name: 'publish',
    title: 'Publishing one change',
    about: `One row of a repository changes, and both indexes are replaced, over a directory and SQLite; in a process that has published
before. A new package has index.html replaced as well. Beside it \`gzip -9\` of the same summary, and all of it made anew. Memory is that of a process that publishes once.`,
    command: 'npm run bench -- publish [--records FILE]',
    rows,
    plots: [plotOf(cpu, gzip)],
  };
}

function plotOf(cpu: ReadonlyMap<number, readonly number[]>, gzip: ReadonlyMap<number, readonly number[]>): Plot {
  const line = (name: string, values: ReadonlyMap<number, readonly number[]>) => ({
    name,
    points: [...values].map(([size, each]) => [size, median(each)] as const),
  });
  return {
    file: 'publish.svg',
    title: 'Publishing one change',
    x: 'packages in the repository',
    y: 'ms CPU',
    lines: [line('one change published', cpu), line('gzip -9 of the summary', gzip)],
  };
}

interface Measurement {
  readonly rows: readonly Measured[];
  /** Milliseconds, for each run. */
  readonly cpu: readonly number[];
  readonly gzip: readonly number[];
}

/** @param source so many made packages, or a summary in zst. */
async function measure(name: string, source: string, runs: number): Promise<Measurement> {
  const kept = await keptDirectory(`publish-${source.replaceAll(/[^\w.-]/g, '_')}`, async (directory) => {
    await run('prepare', directory, [source]);
  });
  const directory = await mkdtemp(join(tmpdir(), 'bench-publish-'));
  try {
    await cp(kept, directory, { recursive: true });
    // A copy of an index is none of ours any more.
    const rebuild = await run('rebuild', directory, []);
    const text = join(directory, 'pkg_summary.txt');
    await pipeline(createReadStream(join(directory, 'All/pkg_summary.gz')), createGunzip(), createWriteStream(text));
    const files = pickFiles(await readFile(text, 'latin1'), warmUps + runs + 1);
    const [first = ''] = files;
    const once = await run('change', directory, [first]);
    const { costs } = await run('change', directory, files.slice(1));
    const changes = costs.slice(warmUps);
    const additions = (await run('add', directory, files.slice(1))).costs.slice(warmUps);
    const gzip: number[] = [];
    for (let count = 0; count < runs; count += 1)
      gzip.push((await costOfProcess(['sh', '-c', 'gzip -9 -c "$0" > "$0.gz"', text])).cpuMilliseconds);
    const share = await sizesOf(directory, text);
    const isAccepted = source === String(acceptedSize) || isReal(source);
    const memoryLimit = source === String(largestSize) ? { limit: 256 } : {};
    const of = (what: string, unit: string, value: (cost: PublishCost) => number, limit?: number): Measured => ({
      what: `${name}: one change: ${what}`,
      unit,
      values: changes.map(value),
      ...(limit === undefined ? {} : { limit }),
    });
    const gzipMedian = median(gzip);
    return {
      cpu: changes.map(({ cpuMilliseconds }) => cpuMilliseconds),
      gzip,
      rows: [
        of('CPU', 'ms', ({ cpuMilliseconds }) => cpuMilliseconds),
        of('by the clock', 'ms', ({ wallMilliseconds }) => wallMilliseconds),
        of('rows read', '', ({ rowsRead }) => rowsRead, 1),
        of('read', 'MB', ({ bytesRead }) => bytesRead / 1e6),
        of('written', 'MB', ({ bytesWritten }) => bytesWritten / 1e6),
        { what: `${name}: a new package: CPU`, unit: 'ms', values: additions.map((cost) => cost.cpuMilliseconds) },
        {
          what: `${name}: a new package: written`,
          unit: 'MB',
          values: additions.map((cost) => cost.bytesWritten / 1e6),
        },
        { what: `${name}: one change: peak memory`, unit: 'MiB', values: [once.peakMebibytes], ...memoryLimit },
        ...(gzipMedian < gzipMillisecondsMin
          ? []
          : [
              { what: `${name}: gzip -9: CPU`, unit: 'ms', values: gzip },
              of(
                'CPU / gzip -9',
                '',
                ({ cpuMilliseconds }) => cpuMilliseconds / gzipMedian,
                isAccepted ? 0.15 : undefined,
              ),
            ]),
        { what: `${name}: all anew: CPU`, unit: 'ms', values: rebuild.costs.map((cost) => cost.cpuMilliseconds) },
        { what: `${name}: all anew: peak memory`, unit: 'MiB', values: [rebuild.peakMebibytes], ...memoryLimit },
        { what: `${name}: gz / whole-file gzip -9`, unit: 'of its size', values: [share.gz], limit: 1.03 },
        {
          what: `${name}: zst / whole-file zstd -9`,
          unit: 'of its size',
          values: [share.zst],
          ...(isReal(source) ? { limit: 1.45 } : {}),
        },
      ],
    };
  } finally {
    await rm(directory, { recursive: true });
  }
}

function isReal(source: string): boolean {
  return !/^\d+$/.test(source);
}

/** FILE_NAMEs, anywhere in the summary. */
function pickFiles(text: string, count: number): string[] {
  const files = [...text.matchAll(/^FILE_NAME=(.*)$/gm)].map(([, file = '']) => Buffer.from(file, 'latin1').toString());
  const random = new SeededRandom(files.length);
  return Array.from({ length: count }, () => random.pick(files));
}

async function sizesOf(directory: string, text: string): Promise<{ readonly gz: number; readonly zst: number }> {
  const summary = await readFile(text);
  const bytesOf = async (file: string) => (await readFile(join(directory, 'All', file))).length;
  const params = { [constants.ZSTD_c_compressionLevel]: 9, [constants.ZSTD_c_checksumFlag]: 1 };
  return {
    gz: (await bytesOf('pkg_summary.gz')) / gzipSync(summary, { level: 9 }).length,
    zst: (await bytesOf('pkg_summary.zst')) / zstdCompressSync(summary, { params }).length,
  };
}

async function run(way: string, directory: string, names: readonly string[]): Promise<PublishRun> {
  const script = join(import.meta.dirname, 'publish-run.ts');
  const { stdout } = await costOfProcess([process.execPath, script, way, directory, ...names]);
  return stdout === '' ? { costs: [], peakMebibytes: Number.NaN } : (JSON.parse(stdout) as PublishRun);
}
