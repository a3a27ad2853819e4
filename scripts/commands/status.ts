/** `status DIR|--stack NAME`: the state of each repository: indexed, rejected, pending. Changes nothing; an indexer may be at work. */

import { styleText } from 'node:util';
import type { Command } from 'commander';
import { abilitiesLine } from '../../functions/adapters/store/abilities.ts';
import { countFindings, findingTitles, listFindings, sumOf } from '../../functions/check/findings.ts';
import type { RepositoryStatus } from '../../functions/check/repository-status.ts';
import { heldBackSentence } from '../../functions/index/hold-back.ts';
import { joinKey } from '../../functions/keys.ts';
import { byteSize, count, printable, repositoryName, utcTime } from '../../functions/wording.ts';
import type { Queues } from '../aws/reindexing.ts';
import { addReadOptions, openTarget, type ReadOptions, type ReadTarget } from '../read-target.ts';
import { parsePath } from '../terminal/argument-parsers.ts';
import { type ExitCode, exitCodes } from '../terminal/exit-codes.ts';
import { ownCommand, placeArguments } from '../terminal/own-command.ts';
import { ending } from '../terminal/run-command.ts';
import { shortList } from '../terminal/short-list.ts';
import { type Cell, type Column, textTable } from '../terminal/text-table.ts';

export function addCommand(program: Command): void {
  const command = program
    .command('status')
    .description('show the repositories of a directory or stack: packages, rejected, pending, last publication')
    .argument('[dir]', 'an indexed directory, or a directory below it', parsePath);
  addReadOptions(command).action(ending(showStatus));
}

async function showStatus(directory: string | undefined, options: ReadOptions): Promise<ExitCode> {
  const target = await openTarget(directory, options);
  try {
    return await (target.kind === 'directory' ? showDirectory(target, options) : showStack(target, options));
  } finally {
    target.close();
  }
}

type Target<Kind> = ReadTarget & { readonly kind: Kind };

async function showDirectory(target: Target<'directory'>, options: ReadOptions): Promise<ExitCode> {
  const { json } = options;
  const { directory, root, abilities } = target;
  const statuses = await statusesOf(target);
  const store = abilities === undefined ? {} : { store: abilities };
  if (json) console.log(asJson({ ...store, repositories: statuses.map(forPrograms) }));
  else if (statuses.length === 0)
    console.log(
      `no repository below ${directory}: add packages, then run ${ownCommand(`index ${placeArguments(directory, options)}`)}`,
    );
  else {
    const check = ownCommand(`check ${placeArguments(directory, options)}`);
    const adopt = ownCommand(`index --adopt ${placeArguments(root, options)}`);
    const note = '(with the same --arch, --trust … as before; while serve runs: POST /-/adopt)';
    console.log(describeAll(statuses, check, `${adopt} ${note}`));
    const isAnyPending = statuses.some(({ pending }) => pending.length > 0);
    if (isAnyPending && statuses.every(({ packages, rejected }) => packages + rejected.length === 0))
      console.log(
        `\nNothing has been read into this table: give the --state (or --config) of its indexer, or run ${ownCommand(`index ${placeArguments(root, options)}`)}`,
      );
  }
  if (abilities !== undefined && !json) console.log(`\n${abilitiesLine(abilities)}`);
  return exitCodeOf(statuses);
}

async function showStack(target: Target<'stack'>, { json }: ReadOptions): Promise<ExitCode> {
  const { name, stores } = target;
  const [{ repositoryUrl }, { queueDepths }] = await Promise.all([
    import('../aws/stack-stores.ts'),
    import('../aws/reindexing.ts'),
  ]);
  const { clients, stack } = stores;
  const [statuses, queues] = await Promise.all([statusesOf(target), queueDepths(clients.sqs, stack.outputs)]);
  const url = repositoryUrl(stack.outputs);
  if (json) console.log(asJson({ stack: name, url, queues, repositories: statuses.map(forPrograms) }));
  else {
    const repositories =
      statuses.length === 0
        ? `no repository in ${stack.outputs.Bucket}: upload a package, or run ${ownCommand(`smoke --stack ${name}`)} to test the stack`
        : describeAll(statuses, ownCommand(`check --stack ${name}`), ownCommand(`reindex --adopt --stack ${name}`));
    console.log([describeQueues(name, url, queues), repositories].join('\n\n'));
  }
  return exitCodeOf(statuses);
}

