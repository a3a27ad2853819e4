/** The files that an indexer keeps beside the packages. */

import { join } from 'node:path';
import { CannotRun, isOfTheSystem, systemErrorSentence } from '../../failures.ts';
import { type OpenedRecords, SqliteRecords, type SqliteRecordsOptions } from './sqlite-records.ts';

export function defaultStateDirectory(directory: string): string {
  return join(directory, '.indexer');
}

export function tableFile(stateDirectory: string): string {
  return join(stateDirectory, 'records.sqlite');
}

/** @throws {CannotRun} where the table cannot be opened or made, or a damaged one cannot be set aside. */
export function openTable(options: SqliteRecordsOptions): OpenedRecords {
  try {
    return SqliteRecords.open(options);
  } catch (cause) {
    const sentence = isOfTheSystem(cause) ? systemErrorSentence(cause, options.file) : (cause as Error).message;
    throw new CannotRun(sentence, { cause });
  }
}
