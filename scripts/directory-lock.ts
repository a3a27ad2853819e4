/**
 * One indexer a directory. The lock is one that the operating system gives up by itself when the process ends, however it ends:
 * an SQLite file that is held exclusively. So there is no stale lock to clear away, and no process id to mistake for another.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { CannotRun } from './exit.ts';

export interface DirectoryLock {
  release(): void;
}

/** @throws {CannotRun} where another process holds the lock. */
export function lockDirectory(stateDirectory: string, directory: string): DirectoryLock {
  const database = new DatabaseSync(join(stateDirectory, 'lock.sqlite'));
  const holderFile = join(stateDirectory, 'holder');
  try {
    // With the journal in memory and nothing written, the file stays empty: only its lock matters.
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (!/locked/.test((error as Error).message)) throw error;
    const holder = `process ${readHolder(holderFile)}`;
    throw new CannotRun(
      `${directory} is kept by another indexer (${holder}): it follows every change by itself. Stop it first, or leave the work to it.`,
    );
  }
  writeFileSync(holderFile, `${process.pid}\n`);
  return { release: () => database.close() };
}

function readHolder(holderFile: string): string {
  try {
    return readFileSync(holderFile, 'utf8').trim();
  } catch {
    return 'unknown';
  }
}
