/** `status DIR|--stack NAME`: what is in the indexes, what is not, and what is on its way. Only looks; an indexer may be at work. */

import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { DirectoryObjects } from '../functions/adapters/directory-objects.ts';
import type { SqliteRecords } from '../functions/adapters/sqlite-records.ts';
import { CannotRun, type ExitCode, exitCodes, SenselessUsage, systemErrorSentence } from './exit.ts';
import { defaultStateDirectory, openTable, tableFile } from './local-indexer.ts';
import { type RepositoryStatus, repositoryStatuses } from './repository-status.ts';
import type { AccountOptions } from './stack/account-options.ts';
import type { Queues } from './stack/reindexing.ts';
import { byteSize, count, printable, repositoryName } from './wording.ts';

export interface StatusOptions extends AccountOptions {
  readonly state?: string;
  readonly stack?: string;
  readonly json?: boolean;
}

export async function showStatus(directory: string | undefined, options: StatusOptions): Promise<ExitCode> {
  if (directory !== undefined && options.stack === undefined) return showDirectory(directory, options);
  if (directory === undefined && options.stack !== undefined) return showStack(options.stack, options);
  throw new SenselessUsage('expected either a directory or --stack NAME');
}

async function showDirectory(directory: string, options: StatusOptions): Promise<ExitCode> {
  const { objects, records } = await openToLook(directory, options.state);
  try {
    const statuses = await repositoryStatuses(objects, records);
    if (options.json) console.log(JSON.stringify({ repositories: statuses }, undefined, 2));
    else console.log(describeAll(statuses, `below ${directory}`));
    return exitCodeOf(statuses);
  } finally {
    records.close();
  }
}

async function showStack(name: string, options: StatusOptions): Promise<ExitCode> {
  // The SDK takes longer to load than a look at a directory takes in all.
  const { openStack, repositoryUrl } = await import('./stack/stack-stores.ts');
  const { queueDepths } = await import('./stack/reindexing.ts');
  const { clients, stack, objects, records, prefixes } = await openStack(name, options);
  const [statuses, queues] = await Promise.all([
    repositoryStatuses(objects, records, prefixes),
    queueDepths(clients.sqs, stack.outputs),
  ]);
  const url = repositoryUrl(stack.outputs);
  if (options.json) console.log(JSON.stringify({ stack: name, url, queues, repositories: statuses }, undefined, 2));
  else
    console.log([describeQueues(name, url, queues), describeAll(statuses, `in ${stack.outputs.Bucket}`)].join('\n\n'));
  return exitCodeOf(statuses);
}

function exitCodeOf(statuses: readonly RepositoryStatus[]): ExitCode {
  return statuses.some(({ rejected }) => rejected.length > 0) ? exitCodes.rejected : exitCodes.done;
}

function describeQueues(name: string, url: string, { waiting, taken, deadHints, deadChanges }: Queues): string {
  const dead = deadHints + deadChanges;
  return [
    `${name}, read at ${url}`,
    `  queue      ${count(waiting, 'hint')} waiting, ${taken} being read`,
    `  dead       ${dead === 0 ? '0' : `${count(deadHints, 'hint')}, ${count(deadChanges, 'batch', 'batches')} of changes: docs/runbook.md says what to do`}`,
  ].join('\n');
}

function describeAll(statuses: readonly RepositoryStatus[], where: string): string {
  return statuses.length === 0 ? `no repository ${where}` : statuses.map(describe).join('\n\n');
}

/** The directory and its table, for looking only. */
export async function openToLook(
  directory: string,
  state: string | undefined,
): Promise<{ readonly objects: DirectoryObjects; readonly records: SqliteRecords }> {
  const root = resolve(directory);
  const facts = await stat(root).catch((error: unknown) => {
    throw new CannotRun(systemErrorSentence(error, directory));
  });
  if (!facts.isDirectory()) throw new CannotRun(`${directory}: expected a directory, found a file`);
  const stateDirectory = resolve(state ?? defaultStateDirectory(root));
  const objects = new DirectoryObjects({ root, stateDirectory });
  return { objects, records: openTable({ file: tableFile(stateDirectory), readOnly: true }).table };
}

const linesMax = 20;

function describe(status: RepositoryStatus): string {
  const { packages, packageBytes, rejected, warnings, pending, indexes } = status;
  const [latest] = indexes;
  const lines = [
    `${printable(repositoryName(status.repository))}`,
    `  packages   ${count(packages, 'package')} in the index, ${byteSize(packageBytes)}`,
    `  published  ${latest === undefined ? 'never' : `${latest.published.toISOString()} (${indexes.map(({ file, bytes }) => `${file} ${byteSize(bytes)}`).join(', ')})`}`,
    `  pending    ${pending.length}${!status.isWhole && indexes.length > 0 && pending.length > 0 ? ' (the index that was there serves until none is)' : ''}`,
    ...shorten(pending).map((key) => `    ${printable(key)}`),
    `  rejected   ${rejected.length}`,
    ...shorten(rejected.map(({ file, code, message }) => `${file}: ${code}: ${message}`)).map(
      (line) => `    ${printable(line)}`,
    ),
    `  warnings   ${Object.values(warnings).reduce((sum, number) => sum + number, 0)}`,
    ...Object.entries(warnings).map(([code, number]) => `    ${code}: ${count(number, 'package')}`),
  ];
  return lines.join('\n');
}

function shorten(lines: readonly string[]): readonly string[] {
  return lines.length <= linesMax
    ? lines
    : [...lines.slice(0, linesMax), `… and ${lines.length - linesMax} more (--json shows all)`];
}
