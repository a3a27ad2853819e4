/** What indexing a whole directory costs: at first, again, and with one package changed; and what the indexers of others take. */

import { copyFile, link, mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Content,
  changedFile,
  directoryOfSmallPackages,
  firstFile,
  type PackageKind,
} from './made-directories.ts';
import { costOfProcess, median, type ProcessCost } from './measurement.ts';
import { type Measured, type Section, versionOf } from './report.ts';

export interface BulkOptions {
  readonly runs: number;
}

const sizes = [100, 1_000, 10_000] as const;
/** The others take a minute and a half for each more. */
const runsMax = 3;
/** dpkg-scanpackages starts a process for each package: 10,000 take more than a minute. */
const scanPackagesMax = 1_000;
/** Publications of a repository are a second apart; whoever comes earlier waits. */
const pauseMilliseconds = 1_300;

interface Indexer {
  readonly name: string;
  readonly kind: PackageKind;
  /** Undefined where it is not installed. */
  readonly version: string | undefined;
  /** Its command line for the directory of packages; `state` is a directory for what it remembers. */
  readonly command: (directory: string, state: string) => readonly string[];
  /** What it is run on: whether it remembers, and how many packages it is given at most. */
  readonly remembers: boolean;
  readonly countMax?: number;
}

const indexerScript = join(import.meta.dirname, '../../scripts/indexer.ts');
const pkgInfo = process.env.PKG_INFO;
const ours: Indexer = {
  name: 'index',
  kind: 'tgz',
  version: 'of this project',
  command: (directory, state) => [
    process.execPath,
    indexerScript,
    'index',
    directory,
    '--state',
    state,
    '--settle',
    '0',
  ],
  remembers: true,
};
const createrepo: Indexer = {
  name: 'createrepo_c',
  kind: 'rpm',
  version: versionOf(['createrepo_c', '--version']),
  command: (directory) => ['createrepo_c', '--quiet', '--update', directory],
  remembers: true,
};
const others: readonly Indexer[] = [
  {
    name: 'apt-ftparchive packages',
    kind: 'deb',
    version: versionOf(['apt-ftparchive', '--version']),
    command: (directory) => ['apt-ftparchive', 'packages', directory],
    remembers: false,
  },
  {
    name: 'apt-ftparchive --db packages',
    kind: 'deb',
    version: versionOf(['apt-ftparchive', '--version']),
    command: (directory, state) => ['apt-ftparchive', '--db', join(state, 'cache'), 'packages', directory],
    remembers: true,
  },
  {
    name: 'dpkg-scanpackages',
    kind: 'deb',
    version: versionOf(['dpkg-scanpackages', '--version']),
    command: (directory) => ['dpkg-scanpackages', directory],
    remembers: false,
    countMax: scanPackagesMax,
  },
  {
    name: 'pkg_info -X | gzip -9',
    kind: 'tgz',
    version: pkgInfo === undefined ? undefined : versionOf([pkgInfo, '-V']),
    command: (directory) => ['sh', '-c', `"${pkgInfo}" -X "$0"/*.tgz | gzip -9`, directory],
    remembers: false,
  },
];

/** Of one run. */
interface Costs {
  readonly first: ProcessCost;
  readonly unchanged?: ProcessCost;
  readonly changed?: ProcessCost;
}

interface Series {
  readonly indexer: Indexer;
  readonly content: Content;
  readonly count: number;
  readonly costs: Costs[];
}

export async function benchBulk({ runs }: BulkOptions): Promise<Section> {
  const installed = [ours, createrepo, ...others].filter(({ version }) => version !== undefined);
  const series: Series[] = [
    ...sizes.flatMap((count) =>
      installed
        .filter(({ countMax = count }) => count <= countMax)
        .map((indexer): Series => ({ indexer, content: 'real', count, costs: [] })),
    ),
    ...installed
      .filter((indexer) => indexer === ours || indexer === createrepo)
      .map((indexer): Series => ({ indexer, content: 'least', count: largest, costs: [] })),
  ];
  for (let run = 0; run < Math.min(runs, runsMax); run += 1) {
    for (const { indexer, content, count, costs } of series) costs.push(await measure(indexer, content, count));
  }
  return {
    name: 'bulk',
    title: 'Indexing a directory',
    about: about(),
    command: 'npm run bench -- bulk [PKG_INFO=/path/to/pkg_info]',
    rows: [...series.flatMap(rowsOf), ...ratios(series, 'real'), ...ratios(series, 'least')],
    plots: [
      {
        file: 'bulk.svg',
        title: 'Indexing a directory for the first time',
        x: 'packages of 20 KB',
        y: 'seconds',
        lines: installed.map((indexer) => lineOf(series, indexer, indexer.name, ({ first }) => first)),
      },
      {
        file: 'bulk-changed.svg',
        title: 'Again, with one package changed',
        x: 'packages of 20 KB',
        y: 'seconds',
        lines: installed
          .filter(({ remembers }) => remembers)
          .map((indexer) => lineOf(series, indexer, indexer.name, ({ changed, first }) => changed ?? first)),
      },
    ],
  };
}

