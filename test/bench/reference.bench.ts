/** Beside libarchive in C: indexing 10,000 packages from nothing, printing records, and small runs, which mostly start. */

import { mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildPackage } from '../../scripts/build-package.ts';
import { makePackage } from '../package-maker.ts';
import { costOfProcess, type ProcessCost } from './measurement.ts';
import { directoryOfLinks, linkAll } from './real-like-packages.ts';
import { buildReference } from './reference.ts';
import type { Measured, Section } from './report.ts';

export interface ReferenceOptions {
  readonly runs: number;
}

const many = 10_000;
const all = 27_699;
const few = 100;
const printed = 1_556;
/** Publications of a repository are a second apart; whoever comes earlier waits. */
const pauseMilliseconds = 1_300;

/** The command that is measured: as it is installed, unless another one is named. */
let indexer = process.env.PKGSRC_INDEXER ?? '';

export async function benchReference({ runs }: ReferenceOptions): Promise<Section> {
  const reference = await buildReference();
  const program = 'program' in reference ? reference.program : undefined;
  if ('absent' in reference) console.log(`no reference in C: ${reference.absent}`);
  const place = await mkdtemp(join(tmpdir(), 'bench-reference-'));
  try {
    indexer ||= await installedBundle(place);
    const rows = [
      ...(await benchIndex(place, program, runs)),
      ...(await benchRecord(program, runs)),
      ...(await benchRepeated(place, few, runs, { first: 0.15, unchanged: 0.1 })),
      ...(await benchRepeated(place, all, runs, { unchanged: 0.5, changed: 0.6, peak: 120 })),
    ];
    return {
      name: 'reference',
      title: 'Beside libarchive in C',
      about: `\`libarchive-head\` (\`test/bench/peers/\`) reads the metadata of each package by libarchive, as pkg_info does, and makes no record of
them; \`index\` and \`record\` are those of the installed package. ${many.toLocaleString('en')} packages, hard links to 389 distinct ones (\`test/bench/real-like-packages.ts\`), in the page cache. Each process from its start to its
end; the ratios are of runs one after the other.${program === undefined ? ' There was no libarchive to compare with.' : ''}`,
      command: 'npm run bench -- reference',
      rows,
    };
  } finally {
    await rm(place, { recursive: true });
  }
}

async function installedBundle(place: string): Promise<string> {
  const directory = join(place, 'package/dist');
  await buildPackage(directory);
  await writeFile(join(place, 'package/package.json'), JSON.stringify({ type: 'module' }));
  return join(directory, 'pkgsrc-indexer.cjs');
}

async function benchIndex(place: string, program: string | undefined, runs: number): Promise<Measured[]> {
  const packages = await directoryOfLinks(many);
  const ours: ProcessCost[] = [];
  const theirs: ProcessCost[] = [];
  for (let run = 0; run < runs; run += 1) {
    if (program !== undefined) theirs.push(await costOfReference(program, packages, `| gzip -9`));
    await linkAll(packages, join(place, 'run/All'));
    ours.push(await index(join(place, 'run')));
    await rm(join(place, 'run'), { recursive: true });
  }
  const name = `index, ${many.toLocaleString('en')} packages`;
  return [
    ...costRows(name, ours),
    { what: `${name}: peak memory`, unit: 'MiB', values: ours.map(({ peakMebibytes }) => peakMebibytes), limit: 200 },
    ...(theirs.length === 0
      ? []
      : [
          ...costRows('libarchive-head \\| gzip -9', theirs),
          ratio(
            'index / libarchive-head \\| gzip -9: by the clock',
            ours,
            theirs,
            ({ wallMilliseconds }) => wallMilliseconds,
            0.8,
          ),
          ratio(
            'index / libarchive-head \\| gzip -9: CPU',
            ours,
            theirs,
            ({ cpuMilliseconds }) => cpuMilliseconds,
            1.2,
          ),
        ]),
  ];
}

