/** `explain FILE` (or a key, with --stack): why a package is, or is not, in its index, what clients may trip over, and what to do. */

import { existsSync } from 'node:fs';
import { dirname, relative, resolve, sep } from 'node:path';
import { styleText } from 'node:util';
import { defaultStateDirectory } from '../../functions/adapters/local/state-directory.ts';
import { CannotRun, type ExitCode, exitCodes } from '../../functions/failures.ts';
import { isPackageKey, packageSuffixes, splitKey } from '../../functions/keys.ts';
import { aliasMetadata, type ObjectFacts, type ObjectKey, type RecordTable, type Row } from '../../functions/ports.ts';
import {
  findDuplicates,
  packageNameOf,
  type RejectionCode,
  remedies,
  type WarningCode,
} from '../../functions/record/hazards.ts';
import { byteSize, printable, readable, repositoryName } from '../../functions/wording.ts';
import type { AccountOptions } from '../aws/account-options.ts';
import { terminalWidth, wrap } from '../terminal/text-table.ts';
import { openReadOnly } from './open-read-only.ts';

export interface ExplainOptions extends AccountOptions {
  readonly directory?: string;
  readonly state?: string;
  readonly stack?: string;
  readonly json?: boolean;
}

/** What becomes of a package that waits, by itself and by hand. */
const follows = {
  here: '`serve` follows by itself, `index` when it is run.',
  onAws:
    'that takes seconds, or minutes behind a burst. `npm run status` shows what waits; `npm run reindex` sends it a hint again.',
};

export async function explain(file: string, options: ExplainOptions): Promise<ExitCode> {
  return options.stack === undefined ? explainFile(file, options) : explainInStack(file, options.stack, options);
}

async function explainInStack(key: ObjectKey, name: string, options: ExplainOptions): Promise<ExitCode> {
  // The SDK takes longer to load than a look at a directory takes in all.
  const { openStack } = await import('../aws/stack-stores.ts');
  const { objects, records, prefixes } = await openStack(name, options);
  if (prefixes.length > 0 && !prefixes.some((prefix) => key.startsWith(prefix)))
    throw new CannotRun(`the stack ${name} watches only ${prefixes.join(', ')}: ${printable(key)} is none of its keys`);
  return show(key, await explainKey(key, await objects.head(key), records, follows.onAws), options);
}

async function explainFile(file: string, options: ExplainOptions): Promise<ExitCode> {
  const directory = resolve(options.directory ?? findDirectory(file));
  const key = relative(directory, resolve(file)).split(sep).join('/');
  if (key === '' || key.split('/')[0] === '..') throw new CannotRun(`${file}: expected a file below ${directory}`);
  const { objects, records } = await openReadOnly(directory, options.state);
  try {
    return show(key, await explainKey(key, await objects.head(key), records, follows.here), options);
  } finally {
    records.close();
  }
}

function show(key: ObjectKey, explanation: Explanation, { json }: ExplainOptions): ExitCode {
  console.log(json ? JSON.stringify({ key, ...explanation }, undefined, 2) : format(key, explanation));
  return explanation.state === 'rejected' ? exitCodes.rejected : exitCodes.done;
}

export interface Explanation {
  readonly state: 'indexed' | 'rejected' | 'pending' | 'absent' | 'ignored';
  readonly sentence: string;
  /** Each code with what to do about it. */
  readonly remarks: readonly { readonly code: string; readonly what?: string; readonly remedy: string }[];
}

/** @param head what is there now; @param follow what becomes of a package that waits. */
export async function explainKey(
  key: ObjectKey,
  head: ObjectFacts | undefined,
  records: RecordTable,
  follow: string,
): Promise<Explanation> {
  const { repository, file } = splitKey(key);
  const place = repositoryName(repository);
  if (!isPackageKey(key)) {
    const sentence = `It is no package: a package's name ends in ${packageSuffixes.join(', ')}, and no part of its path begins with a dot.`;
    return { state: 'ignored', sentence, remarks: [] };
  }
  if (head !== undefined && aliasMetadata in head.metadata) {
    const sentence =
      'It is a copy that the indexer keeps of the package with + where this one has blanks, for clients whose + S3 takes for a blank.';
    return { state: 'ignored', sentence, remarks: [] };
  }
  const row = await records.row(repository, file);
  if (row === undefined && head === undefined)
    return { state: 'absent', sentence: `There is no such package in ${place}, and none in its index.`, remarks: [] };
  if (row === undefined || row.etag !== head?.etag)
    return { state: 'pending', sentence: `${pendingState(row, head)}: ${follow}`, remarks: [] };
  if (row.state === 'rejected') {
    const { code, message } = row.reason;
    const remedy =
      remedyOf(code) ??
      'The file is damaged or no package: build it, or upload it, again. A good file in its place heals this by itself.';
    return {
      state: 'rejected',
      sentence: `It is not in the index of ${place}.`,
      remarks: [{ code, what: message, remedy }],
    };
  }
  const codes = [...row.warnings, ...((await isDuplicate(records, row)) ? ['duplicate-pkgname'] : [])];
  // The first publication waits: an index made by other means may be there, and serve on.
  const where = (await records.isAdopted(repository))
    ? `It is in the index of ${place}`
    : `It will be in the index of ${place}, once every package there has been read,`;
  return {
    state: 'indexed',
    sentence: `${where} as ${readable(packageNameOf(row.record))} (${byteSize(row.size)}, read ${row.indexedAt.toISOString()}).`,
    remarks: codes.map((code) => ({ code, remedy: remedyOf(code) ?? '' })),
  };
}

function pendingState(row: Row | undefined, head: ObjectFacts | undefined): string {
  if (row === undefined) return 'It has not been looked at yet';
  return head === undefined ? 'It was removed, and is still in the index' : 'It changed since it was looked at';
}

async function isDuplicate(records: RecordTable, row: Row & { readonly state: 'indexed' }): Promise<boolean> {
  const names: { file: string; name: string }[] = [];
  for await (const other of records.rows(row.repository)) {
    if (other.state === 'indexed') names.push({ file: other.file, name: packageNameOf(other.record) });
  }
  return findDuplicates(names).has(row.file);
}

function remedyOf(code: string): string | undefined {
  return remedies[code as RejectionCode | WarningCode];
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

/** The nearest directory above that an indexer keeps. */
function findDirectory(file: string): string {
  for (let directory = dirname(resolve(file)); ; directory = dirname(directory)) {
    if (existsSync(defaultStateDirectory(directory))) return directory;
    if (directory === dirname(directory))
      throw new CannotRun(
        `${file}: no indexer keeps a directory above it. Run "index DIR" first, or name the directory with --directory.`,
      );
  }
}