const largest = sizes[sizes.length - 1] ?? 0;

function about(): string {
  const told = [createrepo, ...others].map(({ name, version = 'not installed' }) => `${name}: ${version}`);
  return `\`index DIR\` as a process, from its start to its end, over packages of about 20 KB; and the indexers of other systems over the same
packages in their form: the same names, texts, dependencies, file lists and sizes. (\`createrepo_c --update\` is like \`createrepo_c\`
where it finds nothing of its own.) "The least" are packages with one file and one dependency, where there is nearly nothing to read.
dpkg-scanpackages takes too long for more than ${scanPackagesMax.toLocaleString('en')}. Each run works on a fresh directory; its files are in the page cache. (${told.join('; ')}.)`;
}

function title({ indexer, content, count }: Series): string {
  return `${indexer.name}, ${count.toLocaleString('en')} packages${content === 'least' ? ', the least' : ''}`;
}

function rowsOf(series: Series): Measured[] {
  const seconds = (what: string, of: (costs: Costs) => ProcessCost | undefined): Measured[] => {
    const values = series.costs.flatMap((costs) => of(costs)?.wallMilliseconds ?? []).map((value) => value / 1000);
    return values.length === 0 ? [] : [{ what: `${title(series)}${what}`, unit: 's', values }];
  };
  const memory: Measured = {
    what: `${title(series)}: peak memory`,
    unit: 'MiB',
    values: series.costs.map(({ first }) => first.peakMebibytes),
  };
  return [
    ...seconds('', ({ first }) => first),
    ...seconds(': again, nothing changed', ({ unchanged }) => unchanged),
    ...seconds(': again, one changed', ({ changed }) => changed),
    ...(series.count === largest ? [memory] : []),
  ];
}

/** Of runs that were made side by side. */
function ratios(series: readonly Series[], content: Content): Measured[] {
  const of = (wanted: Indexer) =>
    series.find(({ indexer, count, content: has }) => indexer === wanted && count === largest && has === content)
      ?.costs;
  const [our, their] = [of(ours), of(createrepo)];
  if (our === undefined || their === undefined) return [];
  const ratio = (what: string, limit: number, of: (costs: Costs) => ProcessCost | undefined): Measured => ({
    what: `${largest.toLocaleString('en')} packages${content === 'least' ? ', the least' : ''}: ${what}`,
    unit: '',
    values: our.map((costs, run) => {
      const [one, other] = [of(costs), of(their[run] ?? costs)];
      return (one?.wallMilliseconds ?? Number.NaN) / (other?.wallMilliseconds ?? Number.NaN);
    }),
    limit,
  });
  return [
    ratio('index / createrepo_c', 1.5, ({ first }) => first),
    ratio('one changed, index / createrepo_c --update', 0.5, ({ changed }) => changed),
  ];
}

function lineOf(series: readonly Series[], wanted: Indexer, name: string, of: (costs: Costs) => ProcessCost) {
  const points = series
    .filter(({ indexer, content }) => indexer === wanted && content === 'real')
    .map(({ count, costs }) => [count, median(costs.map((run) => of(run).wallMilliseconds)) / 1000] as const);
  return { name, points };
}

async function measure(indexer: Indexer, content: Content, count: number): Promise<Costs> {
  const packages = await directoryOfSmallPackages(count, indexer.kind, content);
  const place = await mkdtemp(join(tmpdir(), 'bench-bulk-'));
  const [directory, state] = [join(place, 'All'), join(place, '.state')];
  try {
    await mkdir(directory);
    await mkdir(state);
    for (const file of await readdir(packages)) {
      if (file !== changedFile) await link(join(packages, file), join(directory, file));
      await readFile(join(packages, file));
    }
    const run = async (): Promise<ProcessCost> => await costOfProcess(indexer.command(directory, state));
    const first = await run();
    if (!indexer.remembers) return { first };
    const unchanged = await run();
    await copyFile(join(packages, changedFile), join(place, changedFile));
    await rename(join(place, changedFile), join(directory, firstFile(indexer.kind)));
    await sleep(pauseMilliseconds);
    return { first, unchanged, changed: await run() };
  } finally {
    await rm(place, { recursive: true });
  }
}