async function statusesOf({ objects, records, prefixes }: ReadTarget): Promise<RepositoryStatus[]> {
  const { repositoryStatuses } = await import('../../functions/check/repository-status.ts');
  return await repositoryStatuses(objects, records, prefixes);
}

function asJson(value: unknown): string {
  return JSON.stringify(value, undefined, 2);
}

/** docs/json.md describes it. Findings are only counted here; `check` lists them. */
function forPrograms({ consistency, heldBack, ...status }: RepositoryStatus): unknown {
  return {
    ...status,
    heldBack: heldBack ?? null,
    findings: consistency === undefined ? null : countFindings(consistency),
  };
}

function exitCodeOf(statuses: readonly RepositoryStatus[]): ExitCode {
  return statuses.some(({ rejected }) => rejected.length > 0) ? exitCodes.rejected : exitCodes.done;
}

function describeQueues(name: string, url: string, { waiting, taken, deadHints, deadChanges }: Queues): string {
  const dead = deadHints + deadChanges;
  return [
    `${name}, served at ${url}`,
    `  queue  ${count(waiting, 'hint')} waiting, ${taken} being read`,
    `  dead   ${dead === 0 ? '0' : `${count(deadHints, 'hint')}, ${count(deadChanges, 'batch', 'batches')} of changes: see docs/runbook.md`}`,
  ].join('\n');
}

const columns: readonly Column[] = [
  { title: 'REPOSITORY', wraps: true },
  { title: 'PACKAGES', align: 'right' },
  { title: 'SIZE', align: 'right' },
  { title: 'REJECTED', align: 'right' },
  { title: 'PENDING', align: 'right' },
  { title: 'WARNINGS', align: 'right' },
  { title: 'FINDINGS', align: 'right' },
  { title: 'PUBLISHED (UTC)', wraps: true },
];

/** @param check the command that lists the findings; `adopt` the one that publishes what is held back */
function describeAll(statuses: readonly RepositoryStatus[], check: string, adopt: string): string {
  const hasFindings = statuses.some(({ consistency }) => consistency !== undefined && findingsOf(consistency) > 0);
  return [
    textTable(columns, statuses.map(rowOf)).join('\n'),
    ...describeHeldBack(statuses, adopt),
    ...describeForeign(statuses),
    ...describeRejected(statuses),
    ...describePending(statuses),
    ...describeWarnings(statuses),
    ...describeObstructed(statuses),
    ...(hasFindings ? [`For the findings, run ${check}.`] : []),
  ].join('\n\n');
}

function rowOf(status: RepositoryStatus): readonly Cell[] {
  const { repository, packages, packageBytes, rejected, pending, warnings, consistency, indexes } = status;
  return [
    printable(repositoryName(repository)),
    packages.toLocaleString('en'),
    byteSize(packageBytes),
    noted(rejected.length, 'red'),
    noted(pending.length, 'yellow'),
    noted(sumOfWarnings(warnings), 'yellow'),
    consistency === undefined ? 'too many' : noted(findingsOf(consistency), 'yellow'),
    indexes[0] === undefined ? 'never' : utcTime(indexes[0].published),
  ];
}

function noted(number: number, style: 'red' | 'yellow'): Cell {
  const text = number.toLocaleString('en');
  return number === 0 ? text : { text, style };
}

function findingsOf(report: NonNullable<RepositoryStatus['consistency']>): number {
  return sumOf(countFindings(report));
}

function sumOfWarnings(warnings: RepositoryStatus['warnings']): number {
  return Object.values(warnings).reduce((sum, number) => sum + number, 0);
}

