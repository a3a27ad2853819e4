/** Opens a directory and its table to read them, also while an indexer is working on them. */

import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { CannotRun, systemErrorSentence } from '../../failures.ts';
import { DirectoryObjects } from './directory-objects.ts';
import type { SqliteRecords } from './sqlite-records.ts';
import { defaultStateDirectory, openTable, tableFile } from './state-directory.ts';

/** @throws {CannotRun} where there is no such directory, or its table is unusable. */
export async function openReadOnly(
  directory: string,
  { state, followSymlinks: followsLinks }: { readonly state?: string; readonly followSymlinks?: boolean },
): Promise<{ readonly objects: DirectoryObjects; readonly records: SqliteRecords }> {
  const root = resolve(directory);
  const facts = await stat(root).catch((error: unknown) => {
    throw new CannotRun(systemErrorSentence(error, directory));
  });
  if (!facts.isDirectory()) throw new CannotRun(`${directory}: expected a directory, found a file`);
  const stateDirectory = resolve(state ?? defaultStateDirectory(root));
  const objects = new DirectoryObjects({ root, stateDirectory, followsLinks });
  return { objects, records: openTable({ file: tableFile(stateDirectory), readOnly: true }).table };
}
