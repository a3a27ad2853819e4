/**
 * Every few seconds: compares each directory's own inode and times, and the files of those that cannot be watched. This finds what
 * changed without an event, what was mounted, and a watch that died.
 */

import type { Clock, ObjectKey } from '../../ports.ts';
import type { KnownDirectories } from './known-directories.ts';
import { identityOf, timesOf, type WatchedDirectory } from './watched-directory.ts';
import { mayBeWatchedLater } from './why-polled.ts';

export const patrolLimits = {
  /** How often the patrol checks directories, and the files of those that cannot be watched. `--poll` changes it. */
  patrolMilliseconds: 5_000,
  /** The patrol takes at most one part in so many of the time: the files of 30,000 packages take it a second. */
  patrolShare: 10,
  /** Only inotify reports every write. Elsewhere, files of watched directories are compared in every so many patrols. */
  patrolsPerComparison: 6,
} as const;

export interface PatrolOptions {
  readonly directories: KnownDirectories;
  readonly clock: Clock;
  readonly periodMilliseconds: number;
  readonly end: AbortSignal;
  /** Checks the directory soon; with true, its files are compared in any case. */
  readonly recheck: (prefix: string, isToCompare: boolean) => void;
  /** @returns whether it is watched now. */
  readonly tryToWatch: (directory: WatchedDirectory) => Promise<boolean>;
  readonly onFile: (key: ObjectKey) => void;
}

export async function patrolUntilEnd(options: PatrolOptions): Promise<void> {
  const { clock, periodMilliseconds, end } = options;
  let tookMilliseconds = 0;
  for (let round = 1; ; round += 1) {
    const wait = Math.max(periodMilliseconds, tookMilliseconds * patrolLimits.patrolShare);
    await clock.sleep(wait, end);
    if (end.aborted) return;
    const begin = performance.now();
    await patrol(options, round % patrolLimits.patrolsPerComparison === 0);
    tookMilliseconds = performance.now() - begin;
  }
}

/** @param isForWatched whether files of watched directories are compared, too, where that is needed. */
async function patrol(options: PatrolOptions, isForWatched: boolean): Promise<void> {
  const { directories, end, recheck, tryToWatch } = options;
  let isWatchLeft = true;
  for (const directory of directories.all) {
    if (end.aborted || !directories.has(directory)) continue;
    try {
      const { whyPolled } = directory;
      if (whyPolled !== undefined && mayBeWatchedLater(whyPolled) && isWatchLeft) {
        isWatchLeft = await tryToWatch(directory);
        if (isWatchLeft) recheck(directory.prefix, true);
      }
      await compareTimes(options, directory);
      if (directory.whyPolled !== undefined || isForWatched) await compareFiles(options, directory);
    } catch {
      directory.isStale = true;
      recheck(directory.prefix, false);
    }
  }
}

/** Has it rechecked where it is another one, or changed without an event. */
async function compareTimes({ directories, recheck }: PatrolOptions, directory: WatchedDirectory): Promise<void> {
  const { prefix, identity, times, isHeard, isWatched } = directory;
  const stats = await directories.statsOf(prefix);
  if (!stats?.isDirectory() || identityOf(stats) !== identity || directory.isStale) {
    recheck(prefix, false);
    return;
  }
  directory.times = timesOf(stats);
  directory.isHeard = false;
  if (!isWatched || isHeard || times === directory.times) return;
  directory.isStale = true;
  recheck(prefix, true);
}

/**
 * Names, sizes, modification and change times. The directory is listed even if its own times did not change: a file that is written in
 * place changes no time but its own, so every file is checked anyway, and listing is the small part.
 */
async function compareFiles(options: PatrolOptions, directory: WatchedDirectory): Promise<void> {
  const { directories, end, recheck, onFile } = options;
  const changed = await directory.compare();
  if (end.aborted || !directories.has(directory)) return;
  for (const name of changed.directories) recheck(`${directory.prefix}${name}/`, false);
  for (const name of changed.files) onFile(`${directory.prefix}${name}`);
}
