/** What reading one package costs: processor time, bytes, requests. */

import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { corpora } from '../corpus.ts';
import type { ExtractRun } from './extract-run.ts';
import { directoryOfPackages } from './made-directories.ts';
import { costOfProcess, median } from './measurement.ts';
import type { Measured, Section } from './report.ts';

export interface ExtractOptions {
  readonly runs: number;
  /** Directories of packages that are measured beside the made ones. */
  readonly packages: readonly string[];
}

const packagesMade = 389;
/** Of fewer packages a first pass says more about the start of a process than about them. */
const packagesForFirstPass = 200;

export async function benchExtract({ runs, packages }: ExtractOptions): Promise<Section> {
  const made = await directoryOfPackages(packagesMade);
  const rows: Measured[] = [];
  for (const [name, directory] of [
    ['made', made] as const,
    ...packages.map((path) => [basename(resolve(path)), path] as const),
  ])
    rows.push(...(await measureDirectory(name, directory, runs)));
  for (const corpus of corpora.filter(({ absent }) => absent === false))
    rows.push(await measureCorpus(corpus.directory, runs));
  return {
    name: 'extract',
    title: 'Reading a package',
    about: `Every package of a directory once: ${packagesMade} made ones, as large as real ones are. "record" reads and prints, as
\`pkg_info -X\` does; "extract" is the whole step: look, read, check, write the row (to memory), look again. The first pass is that
of a fresh process, where the code has yet to be optimized; a later one is what a process that lives on takes. \`index\` reads by calls
that block; \`serve\` must not, and pays for that. "Far" is a store 20 ms away, 16 packages at a time. Peak memory is that of the
process for all passes; for the corpus, which has packages that were made to take as much as they can, for one.`,
    command: 'npm run bench -- extract [--packages DIR] [PKG_INFO=/path/to/pkg_info]',
    rows,
  };
}

async function measureDirectory(name: string, directory: string, runs: number): Promise<Measured[]> {
  const record: ExtractRun[] = [];
  const index: ExtractRun[] = [];
  const serve: ExtractRun[] = [];
  const far: ExtractRun[] = [];
  const pkgInfo: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    record.push(await runExtract('record', directory));
    index.push(await runExtract('index', directory));
    serve.push(await runExtract('serve', directory));
    far.push(await runExtract('far', directory));
    const cost = await costOfPkgInfo(directory);
    if (cost !== undefined) pkgInfo.push(cost);
  }
  const each = (of: (run: ExtractRun) => number) => (run: ExtractRun) => of(run) / run.packages;
  const cpu = (what: string, values: readonly number[], limit?: number): Measured => ({
    what: `${name}: ${what}`,
    unit: 'ms CPU',
    values,
    ...(limit === undefined ? {} : { limit }),
  });
  const recordFirst = record.map(each(({ first }) => first.cpuMilliseconds));
  const recordLater = record.map(each(({ later }) => later.cpuMilliseconds));
  const ratio = (what: string, values: readonly number[]): Measured => ({
    what: `${name}: ${what} / pkg_info -X`,
    unit: '',
    values: values.map((value, n) => value / (pkgInfo[n] ?? Number.NaN)),
    limit: 0.9,
  });
  const isLarge = record.every(({ packages }) => packages >= packagesForFirstPass);
  const firstPasses = [
    cpu('record, first pass', recordFirst, 0.3),
    cpu('extract as in `index`, first pass', index.map(each(({ first }) => first.cpuMilliseconds))),
  ];
  return [
    ...(isLarge ? firstPasses : []),
    cpu('record, later', recordLater, 0.3),
    cpu('extract as in `index`, later', index.map(each(({ later }) => later.cpuMilliseconds)), 0.3),
    cpu('extract as in `serve`, later', serve.map(each(({ later }) => later.cpuMilliseconds))),
    cpu('extract, far, later', far.map(each(({ later }) => later.cpuMilliseconds))),
    {
      what: `${name}: extract, far, by the clock`,
      unit: 'ms',
      values: far.map(each(({ later }) => later.wallMilliseconds)),
    },
    ...(pkgInfo.length === 0
      ? []
      : [
          cpu('pkg_info -X', pkgInfo),
          ...(isLarge ? [ratio('record, first pass', recordFirst)] : []),
          ratio('record, later', recordLater),
        ]),
    { what: `${name}: read`, unit: 'KiB', values: index.map(each(({ bytesRead }) => bytesRead / 1024)), limit: 20 },
    {
      what: `${name}: read`,
      unit: '% of the bytes',
      values: index.map(({ bytesRead, packageBytes }) => (100 * bytesRead) / packageBytes),
      // Small packages are read whole.
      ...(isLarge ? { limit: 4 } : {}),
    },
    { what: `${name}: requests`, unit: '', values: index.map(each(({ requests }) => requests)) },
    { what: `${name}: peak memory`, unit: 'MiB', values: index.map(({ peakMebibytes }) => peakMebibytes) },
  ];
}

async function measureCorpus(directory: string, runs: number): Promise<Measured> {
  const values: number[] = [];
  const absolute = join(import.meta.dirname, '../..', directory);
  for (let run = 0; run < runs; run += 1) values.push((await runExtract('corpus', absolute)).peakMebibytes);
  return { what: `${directory}: peak memory`, unit: 'MiB', values, limit: 128 };
}

async function runExtract(way: string, directory: string): Promise<ExtractRun> {
  const script = join(import.meta.dirname, 'extract-run.ts');
  const { stdout } = await costOfProcess([process.execPath, script, way, directory], {
    environment: { NODE_COMPILE_CACHE: join(tmpdir(), 'pkgsrc-indexer-bench/compiled') },
  });
  return JSON.parse(stdout) as ExtractRun;
}

/** For each package, all of them given to one process, its start included; undefined where there is no pkg_info. */
async function costOfPkgInfo(directory: string): Promise<number | undefined> {
  const command = process.env.PKG_INFO;
  if (command === undefined) return undefined;
  const files = readdirSync(directory).filter((file) => file.endsWith('.tgz'));
  const costs: number[] = [];
  for (let run = 0; run < 3; run += 1) {
    const { cpuMilliseconds } = await costOfProcess([command, '-X', ...files.map((file) => join(directory, file))]);
    costs.push(cpuMilliseconds / files.length);
  }
  return median(costs);
}
