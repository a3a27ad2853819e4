/**
 * Keeps a second indexer out of a directory, by an exclusive lock on an SQLite file. The operating system releases it when the process
 * ends, however it ends: so no stale lock has to be removed.
 */

import { readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { CannotRun } from '../../failures.ts';

export interface DirectoryLock {
  /** False once the lock's file was removed or replaced: another process can lock the new one. */
  readonly isHeld: boolean;
  release(): void;
}

/** Another process holds the lock. */
export class DirectoryInUse extends CannotRun {
  override readonly name = 'DirectoryInUse';
  readonly directory: string;
  /** The number of the process, or `unknown`. */
  readonly holder: string;

  constructor(directory: string, holder: string) {
    super(
      `${directory} is in use by another indexer (process ${holder}), which processes every change by itself; to run this command, stop it first`,
    );
    this.directory = directory;
    this.holder = holder;
  }
}

/** @throws {DirectoryInUse} @throws {CannotRun} where the file cannot be locked. */
export function lockDirectory(stateDirectory: string, directory: string): DirectoryLock {
  const file = join(stateDirectory, 'lock.sqlite');
  const holderFile = join(stateDirectory, 'holder');
  const database = lock(file);
  if (database === 'held by another') throw new DirectoryInUse(directory, readHolder(holderFile));
  const inode = inodeOf(file);
  try {
    writeFileSync(holderFile, `${process.pid}\n`);
  } catch {
    // It is only for the message above, which then says "unknown".
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
    // Nothing is written, and the journal is in memory: the file stays empty.
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    return database;
  } catch (error) {
    database?.close();
    const { errcode = 0, message } = error as Error & { readonly errcode?: number };
    if (errcode === busy) return 'held by another';
    if (errcode !== notADatabase)
      throw new CannotRun(`${file} cannot be locked (${message}): remove it, or let this user read and write it`);
    // A file that is not a database cannot be locked. It is emptied, not removed: two processes that start at once then lock the same file.
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

/** Digits only: the text is shown in a terminal, and any program may have written it. */
function readHolder(holderFile: string): string {
  try {
    return /^\d{1,10}$/.exec(readFileSync(holderFile, 'utf8').trim())?.[0] ?? 'unknown';
  } catch {
    return 'unknown';
  }
}
