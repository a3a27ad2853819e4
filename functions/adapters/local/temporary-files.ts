/** Files that are being written. They are hidden, lie beside their target (so on its file system), and are renamed onto it. */

import { randomBytes } from 'node:crypto';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** What a file name begins with while the file is being written. A left-over after a crash is known by it. */
export const temporaryPrefix = '.indexer-tmp-';

export interface TemporaryFile<Filled> {
  readonly path: string;
  readonly filled: Filled;
}

/**
 * Creates a temporary file in the directory, has `fill` write it (it may read it, too), and sees it onto the disk. Where that fails, nothing is
 * left behind, and the error is thrown on.
 */
export async function writeTemporaryFile<Filled>(
  directory: string,
  fill: (file: FileHandle) => Promise<Filled>,
): Promise<TemporaryFile<Filled>> {
  const path = join(directory, `${temporaryPrefix}${randomBytes(12).toString('hex')}`);
  const file = await open(path, 'wx+');
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

/** Makes the directory's entries (a rename, a removal) survive a power failure. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
