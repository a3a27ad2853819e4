/** `check DIR|--stack NAME`: the findings of each repository. Reads the table only. */

import { styleText } from 'node:util';
import type { Command } from 'commander';
import type { ConsistencyReport } from '../../functions/check/consistency.ts';
import {
  countFindings,
  type Finding,
  type FindingKind,
  findingTitles,
  listFindings,
  sumOf,
} from '../../functions/check/findings.ts';
import { CannotRun } from '../../functions/failures.ts';
import { joinKey } from '../../functions/keys.ts';
import type { RecordTable, Repository } from '../../functions/ports.ts';
import { count, printable, repositoryName } from '../../functions/wording.ts';
import { addReadOptions, openTarget, type ReadOptions, type ReadTarget } from '../read-target.ts';
import { parsePath } from '../terminal/argument-parsers.ts';
import { type ExitCode, exitCodes } from '../terminal/exit-codes.ts';
import { ownCommand } from '../terminal/own-command.ts';
import { ending } from '../terminal/run-command.ts';
import { shortList } from '../terminal/short-list.ts';
import { type Cell, type Column, textTable } from '../terminal/text-table.ts';

export function addCommand(program: Command): void {
  const command = program
    .command('check')
    .description('report foreign architectures, dependency cycles, missing dependencies and libraries, and duplicates')
    .argument('[dir]', 'an indexed directory, or a directory below it', parsePath);
  addReadOptions(command).action(ending(check));
}

/** The report of one repository. */
interface Checked {
  readonly repository: Repository;
  /** Undefined where the records need too much memory. */
  readonly report: ConsistencyReport | undefined;
}

async function check(directory: string | undefined, options: ReadOptions): Promise<ExitCode> {
  const checked = await checkTarget(directory, options);
  if (options.json) console.log(JSON.stringify({ repositories: checked.map(forPrograms) }, undefined, 2));
  else console.log(describeAll(checked));
  if (checked.some(({ report }) => report === undefined)) return exitCodes.couldNotRun;
  return checked.some((each) => findingsOf(each) > 0) ? exitCodes.found : exitCodes.done;
}

async function checkTarget(directory: string | undefined, options: ReadOptions): Promise<Checked[]> {
  const target = await openTarget(directory, options);
  try {
    const checked = await checkTable(target.records, target.prefixes);
    if (checked.length > 0) return checked;
    throw new CannotRun(describeEmpty(target));
  } finally {
    target.close();
  }
}

function describeEmpty(target: ReadTarget): string {
  return target.kind === 'stack'
    ? `the table of ${target.name} is empty: ${ownCommand(`status --stack ${target.name}`)} shows what is pending`
    : `${target.directory} has not been indexed yet: give the --state (or --config) of its indexer, or run ${ownCommand(`index ${target.directory}`)} first`;
}

/** @param prefixes of the keys to check, each with its trailing `/`; none: all keys */
async function checkTable(records: RecordTable, prefixes: readonly string[]): Promise<Checked[]> {
  const { checkRows } = await import('../../functions/check/repository-facts.ts');
  const checked: Checked[] = [];
  const isSelected = (repository: Repository) =>
    prefixes.length === 0 || prefixes.some((prefix) => joinKey(repository, '').startsWith(prefix));
  for await (const repository of records.repositories()) {
    if (!isSelected(repository)) continue;
    const report = await checkRows(records.rows(repository));
    if (report?.packages !== 0) checked.push({ repository, report });
  }
  return checked.sort((a, b) => (a.repository < b.repository ? -1 : 1));
}

/** docs/json.md describes it. */
function forPrograms({ repository, report }: Checked): unknown {
  return { repository, report: report ?? null, findings: report === undefined ? null : countFindings(report) };
}

function findingsOf({ report }: Checked): number {
  return report === undefined ? 0 : sumOf(countFindings(report));
}

function describeAll(checked: readonly Checked[]): string {
  const findings = checked.reduce((sum, each) => sum + findingsOf(each), 0);
  const packages = checked.reduce((sum, { report }) => sum + (report?.packages ?? 0), 0);
  const all = `${count(packages, 'package')} in ${count(checked.length, 'repository', 'repositories')}`;
  const end =
    findings === 0
      ? styleText('green', `${all}: no findings`)
      : styleText('yellow', `${all}: ${count(findings, 'finding')}`);
  return [...checked.filter((each) => each.report === undefined || findingsOf(each) > 0).map(describe), end].join(
    '\n\n',
  );
}

function describe({ repository, report }: Checked): string {
  const name = styleText('bold', printable(repositoryName(repository)));
  if (report === undefined) return `${name}: too many records to check at once`;
  const byKind = Map.groupBy(listFindings(report), ({ kind }) => kind);
  const tables = [...byKind].map(([kind, findings]) => describeKind(findingTitles[kind], findings));
  return [`${name}: ${count(report.packages, 'package')}`, ...tables].join('\n\n');
}

function describeKind(titles: (typeof findingTitles)[FindingKind], findings: readonly Finding[]): string {
  const columns: readonly Column[] = [
    { title: `${titles.what.toUpperCase()}: ${findings.length.toLocaleString('en')}`, wraps: true },
    { title: titles.packages.toUpperCase(), wraps: true },
  ];
  const rows = findings.map(({ what, problem, packages }): readonly Cell[] => [
    { text: printable(problem === undefined ? what : `${what} (${problem})`), style: 'yellow' },
    shortList(packages),
  ]);
  return textTable(columns, rows).join('\n');
}
