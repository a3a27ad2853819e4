/** Where an indexer keeps what it remembers of a directory. */

import { join } from 'node:path';
import { CannotRun, isOfTheSystem, systemErrorSentence } from '../../failures.ts';
import { type OpenedRecords, SqliteRecords, type SqliteRecordsOptions } from './sqlite-records.ts';

export function defaultStateDirectory(directory: string): string {
  return join(directory, '.indexer');
}

export function tableFile(stateDirectory: string): string {
  return join(stateDirectory, 'records.sqlite');
}

/** @throws {CannotRun} where it cannot be opened, made, or (where it is damaged) set aside. */
export function openTable(options: SqliteRecordsOptions): OpenedRecords {
  try {
    return SqliteRecords.open(options);
  } catch (cause) {
    const sentence = isOfTheSystem(cause) ? systemErrorSentence(cause, options.file) : (cause as Error).message;
    throw new CannotRun(sentence, { cause });
  }
}
