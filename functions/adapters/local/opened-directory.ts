/** A directory that is open for indexing: its objects, the table of their rows, and the lock that keeps other indexers out. */

import { constants, rmSync } from 'node:fs';
import { access, mkdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { CannotRun, systemErrorSentence } from '../../failures.ts';
import { keyLimits } from '../../keys.ts';
import type { OnChange } from '../../ports.ts';
import { printable } from '../../wording.ts';
import { DirectoryInUse, type DirectoryLock, lockDirectory } from './directory-lock.ts';
import { noteDirectory } from './directory-note.ts';
import { DirectoryObjects } from './directory-objects.ts';
import type { FileCalls } from './file-calls.ts';
import { LeftOutLinks } from './left-out-links.ts';
import type { SqliteRecords } from './sqlite-records.ts';
import { defaultStateDirectory, openTable, tableFile } from './state-directory.ts';

export interface DirectoryOptions {
  readonly directory: string;
  /** Where the table is kept; by default `.indexer` in the directory. */
  readonly stateDirectory?: string | undefined;
  /** Symbolic links in the directory count as what they lead to. */
  readonly followsLinks?: boolean | undefined;
  /** How the directory is read; by default with asynchronous calls. */
  readonly calls?: FileCalls | undefined;
  /** Resolves when the lock is to be tried again; without it, a directory that is in use is refused. */
  readonly onInUse?: ((inUse: DirectoryInUse) => Promise<void>) | undefined;
  readonly onChange: OnChange;
  /** Called with a sentence for the operator, once each. */
  readonly onNotice: (sentence: string) => void;
}

/** What an indexer cannot work without. */
export type Loss =
  /** The directory was removed, or replaced by another one. */
  | 'directory'
  /** The table or the lock was removed. */
  | 'state'
  /** The table is damaged. */
  | 'table'
  /** Another indexer took over the store. */
  | 'lease';

export class OpenedDirectory {
  /** Without any link in its path. */
  readonly directory: string;
  get name(): string {
    return this.directory;
  }
  readonly stateDirectory: string;
  readonly abilities: undefined;
  readonly objects: DirectoryObjects;
  readonly records: SqliteRecords;
  /** Of the listings so far. */
  readonly leftOutLinks: LeftOutLinks;
  readonly followsLinks: boolean;
  readonly #lock: DirectoryLock;
  /** As it was named. */
  readonly #givenName: string;
  readonly #isStateNew: boolean;
  #isTableDamaged = false;
  #isDiscarded = false;

  /** @throws {CannotRun} where the directory is missing, not writable, or locked by another indexer. */
  static async open(options: DirectoryOptions): Promise<OpenedDirectory> {
    await checkDirectory(options.directory);
    // A link that leads to another directory later must not mix the files of one with the rows of the other: see `loss`.
    const directory = await realpath(options.directory);
    const stateDirectory = resolve(options.stateDirectory ?? defaultStateDirectory(directory));
    await refuseServedState(stateDirectory, directory);
    const isStateNew = await makeStateDirectory(stateDirectory);
    const lock = await lockWhenFree(stateDirectory, directory, options.onInUse);
    try {
      const isOutside = relative(directory, await realPathToBe(stateDirectory)).split(sep)[0] === '..';
      if (options.stateDirectory !== undefined)
        noteDirectory(stateDirectory, resolve(options.directory), isOutside ? 'refuse another' : 'take over');
      const opened = new OpenedDirectory(options, directory, stateDirectory, lock, isStateNew);
      await opened.#removeTemporaryFiles();
      return opened;
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  private constructor(
    options: DirectoryOptions,
    directory: string,
    stateDirectory: string,
    lock: DirectoryLock,
    isStateNew: boolean,
  ) {
    const { calls, onChange, onNotice, followsLinks = false } = options;
    this.followsLinks = followsLinks;
    this.leftOutLinks = new LeftOutLinks(followsLinks);
    this.directory = directory;
    this.#givenName = resolve(options.directory);
    this.stateDirectory = stateDirectory;
    this.#lock = lock;
    this.#isStateNew = isStateNew;
    this.objects = new DirectoryObjects({
      root: directory,
      stateDirectory,
      followsLinks,
      ...(calls ? { calls } : {}),
      onSkipped: (path, reason) => {
        const name = printable(Buffer.from(path).toString('latin1'));
        if (reason === 'symbolic link') this.leftOutLinks.add(Buffer.from(path).toString());
        if (reason === 'name is not UTF-8') onNotice(`skipped ${name}: its ${reason}; rename it`);
        if (reason === 'permission is denied')
          onNotice(`skipped ${name}: ${reason}; if it holds packages, allow this user to read it`);
        if (reason === 'too many directories above it')
          onNotice(`skipped ${name}: ${reason}, expected at most ${keyLimits.directoriesMax}; move what is in it up`);
      },
    });
    const opened = openTable({
      file: tableFile(stateDirectory),
      onChange,
      onDamage: () => {
        this.#isTableDamaged = true;
      },
    });
    this.records = opened.table;
    if (opened.rebuilt)
      onNotice(
        `the table was ${opened.because}: building a new one from the directory (old table: ${opened.setAside})`,
      );
  }

  /** What this indexer has lost, if anything: close it then, and open a new one. */
  async loss(): Promise<Loss | undefined> {
    if (!(await this.objects.isInPlace()) || (await realpath(this.#givenName)) !== this.directory) return 'directory';
    if (this.#isTableDamaged) return 'table';
    return this.records.isInPlace && this.#lock.isHeld ? undefined : 'state';
  }

  /** For a start that failed before it did any work: `release` then removes the state directory, if this opening made it. */
  discard(): void {
    this.#isDiscarded = true;
  }

  /** Closes the table and gives up the lock. */
  release(): void {
    this.records.close();
    // Before the lock is given up, so that the directory is still ours.
    if (this.#isDiscarded && this.#isStateNew) rmSync(this.stateDirectory, { recursive: true, force: true });
    this.#lock.release();
  }

  /** A process that is killed during a put leaves a temporary file behind. */
  async #removeTemporaryFiles(): Promise<void> {
    try {
      await this.objects.removeTemporaryFiles();
    } catch (error) {
      throw new CannotRun(systemErrorSentence(error, (error as NodeJS.ErrnoException).path ?? this.directory));
    }
  }
}

/** @throws {DirectoryInUse} where another process has it, and `onInUse` does not wait for its end. */
export async function lockWhenFree(
  stateDirectory: string,
  directory: string,
  onInUse: DirectoryOptions['onInUse'],
): Promise<DirectoryLock> {
  for (;;) {
    try {
      return lockDirectory(stateDirectory, directory);
    } catch (error) {
      if (onInUse === undefined || !(error instanceof DirectoryInUse)) throw error;
      await onInUse(error);
    }
  }
}

async function checkDirectory(directory: string): Promise<void> {
  try {
    const facts = await stat(directory);
    if (!facts.isDirectory()) throw new CannotRun(`${directory}: expected a directory, found a file`);
    await access(directory, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    if (error instanceof CannotRun) throw error;
    throw new CannotRun(systemErrorSentence(error, directory));
  }
}

/** A web server over the directory, ours or another, would hand out the table and take uploads into it. */
async function refuseServedState(stateDirectory: string, directory: string): Promise<void> {
  const path = relative(directory, await realPathToBe(stateDirectory));
  // `..`, which leads outside, begins with a dot as well.
  if (path.split(sep).some((part) => part.startsWith('.'))) return;
  throw new CannotRun(
    `the state directory ${stateDirectory} is inside ${directory}, which is served: choose one outside, or one that begins with a dot`,
  );
}

/** With symbolic links resolved, as far as the path exists. */
async function realPathToBe(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(await realPathToBe(parent), basename(path));
  }
}

/**
 * Without its parents: a missing one is a mistake, and below /proc a recursive mkdir never returns.
 * @returns whether it is new
 */
async function makeStateDirectory(stateDirectory: string): Promise<boolean> {
  try {
    await mkdir(stateDirectory);
    return true;
  } catch (error) {
    const exists = await stat(stateDirectory).then(
      (facts) => facts.isDirectory(),
      () => false,
    );
    if (exists) return false;
    const what = `cannot make the state directory ${stateDirectory} (use --state to put it elsewhere)`;
    throw new CannotRun(systemErrorSentence(error, what));
  }
}
