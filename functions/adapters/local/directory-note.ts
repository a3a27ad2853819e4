/** Which directory a state directory that was chosen is for: a file beside the table. */

import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CannotRun, systemErrorSentence } from '../../failures.ts';

/** The directory, as it was named. Undefined where no indexer noted it. */
export function notedDirectory(stateDirectory: string): string | undefined {
  try {
    return readFileSync(noteFile(stateDirectory), 'utf8').replace(/\n$/, '') || undefined;
  } catch {
    return undefined;
  }
}

/**
 * So that one table is never used for two directories, and commands that are given it find the directory. One that was renamed, or whose
 * name leads elsewhere now, keeps its table.
 * @param use `take over` where it is inside the directory: then it was copied along
 * @throws {CannotRun} where it is for another directory, which still exists
 */
export function noteDirectory(stateDirectory: string, directory: string, use: 'refuse another' | 'take over'): void {
  const noted = notedDirectory(stateDirectory);
  if (noted === directory) return;
  const file = noteFile(stateDirectory);
  if (noted !== undefined && use === 'refuse another' && isOther(noted, directory))
    throw new CannotRun(
      `the state directory ${stateDirectory} is that of ${noted}: give ${directory} another one, or remove ${file} if it takes the place of ${noted}`,
    );
  try {
    writeFileSync(file, `${directory}\n`);
  } catch (error) {
    throw new CannotRun(systemErrorSentence(error, file));
  }
}

function noteFile(stateDirectory: string): string {
  return join(stateDirectory, 'directory');
}

/** Compared by inode: it may be mounted at two places. */
function isOther(noted: string, directory: string): boolean {
  const before = statSync(noted, { throwIfNoEntry: false });
  const now = statSync(directory);
  return before !== undefined && !(before.dev === now.dev && before.ino === now.ino);
}