async function benchRecord(program: string | undefined, runs: number): Promise<Measured[]> {
  const packages = await directoryOfLinks(printed);
  const files = (await readdir(packages)).map((file) => join(packages, file));
  const ours: ProcessCost[] = [];
  const theirs: ProcessCost[] = [];
  const one: ProcessCost[] = [];
  for (let run = 0; run < runs; run += 1) {
    if (program !== undefined) theirs.push(await costOfReference(program, packages));
    ours.push(await costOfProcess([process.execPath, indexer, 'record', ...files]));
    one.push(await costOfProcess([process.execPath, indexer, 'record', ...files.slice(0, 1)]));
  }
  const name = `record, ${printed.toLocaleString('en')} packages`;
  return [
    ...costRows(name, ours),
    ...(theirs.length === 0
      ? []
      : [ratio(`${name} / libarchive-head: CPU`, ours, theirs, ({ cpuMilliseconds }) => cpuMilliseconds, 1.2)]),
    { ...cpuRow('record, 1 package', one), limit: 120 },
  ];
}

interface Limits {
  readonly first?: number;
  readonly unchanged: number;
  readonly changed?: number;
  readonly peak?: number;
}

/** At first, again, and with one package changed. */
async function benchRepeated(place: string, count: number, runs: number, limits: Limits): Promise<Measured[]> {
  const packages = await directoryOfLinks(count);
  const first: ProcessCost[] = [];
  const unchanged: ProcessCost[] = [];
  const changed: ProcessCost[] = [];
  for (let run = 0; run < runs; run += 1) {
    const directory = join(place, 'repeated');
    await linkAll(packages, join(directory, 'All'));
    first.push(await index(directory));
    unchanged.push(await index(directory));
    const [file = ''] = await readdir(packages);
    await writeFile(
      join(directory, '.new'),
      makePackage({ name: `changed-${run}`, payload: { 'bin/changed': 50_000 } }),
    );
    await rename(join(directory, '.new'), join(directory, 'All', file));
    await sleep(pauseMilliseconds);
    changed.push(await index(directory));
    await rm(directory, { recursive: true });
  }
  const name = `index, ${count.toLocaleString('en')} packages`;
  const seconds = (what: string, costs: readonly ProcessCost[], limit: number | undefined): Measured => ({
    what: `${name}${what}`,
    unit: 's',
    values: costs.map(({ wallMilliseconds }) => wallMilliseconds / 1000),
    ...(limit === undefined ? {} : { limit }),
  });
  return [
    seconds('', first, limits.first),
    seconds(': again, nothing changed', unchanged, limits.unchanged),
    cpuRow(`${name}: again, nothing changed`, unchanged),
    {
      what: `${name}: again, nothing changed: peak memory`,
      unit: 'MiB',
      values: unchanged.map(({ peakMebibytes }) => peakMebibytes),
      ...(limits.peak === undefined ? {} : { limit: limits.peak }),
    },
    seconds(': again, one changed', changed, limits.changed),
  ];
}

async function index(directory: string): Promise<ProcessCost> {
  return await costOfProcess([process.execPath, indexer, 'index', directory, '--settle', '0']);
}

async function costOfReference(program: string, packages: string, further = ''): Promise<ProcessCost> {
  const command = `find "$1" -name '*.tgz' | "$0" ${further} > /dev/null`;
  return await costOfProcess(['sh', '-c', command, program, packages]);
}

function costRows(what: string, costs: readonly ProcessCost[]): Measured[] {
  const values = costs.map(({ wallMilliseconds }) => wallMilliseconds / 1000);
  return [{ what, unit: 's', values }, cpuRow(what, costs)];
}

function cpuRow(what: string, costs: readonly ProcessCost[]): Measured {
  return { what: `${what}: CPU`, unit: 'ms', values: costs.map(({ cpuMilliseconds }) => cpuMilliseconds) };
}

function ratio(
  what: string,
  ours: readonly ProcessCost[],
  theirs: readonly ProcessCost[],
  of: (cost: ProcessCost) => number,
  limit: number,
): Measured {
  const values = ours.map((cost, run) => of(cost) / of(theirs[run] ?? cost));
  return { what, unit: '', values, limit };
}
