/** One directory below the root that is watched: what is in it, and how changes of it are noticed. */

import { isUtf8 } from 'node:buffer';
import { type BigIntStats, watch as nodeWatch } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import pMap from 'p-map';
import { isIndexKey, isPackageKey } from '../../keys.ts';
import { isKnown } from './directory-tree.ts';
import type { WhyPolled } from './why-polled.ts';

export type EventKind = 'rename' | 'change';

/** `watch` of node:fs, and its error, which it throws where the directory cannot be watched. `name` is null where none is known. */
export type Watch = (
  path: string,
  onEvent: (kind: EventKind, name: Uint8Array | null) => void,
  onError: (error: Error) => void,
) => { close(): void };

export const watchOfNode: Watch = (path, onEvent, onError) =>
  nodeWatch(path, { encoding: 'buffer' }, onEvent).on('error', onError);

/** Files that are checked at the same time: Node has four threads for that. */
const checksConcurrentMax = 4;

export class WatchedDirectory {
  /** `''` or `a/b/`. */
  readonly prefix: string;
  readonly path: string;
  /** Device and inode. */
  readonly identity: string;
  /** Names of the directories in it. */
  readonly children = new Set<string>();
  /** Its watch has to be set again, and it has to be read again. */
  isStale = false;
  /** Whether an event came since the last patrol. */
  isHeard = false;
  /** Its own times at the last patrol. */
  times: string;
  /** Why its files are compared every few seconds; undefined where it is watched. */
  whyPolled: WhyPolled | undefined;
  /** Packages and indexes with what tells their versions apart. Undefined where they need not be compared. */
  #versions: ReadonlyMap<string, string> | undefined;
  #watch: { close(): void } | undefined;

  constructor(prefix: string, path: string, stats: BigIntStats) {
    this.prefix = prefix;
    this.path = path;
    this.identity = identityOf(stats);
    this.times = timesOf(stats);
  }

  get isWatched(): boolean {
    return this.#watch !== undefined;
  }

  /**
   * Sets the watch, or replaces it. The old one is closed after that: for the same directory the kernel has one watch for both.
   * @param isComplete whether it reports every change of every file.
   * @throws what `watch` throws; then it is not watched any more.
   */
  watch(set: () => { close(): void }, isComplete: boolean): void {
    const old = this.#watch;
    this.#watch = undefined;
    try {
      this.#watch = set();
      this.whyPolled = undefined;
      this.#versions = isComplete ? undefined : new Map();
    } finally {
      old?.close();
    }
  }

  /** Has its files compared from now on. */
  poll(whyPolled: WhyPolled): void {
    this.close();
    this.whyPolled = whyPolled;
    this.#versions ??= new Map();
  }

  close(): void {
    this.#watch?.close();
    this.#watch = undefined;
  }

  /** Reads what is in it. @returns names of directories in it that are new, or gone; and whether it has files that concern us. */
  async read(): Promise<{ readonly directories: readonly string[]; readonly hasFiles: boolean }> {
    const { directories, files, hasOddNames } = await listDirectory(this.path);
    if (this.#versions !== undefined) this.#versions = await versionsOf(this.path, files);
    return { directories: this.#newOrGone(directories), hasFiles: files.length > 0 || hasOddNames };
  }

  /** Reads it as `read` does, and also returns the names of files that differ from those that were there. */
  async compare(): Promise<{ readonly directories: readonly string[]; readonly files: readonly string[] }> {
    const before = this.#versions;
    if (before === undefined) return { directories: [], files: [] };
    const { directories, files } = await listDirectory(this.path);
    const now = await versionsOf(this.path, files);
    // It was read meanwhile: that was later than this.
    if (this.#versions !== before) return { directories: [], files: [] };
    this.#versions = now;
    const names = [...new Set([...before.keys(), ...now.keys()])];
    return {
      directories: this.#newOrGone(directories),
      files: names.filter((name) => before.get(name) !== now.get(name)),
    };
  }

  #newOrGone(now: ReadonlySet<string>): string[] {
    const names = new Set([...this.children, ...now]);
    return [...names].filter((name) => !this.children.has(name) || !now.has(name));
  }
}

/** Whether hints are sent for a file of this name. */
export function isFileOfInterest(name: string): boolean {
  return isPackageKey(name) || isIndexKey(name);
}

export function identityOf({ dev, ino }: BigIntStats): string {
  return `${dev}-${ino}`;
}

export function timesOf({ mtimeNs, ctimeNs }: BigIntStats): string {
  return `${mtimeNs}-${ctimeNs}`;
}

/** Undefined where nothing is there. */
export async function lstatUnlessGone(path: string): Promise<BigIntStats | undefined> {
  try {
    return await lstat(path, { bigint: true });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}

interface Listing {
  readonly directories: ReadonlySet<string>;
  readonly files: readonly string[];
  /** Whether there are names that are not UTF-8: the comparison of the directory reports them. */
  readonly hasOddNames: boolean;
}

/** Without what is hidden. Links are files here: whether one counts is for the comparison to say. */
async function listDirectory(path: string): Promise<Listing> {
  const directories = new Set<string>();
  const files: string[] = [];
  let hasOddNames = false;
  for (const entry of await readdir(path, { withFileTypes: true, encoding: 'buffer' })) {
    if (!isUtf8(entry.name)) {
      hasOddNames = true;
      continue;
    }
    const name = entry.name.toString();
    if (name.startsWith('.')) continue;
    const kind = isKnown(entry) ? entry : await lstatUnlessGone(`${path}/${name}`);
    if (kind?.isDirectory()) directories.add(name);
    else if ((kind?.isFile() || kind?.isSymbolicLink()) && isFileOfInterest(name)) files.push(name);
  }
  return { directories, files, hasOddNames };
}

/** Of the files that are still there. */
async function versionsOf(path: string, names: readonly string[]): Promise<Map<string, string>> {
  const versions = new Map<string, string>();
  const addVersion = async (name: string): Promise<void> => {
    const stats = await lstatUnlessGone(`${path}/${name}`);
    if (stats?.isFile() || stats?.isSymbolicLink())
      versions.set(name, `${identityOf(stats)} ${stats.size} ${timesOf(stats)}`);
  };
  await pMap(names, addVersion, { concurrency: checksConcurrentMax });
  return versions;
}
