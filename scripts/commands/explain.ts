/** `explain FILE` (or a key, with --stack): why a package is or is not in its index, and what to do. */

import { dirname, resolve } from 'node:path';
import { styleText } from 'node:util';
import type { Command } from 'commander';
import { isStoreName, parseStoreName } from '../../functions/adapters/store/store-address.ts';
import type { Explanation } from '../../functions/check/explanation.ts';
import { CannotRun } from '../../functions/failures.ts';
import type { ObjectKey, ObjectStore, RecordTable } from '../../functions/ports.ts';
import { printable } from '../../functions/wording.ts';
import {
  addReadOptions,
  findIndexedDirectory,
  findIndexedStore,
  keyOf,
  openStackNamed,
  type ReadOptions,
} from '../read-target.ts';
import { parsePath } from '../terminal/argument-parsers.ts';
import { type ExitCode, exitCodes } from '../terminal/exit-codes.ts';
import { ownCommand } from '../terminal/own-command.ts';
import { ending } from '../terminal/run-command.ts';
import { terminalWidth, wrap } from '../terminal/text-table.ts';

export function addCommand(program: Command): void {
  const command = program
    .command('explain')
    .description('explain why a package is or is not in the index, and what to do')
    .argument('<file>', 'a package in an indexed directory or store; with --stack, its key in the bucket', parsePath)
    .option('--directory <dir>', 'the indexed directory or store (default: the nearest one around the file)');
  addReadOptions(command).action(ending(explain));
}

interface ExplainOptions extends ReadOptions {
  readonly directory?: string;
}

async function explain(file: string, options: ExplainOptions): Promise<ExitCode> {
  if (options.stack !== undefined) return explainInStack(file, options.stack, options);
  return isStoreName(file) ? explainInStore(file, options) : explainFile(file, options);
}

async function explainInStack(key: ObjectKey, name: string, options: ExplainOptions): Promise<ExitCode> {
  const { objects, records, prefixes, clients, stack } = await openStackNamed(name, options);
  if (prefixes.length > 0 && !prefixes.some((prefix) => key.startsWith(prefix)))
    throw new CannotRun(`the stack ${name} watches only ${prefixes.join(', ')}, so it ignores ${printable(key)}`);
  const { isDeadHint } = await import('../aws/dead-letters.ts');
  const { queueDepths } = await import('../aws/reindexing.ts');
  const { deadHints } = await queueDepths(clients.sqs, stack.outputs);
  const isDead = deadHints > 0 && (await isDeadHint(clients.sqs, stack.outputs.DeadHintsUrl, key));
  const next = isDead
    ? `Reading it failed several times, and its hint is in the dead-letter queue. The log of ${name}-extract has the reason; then ${ownCommand(`redrive --stack ${name}`)} retries it.`
    : `That takes seconds, or minutes after many uploads. ${ownCommand(`status --stack ${name}`)} shows the queue; ${ownCommand(`reindex --stack ${name}`)} has it read again.`;
  return show(key, objects, records, next, options);
}

async function explainInStore(name: string, options: ExplainOptions): Promise<ExitCode> {
  const { address, below: key } = placeInStore(name, options);
  const { openStoreReadOnly } = await import('../../functions/adapters/store/opened-store.ts');
  const { objects, records } = openStoreReadOnly(address, options.state);
  try {
    return await show(key, objects, records, readLater, options);
  } finally {
    records.close();
  }
}

function placeInStore(name: string, options: ExplainOptions): ReturnType<typeof findIndexedStore> {
  const { directory } = options;
  if (directory !== undefined) {
    const address = parseStoreName(directory, options);
    if (name.startsWith(`${address.name}/`)) return { address, below: name.slice(address.name.length + 1) };
    throw new CannotRun(`${name}: expected a package in ${address.name}`);
  }
  const found = findIndexedStore(name, options);
  if (found.below !== '') return found;
  throw new CannotRun(
    `${name}: no indexed store found around it. Run ${ownCommand('index s3://BUCKET')} first, or use --directory.`,
  );
}

const readLater = 'A running `serve` reads it within seconds; `index` does when you run it.';

async function explainFile(file: string, options: ExplainOptions): Promise<ExitCode> {
  const directory = resolve(options.directory ?? directoryOf(file, options));
  const key = keyOf(directory, resolve(file));
  if (key === '') throw new CannotRun(`${file}: expected a file below ${directory}`);
  const { openReadOnly } = await import('../../functions/adapters/local/open-read-only.ts');
  const { objects, records } = await openReadOnly(directory, options);
  try {
    return await show(key, objects, records, readLater, options);
  } finally {
    records.close();
  }
}

function directoryOf(file: string, options: ReadOptions): string {
  const directory = findIndexedDirectory(dirname(resolve(file)), options);
  if (directory !== undefined) return directory;
  throw new CannotRun(
    `${file}: no indexed directory found above it. Give the --state (or --config) of its indexer, or --directory, or run ${ownCommand('index DIR')} first.`,
  );
}

async function show(
  key: ObjectKey,
  objects: ObjectStore,
  records: RecordTable,
  next: string,
  { json }: ExplainOptions,
): Promise<ExitCode> {
  const { explainKey } = await import('../../functions/check/explanation.ts');
  const explanation = await explainKey(key, await objects.head(key), records, next);
  console.log(json ? JSON.stringify({ key, ...explanation }, undefined, 2) : format(key, explanation));
  return explanation.state === 'rejected' ? exitCodes.rejected : exitCodes.done;
}

const styles = { indexed: 'green', rejected: 'red', pending: 'yellow', absent: 'dim', ignored: 'dim' } as const;

function format(key: ObjectKey, { state, sentence, remarks }: Explanation): string {
  const lines = remarks.flatMap(({ code, what, remedy }) => [
    `  ${styleText(state === 'rejected' ? 'red' : 'yellow', code)}${what === undefined ? '' : `: ${printable(what)}`}`,
    ...wrapped(remedy, '    '),
  ]);
  return [`${printable(key)}: ${styleText(styles[state], state)}`, ...wrapped(sentence, ''), ...lines].join('\n');
}

function wrapped(text: string, indent: string): string[] {
  return wrap(printable(text), terminalWidth() - indent.length).map((line) => indent + line);
}
