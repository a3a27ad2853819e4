/**
 * One indexer a directory. The lock is one that the operating system gives up by itself when the process ends, however it ends:
 * an SQLite file that is held exclusively. So there is no stale lock to clear away, and no process id to mistake for another.
 */

import { readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { CannotRun } from '../../failures.ts';

export interface DirectoryLock {
  /** False once the lock's file was removed or replaced: another process could lock the new one. */
  readonly isHeld: boolean;
  release(): void;
}

/** @throws {CannotRun} where another process holds the lock, or nobody can. */
export function lockDirectory(stateDirectory: string, directory: string): DirectoryLock {
  const file = join(stateDirectory, 'lock.sqlite');
  const holderFile = join(stateDirectory, 'holder');
  const database = lock(file);
  if (database === 'held by another')
    throw new CannotRun(
      `${directory} is kept by another indexer (process ${readHolder(holderFile)}): it follows every change by itself. Stop it first, or leave the work to it.`,
    );
  const inode = inodeOf(file);
  try {
    writeFileSync(holderFile, `${process.pid}\n`);
  } catch {
    // It is for the message above only; without it, that says "unknown".
  }
  return {
    get isHeld() {
      return inodeOf(file) === inode;
    },
    release: () => database.close(),
  };
}

function lock(file: string): DatabaseSync | 'held by another' {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file);
    // With the journal in memory and nothing written, the file stays empty: only its lock matters.
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    return database;
  } catch (error) {
    database?.close();
    const { errcode = 0, message } = error as Error & { readonly errcode?: number };
    if (errcode === busy) return 'held by another';
    if (errcode !== notADatabase)
      throw new CannotRun(`${file} cannot be locked (${message}): remove it, or let this user read and write it`);
    // Nobody can hold a file that is no database. Emptied, not removed: who comes at the same time empties the same file.
    truncateSync(file);
    return lock(file);
  }
}

/** SQLITE_BUSY and SQLITE_NOTADB: https://www.sqlite.org/rescode.html */
const busy = 5;
const notADatabase = 26;

function inodeOf(file: string): number | undefined {
  return statSync(file, { throwIfNoEntry: false })?.ino;
}

/** Whoever wrote it, and whatever it holds by now, it goes to a terminal. */
function readHolder(holderFile: string): string {
  try {
    return /^\d{1,10}$/.exec(readFileSync(holderFile, 'utf8').trim())?.[0] ?? 'unknown';
  } catch {
    return 'unknown';
  }
}