function describeHeldBack(statuses: readonly RepositoryStatus[], adopt: string): string[] {
  const lines = statuses.flatMap(({ repository, heldBack }) =>
    heldBack === undefined
      ? []
      : [`${printable(repositoryName(repository))}: ${heldBackSentence(heldBack)}; since ${utcTime(heldBack.since)}`],
  );
  if (lines.length === 0) return [];
  const title = styleText('red', `HELD BACK: the old index stays; to publish it all the same: ${adopt}`);
  return [[title, ...lines.slice(0, linesMax), ...rest(lines.length)].join('\n')];
}

/** First, because it stops every client; the other findings are left to `check`. */
function describeForeign(statuses: readonly RepositoryStatus[]): string[] {
  const rows = statuses.flatMap(({ repository, consistency }) =>
    (consistency === undefined ? [] : listFindings(consistency))
      .filter(({ kind }) => kind === 'foreignArchitectures')
      .map(({ what, packages }): readonly Cell[] => [
        { text: printable(what), style: 'yellow' },
        shortList(packages),
        printable(repositoryName(repository)),
      ]),
  );
  if (rows.length === 0) return [];
  const { what, packages } = findingTitles.foreignArchitectures;
  const titles = [what.toUpperCase(), packages.toUpperCase(), 'REPOSITORY'].map((title) => ({ title, wraps: true }));
  return [[...textTable(titles, rows.slice(0, linesMax)), ...rest(rows.length)].join('\n')];
}

function describeRejected(statuses: readonly RepositoryStatus[]): string[] {
  const rows = statuses.flatMap(({ repository, rejected }) =>
    rejected.map(({ file, code, message }): readonly Cell[] => [
      printable(repository === '' ? file : `${repository}/${file}`),
      { text: code, style: 'red' },
      printable(message),
    ]),
  );
  if (rows.length === 0) return [];
  const titles = [{ title: 'REJECTED', wraps: true }, { title: 'REASON' }, { title: '', wraps: true }];
  return [[...textTable(titles, rows.slice(0, linesMax)), ...rest(rows.length)].join('\n')];
}

function describePending(statuses: readonly RepositoryStatus[]): string[] {
  const keys = statuses.flatMap(({ pending }) => pending);
  if (keys.length === 0) return [];
  const kept = statuses
    .filter(({ isAdopted, indexes, pending }) => !isAdopted && indexes.length > 0 && pending.length > 0)
    .map(({ repository }) => printable(repositoryName(repository)));
  return [
    [
      styleText('dim', 'PENDING'),
      ...keys.slice(0, linesMax).map(printable),
      ...rest(keys.length),
      ...(kept.length === 0 ? [] : [`Until all of them are read, the old index stays in ${kept.join(', ')}.`]),
    ].join('\n'),
  ];
}

function describeWarnings(statuses: readonly RepositoryStatus[]): string[] {
  const rows = statuses.flatMap(({ repository, warnings }) =>
    Object.entries(warnings).map(([code, number]): readonly Cell[] => [
      { text: code, style: 'yellow' },
      number.toLocaleString('en'),
      printable(repositoryName(repository)),
    ]),
  );
  if (rows.length === 0) return [];
  const titles: Column[] = [
    { title: 'WARNING' },
    { title: 'PACKAGES', align: 'right' },
    { title: 'REPOSITORY', wraps: true },
  ];
  return [[...textTable(titles, rows.slice(0, linesMax)), ...rest(rows.length)].join('\n')];
}

function describeObstructed(statuses: readonly RepositoryStatus[]): string[] {
  const keys = statuses.flatMap(({ repository, obstructed }) => obstructed.map((file) => joinKey(repository, file)));
  if (keys.length === 0) return [];
  const lines = keys.slice(0, linesMax).map(printable);
  const title = styleText('red', 'NOT PUBLISHED: a directory has that name; rename or remove it');
  return [[title, ...lines, ...rest(keys.length)].join('\n')];
}

const linesMax = 20;

function rest(length: number): string[] {
  return length <= linesMax ? [] : [`… and ${count(length - linesMax, 'more', 'more')} (--json shows all)`];
}
