/** Writes files so that a reader, and a disk after a power failure, has the old file or the new one, and nothing in between. */

import { randomBytes } from 'node:crypto';
import { type FileHandle, lstat, mkdir, open, rename, rm, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { codeOf } from './file-calls.ts';

/** Names of unfinished files begin with this. They are hidden, and lie beside their target: so on its file system. */
export const temporaryPrefix = '.indexer-tmp-';

/** The calls of node:fs/promises that change something. A test records them. */
export interface WriteCalls {
  readonly open: typeof open;
  readonly mkdir: typeof mkdir;
  readonly rename: typeof rename;
  readonly unlink: typeof unlink;
}

export interface TemporaryFile<Filled> {
  readonly path: string;
  readonly filled: Filled;
}

/**
 * What a system or file system answers that syncs no directories. There, a power failure may undo a rename; the next comparison finds
 * what it undid.
 */
const cannotSyncDirectory = ['EINVAL', 'EBADF', 'ENOTSUP', 'ENOSYS'];

export class DurableFiles {
  readonly #calls: WriteCalls;

  constructor(calls: WriteCalls = { open, mkdir, rename, unlink }) {
    this.#calls = calls;
  }

  /**
   * Writes a temporary file into the directory, and syncs it. If that fails, nothing is left of it.
   * @param fill writes the file, and may read it.
   * @throws what `fill` throws.
   */
  async writeTemporary<Filled>(
    directory: string,
    fill: (file: FileHandle) => Promise<Filled>,
  ): Promise<TemporaryFile<Filled>> {
    const path = join(directory, `${temporaryPrefix}${randomBytes(12).toString('hex')}`);
    const file = await this.#calls.open(path, 'wx+');
    try {
      const filled = await fill(file);
      await file.sync();
      await file.close();
      return { path, filled };
    } catch (error) {
      await file.close();
      await rm(path, { force: true });
      throw error;
    }
  }

  /** Renames a file onto a target in the same directory. A power failure may undo it. */
  async rename(path: string, target: string): Promise<void> {
    await this.#calls.rename(path, target);
  }

  /** The same; no power failure undoes it. */
  async renameDurably(path: string, target: string): Promise<void> {
    await this.#calls.rename(path, target);
    await this.#syncDirectory(dirname(target));
  }

  /** No power failure undoes it. */
  async removeDurably(path: string): Promise<void> {
    await this.#calls.unlink(path);
    await this.#syncDirectory(dirname(path));
  }

  /** Makes a directory, but not its parents. @returns false where a file or a link has its name. */
  async makeDirectory(path: string): Promise<boolean> {
    try {
      await this.#calls.mkdir(path);
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
      return (await lstat(path)).isDirectory();
    }
    await this.#syncDirectory(dirname(path));
    return true;
  }

  async #syncDirectory(path: string): Promise<void> {
    const directory = await this.#calls.open(path, 'r');
    try {
      await directory.sync();
    } catch (error) {
      if (!cannotSyncDirectory.includes(codeOf(error))) throw error;
    } finally {
      await directory.close();
    }
  }
}
