/** `status DIR|--stack NAME`: what is in the indexes, what is not, and what is on its way. Only looks; an indexer may be at work. */

import { styleText } from 'node:util';
import { countFindings, sumOf } from '../../functions/check/findings.ts';
import { type RepositoryStatus, repositoryStatuses } from '../../functions/check/repository-status.ts';
import { type ExitCode, exitCodes } from '../../functions/failures.ts';
import { byteSize, count, printable, repositoryName, utcTime } from '../../functions/wording.ts';
import type { Queues } from '../aws/reindexing.ts';
import { type Cell, type Column, textTable } from '../terminal/text-table.ts';
import { openReadOnly, type ReadOnlyOptions, readTarget } from './open-read-only.ts';

export async function showStatus(directory: string | undefined, options: ReadOnlyOptions): Promise<ExitCode> {
  const place = readTarget(directory, options);
  return place.kind === 'directory' ? showDirectory(place.directory, options) : showStack(place.stack, options);
}

async function showDirectory(directory: string, options: ReadOnlyOptions): Promise<ExitCode> {
  const { objects, records } = await openReadOnly(directory, options.state);
  try {
    const statuses = await repositoryStatuses(objects, records);
    if (options.json) console.log(asJson({ repositories: statuses.map(forPrograms) }));
    else if (statuses.length === 0)
      console.log(`no repository below ${directory}: put packages into it, then "index ${directory}"`);
    else console.log(describeAll(statuses, `check ${directory}`));
    return exitCodeOf(statuses);
  } finally {
    records.close();
  }
}

async function showStack(name: string, options: ReadOnlyOptions): Promise<ExitCode> {
  // The SDK takes longer to load than a look at a directory takes in all.
  const { openStack, repositoryUrl } = await import('../aws/stack-stores.ts');
  const { queueDepths } = await import('../aws/reindexing.ts');
  const { clients, stack, objects, records, prefixes } = await openStack(name, options);
  const [statuses, queues] = await Promise.all([
    repositoryStatuses(objects, records, prefixes),
    queueDepths(clients.sqs, stack.outputs),
  ]);
  const url = repositoryUrl(stack.outputs);
  if (options.json) console.log(asJson({ stack: name, url, queues, repositories: statuses.map(forPrograms) }));
  else {
    const nothing = `no repository in ${stack.outputs.Bucket}: upload a package; "npm run smoke -- --stack ${name}" tries it out`;
    const repositories = statuses.length === 0 ? nothing : describeAll(statuses, `check --stack ${name}`);
    console.log([describeQueues(name, url, queues), repositories].join('\n\n'));
  }
  return exitCodeOf(statuses);
}

function asJson(value: unknown): string {
  return JSON.stringify(value, undefined, 2);
}

/** `docs/json.md` describes it. Of the findings only how many there are: `check` has them. */
function forPrograms({ consistency, ...status }: RepositoryStatus): unknown {
  return { ...status, findings: consistency === undefined ? null : countFindings(consistency) };
}

function exitCodeOf(statuses: readonly RepositoryStatus[]): ExitCode {
  return statuses.some(({ rejected }) => rejected.length > 0) ? exitCodes.rejected : exitCodes.done;
}

function describeQueues(name: string, url: string, { waiting, taken, deadHints, deadChanges }: Queues): string {
  const dead = deadHints + deadChanges;
  return [
    `${name}, read at ${url}`,
    `  queue  ${count(waiting, 'hint')} waiting, ${taken} being read`,
    `  dead   ${dead === 0 ? '0' : `${count(deadHints, 'hint')}, ${count(deadChanges, 'batch', 'batches')} of changes: docs/runbook.md says what to do`}`,
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

/** @param check the command that lists the findings */
function describeAll(statuses: readonly RepositoryStatus[], check: string): string {
  const hasFindings = statuses.some(({ consistency }) => consistency !== undefined && findingsOf(consistency) > 0);
  return [
    textTable(columns, statuses.map(rowOf)).join('\n'),
    ...describeRejected(statuses),
    ...describePending(statuses),
    ...describeWarnings(statuses),
    ...(hasFindings ? [`What does not fit together is listed by "${check}".`] : []),
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

function describeRejected(statuses: readonly RepositoryStatus[]): string[] {
  const rows = statuses.flatMap(({ repository, rejected }) =>
    rejected.map(({ file, code, message }): readonly Cell[] => [
      printable(repository === '' ? file : `${repository}/${file}`),
      { text: code, style: 'red' },
      printable(message),
    ]),
  );
  if (rows.length === 0) return [];
  const titles = [{ title: 'REJECTED', wraps: true }, { title: 'BECAUSE' }, { title: '', wraps: true }];
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
      ...(kept.length === 0 ? [] : [`Until none is, the index that was there before serves on in ${kept.join(', ')}.`]),
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

const linesMax = 20;

function rest(length: number): string[] {
  return length <= linesMax ? [] : [`… and ${count(length - linesMax, 'more', 'more')} (--json shows all)`];
}
