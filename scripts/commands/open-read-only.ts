/** What commands that only look are pointed at: a directory and its table, or a stack. An indexer may be at work there. */

import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { DirectoryObjects } from '../../functions/adapters/local/directory-objects.ts';
import type { SqliteRecords } from '../../functions/adapters/local/sqlite-records.ts';
import { defaultStateDirectory, openTable, tableFile } from '../../functions/adapters/local/state-directory.ts';
import { CannotRun, systemErrorSentence, UsageError } from '../../functions/failures.ts';
import type { AccountOptions } from '../aws/account-options.ts';

export interface ReadOnlyOptions extends AccountOptions {
  readonly state?: string;
  readonly stack?: string;
  readonly json?: boolean;
}

export type ReadTarget =
  | { readonly kind: 'directory'; readonly directory: string }
  | { readonly kind: 'stack'; readonly stack: string };

/** @throws {UsageError} where both are given, or none. */
export function readTarget(directory: string | undefined, { stack }: ReadOnlyOptions): ReadTarget {
  if (directory !== undefined && stack === undefined) return { kind: 'directory', directory };
  if (directory === undefined && stack !== undefined) return { kind: 'stack', stack };
  throw new UsageError('expected either a directory or --stack NAME');
}

/** @throws {CannotRun} where there is no such directory, or its table cannot be used. */
export async function openReadOnly(
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
