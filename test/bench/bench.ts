/**
 * `npm run bench`: measures, prints tables, and writes docs/benchmarks.md anew from the last results of each section.
 *
 *   npm run bench                             everything
 *   npm run bench -- extract --runs 9         some sections, more runs
 *   npm run bench -- extract --packages DIR   packages of yours besides
 *   npm run bench -- publish --records FILE   a summary (pkg_summary.zst) of yours besides
 */

import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Argument, Command } from 'commander';
import { benchBulk } from './bulk.bench.ts';
import { benchBurst } from './burst.bench.ts';
import { benchColdStart } from './cold-start.bench.ts';
import { benchExtract } from './extract.bench.ts';
import { benchLatency } from './latency.bench.ts';
import { plotSvg } from './plot-svg.ts';
import { benchPublish } from './publish.bench.ts';
import { benchReference } from './reference.bench.ts';
import { describeMachine, type Result, type Section, sectionText, tableOf } from './report.ts';

export interface BenchOptions {
  readonly runs: number;
  readonly packages: readonly string[];
  readonly records?: string;
}

const sections: Readonly<Record<string, (options: BenchOptions) => Promise<Section>>> = {
  extract: benchExtract,
  reference: benchReference,
  bulk: benchBulk,
  publish: benchPublish,
  latency: benchLatency,
  burst: benchBurst,
  'cold-start': benchColdStart,
};

const documents = join(import.meta.dirname, '../../docs');
const results = join(documents, 'benchmarks');

const program = new Command('bench')
  .addArgument(
    new Argument('[sections...]', 'what to measure; everything where none is named').choices(Object.keys(sections)),
  )
  .option('--runs <number>', 'how often each is measured', Number, 3)
  .option('--packages <directories...>', 'directories of packages that are measured beside the made ones', [])
  .option('--records <file>', 'a pkg_summary.zst that is published beside the made ones')
  .option('--print', 'print the tables only; write no document')
  .parse();
const { print, ...options } = program.opts<BenchOptions & { print?: boolean }>();
const wanted = program.args.length === 0 ? Object.keys(sections) : program.args;

for (const name of wanted) {
  const bench = sections[name];
  if (bench === undefined) throw new Error(`there is no section ${name}`);
  const section = await bench(options);
  console.log(`${section.title}\n\n${tableOf(section.rows)}\n`);
  if (print) continue;
  const result: Result = { ...section, date: new Date().toISOString().slice(0, 10), machine: describeMachine() };
  await mkdir(results, { recursive: true });
  await writeFile(join(results, `${name}.json`), `${JSON.stringify(result, undefined, 2)}\n`);
  for (const plot of section.plots ?? []) await writeFile(join(results, plot.file), plotSvg(plot));
}
if (!print) await writeDocument();

async function writeDocument(): Promise<void> {
  const there = await readdir(results);
  const texts: string[] = [];
  for (const name of Object.keys(sections)) {
    if (!there.includes(`${name}.json`)) continue;
    texts.push(sectionText(JSON.parse(await readFile(join(results, `${name}.json`), 'utf8')) as Result));
  }
  const introduction = `# Benchmarks

Written by \`npm run bench\`. Ratios are of things that were measured side by side, in the same run; the median of several runs, and
their spread. The data is made from a seed (\`test/bench/made-packages.ts\`), as large and as compressible as real data; processor time is
that of all threads, memory the largest resident set.`;
  await writeFile(join(documents, 'benchmarks.md'), `${[introduction, ...texts].join('\n\n')}\n`);
}
