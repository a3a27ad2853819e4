/**
 * What happens below a directory: one watch of node:fs for each directory, and a comparison every few seconds of those that cannot
 * be watched.
 *
 *     event ─▶ onFile, for a package or an index that it names
 *        └───▶ rechecks ── soon ─▶ check ─┬─ a new directory: watch it, read it, onDirectory if it has files; then its children
 *                 ▲                       ├─ one that was read before: read it again, onDirectory
 *     patrol ─────┘                       └─ gone, or another one: close what was watched below, onTree
 *
 * An event is only a hint: a directory is always read after its watch was set. So the order and the number of events do not matter, as
 * long as one follows a change. If none does, the patrol finds the change: every few seconds it checks each directory's own inode and
 * times. This finds mounts, dead watches, and entries that came or went without an event. It compares every file of a directory that is
 * polled: names, sizes, modification and change times. It lists such a directory each time, even if the directory's own times have not
 * changed: a file that is written in place changes only its own times, so every file is checked anyway.
 *
 * Links below the root are not followed. Names that begin with a dot are left out.
 */

import { isUtf8 } from 'node:buffer';
import type { BigIntStats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Clock, ObjectKey } from '../../ports.ts';
import { EventQueue } from './event-queue.ts';
import { Rechecks } from './rechecks.ts';
import {
  type EventKind,
  identityOf,
  isFileOfInterest,
  isTooDeep,
  lstatUnlessGone,
  nameOf,
  parentOf,
  timesOf,
  type Watch,
  WatchedDirectory,
  watchOfNode,
} from './watched-directory.ts';
import {
  mayBeWatchedLater,
  polledBecauseAsked,
  pollingSentence,
  queuedEventsMax,
  type WatchFacts,
  type WhyPolled,
  watchFacts,
  whyFileSystemPolled,
  whyWatchFailed,
} from './why-polled.ts';

export const watchLimits = {
  /** How often the patrol checks directories, and the files of those that cannot be watched. `--poll` changes it. */
  patrolMilliseconds: 5_000,
  /** The patrol takes at most one part in so many of the time: the files of 30,000 packages take it a second. */
  patrolShare: 10,
  /** Only inotify reports every write. Elsewhere, files of watched directories are compared in every so many patrols. */
  patrolsPerComparison: 6,
} as const;

export interface WatchEvents {
  /** Something happened to a package or an index, or perhaps did; also to one that is gone. */
  readonly onFile: (key: ObjectKey) => void;
  /** The files of this directory are to be compared with its rows, not those of the directories in it. `''` or `a/b/`. */
  readonly onDirectory: (prefix: string) => void;
  /** The same of everything below the prefix: a directory vanished, another one took its place, or events were lost. */
  readonly onTree: (prefix: string) => void;
  /** A sentence for the operator: what is polled and why. Once for each reason. */
  readonly onNotice: (sentence: string) => void;
}

export interface WatchOptions {
  readonly clock: Clock;
  /** Nothing is watched: everything is compared this often. */
  readonly pollMilliseconds?: number | undefined;
  readonly watch?: Watch;
  readonly facts?: WatchFacts;
}

/** Directories that are compared every few seconds. */
export interface Polled extends WhyPolled {
  readonly directories: number;
}

export interface DirectoryWatch {
  /** What is compared every few seconds, by reason. */
  readonly polled: readonly Polled[];
  close(): Promise<void>;
}

/**
 * Resolves once everything below `root` is watched. No event reports what is there already: compare it afterwards.
 * @param root a directory; a link to one will do.
 */
export async function watchDirectory(
  root: string,
  events: WatchEvents,
  options: WatchOptions,
): Promise<DirectoryWatch> {
  const { facts = watchFacts } = options;
  const queue = new EventQueue(await queuedEventsMax(facts));
  const watch = new WatchedTree(root, events, { ...options, facts }, queue);
  await watch.start();
  return watch;
}

export type WatchDirectory = typeof watchDirectory;

type TreeOptions = WatchOptions & { readonly facts: WatchFacts };

class WatchedTree implements DirectoryWatch {
  readonly #root: string;
  readonly #events: WatchEvents;
  readonly #options: TreeOptions;
  readonly #queue: EventQueue;
  /** By prefix. */
  readonly #directories = new Map<string, WatchedDirectory>();
  readonly #byIdentity = new Map<string, WatchedDirectory>();
  readonly #rechecks: Rechecks;
  /** By device. */
  readonly #fileSystems = new Map<bigint, WhyPolled | undefined>();
  readonly #noticed = new Set<WhyPolled['kind']>();
  readonly #end = new AbortController();
  #patrolling: Promise<void> | undefined;
  #isStarted = false;

  constructor(root: string, events: WatchEvents, options: TreeOptions, queue: EventQueue) {
    this.#root = root;
    this.#events = events;
    this.#options = options;
    this.#queue = queue;
    this.#rechecks = new Rechecks((...recheck) => this.#checkAgain(...recheck), options.clock, this.#end.signal);
  }

  async start(): Promise<void> {
    if (this.#options.pollMilliseconds !== undefined) this.#notice(this.#root, polledBecauseAsked);
    this.#rechecks.add('', false);
    await this.#rechecks.start();
    this.#isStarted = true;
    this.#patrolling = this.#patrolUntilEnd();
  }

  get polled(): readonly Polled[] {
    const byKind = new Map<WhyPolled['kind'], Polled>();
    for (const { whyPolled } of this.#directories.values()) {
      if (whyPolled === undefined) continue;
      const directories = (byKind.get(whyPolled.kind)?.directories ?? 0) + 1;
      byKind.set(whyPolled.kind, { ...whyPolled, directories });
    }
    return [...byKind.values()];
  }

  async close(): Promise<void> {
    this.#end.abort();
    await this.#rechecks.ended();
    await this.#patrolling;
    for (const directory of this.#directories.values()) directory.close();
    this.#directories.clear();
  }

  get #isClosed(): boolean {
    return this.#end.signal.aborted;
  }

  #isThere(directory: WatchedDirectory): boolean {
    return !this.#isClosed && this.#directories.get(directory.prefix) === directory;
  }

  #onEvent(directory: WatchedDirectory, kind: EventKind, bytes: Uint8Array | null): void {
    if (!this.#isThere(directory)) return;
    const { prefix, children, path } = directory;
    directory.isHeard = true;
    if (this.#queue.mayOverflow()) this.#eventsWereDropped();
    if (bytes === null || !isUtf8(bytes)) {
      this.#rechecks.add(prefix, true);
      return;
    }
    const name = Buffer.from(bytes).toString();
    // What happens to a directory itself (removed, moved, its rights changed) is reported as of a file in it that has its name.
    if (kind === 'rename' && name === basename(path)) {
      directory.isStale = true;
      this.#rechecks.add(prefix, true);
    }
    if (name.startsWith('.')) return;
    if (isFileOfInterest(name)) this.#events.onFile(`${prefix}${name}`);
    if (kind === 'rename' || children.has(name)) this.#rechecks.add(`${prefix}${name}/`, false);
  }

  /** Of any directory, and nothing says which. */
  #eventsWereDropped(): void {
    for (const directory of this.#directories.values()) {
      directory.isStale = true;
      this.#rechecks.add(directory.prefix, false);
    }
    this.#events.onTree('');
  }

  async #checkAgain(prefix: string, isToCompare: boolean): Promise<void> {
    // Its parent's comparison reports it.
    if (isTooDeep(prefix)) return this.#compareDirectory(parentOf(prefix));
    const known = this.#directories.get(prefix);
    const wasStale = known?.isStale === true;
    try {
      const stats = await this.#statsOf(prefix);
      if (!stats?.isDirectory()) this.#lost(prefix, known, stats);
      else if (known === undefined) await this.#adopt(prefix, stats);
      else if (known.identity !== identityOf(stats)) {
        this.#drop(known);
        this.#events.onTree(prefix);
        await this.#adopt(prefix, stats);
      } else if (wasStale || isToCompare) await this.#readAgain(known, stats);
    } catch {
      // The disk fails, or permission is missing: the comparison of this directory fails as well, and reports it. The patrol tries again.
      const directory = this.#directories.get(prefix);
      if (directory !== undefined) directory.isStale = true;
      if (!wasStale) this.#compareDirectory(prefix);
    }
  }

  /** There is no directory. */
  #lost(prefix: string, known: WatchedDirectory | undefined, stats: BigIntStats | undefined): void {
    if (prefix === '') {
      // The owner of this watch notices that its root is gone. If it comes back, the patrol sets the watch again.
      if (known !== undefined) known.isStale = true;
      return;
    }
    if (known !== undefined) this.#drop(known);
    // One that came and went before it was seen may have rows. A package that was removed is no such thing.
    if (known !== undefined || (stats === undefined && !isFileOfInterest(nameOf(prefix)))) this.#events.onTree(prefix);
  }

  /** Watched first, then read: what comes after the reading has an event. */
  async #adopt(prefix: string, stats: BigIntStats): Promise<void> {
    const parent = this.#directories.get(parentOf(prefix));
    // If the parent comes back, everything in it is checked.
    if (prefix !== '' && parent === undefined) return;
    const directory = new WatchedDirectory(prefix, this.#pathOf(prefix), stats);
    // It was moved: node:fs would continue to report its changes under its old name.
    const before = this.#byIdentity.get(directory.identity);
    if (before !== undefined) await this.#checkAgain(before.prefix, false);
    if (this.#directories.has(prefix)) return;
    if (prefix !== '') parent?.children.add(nameOf(prefix));
    this.#directories.set(prefix, directory);
    this.#byIdentity.set(directory.identity, directory);
    await this.#watch(directory, stats);
    // One without files has no rows: those of an earlier directory of this name went with it.
    if (await this.#read(directory)) this.#compareDirectory(prefix);
  }

  async #readAgain(directory: WatchedDirectory, stats: BigIntStats): Promise<void> {
    if (directory.isStale) {
      directory.isStale = false;
      await this.#watch(directory, stats);
      // While its watch was dead, each child may have become another one.
      for (const name of directory.children) this.#rechecks.add(`${directory.prefix}${name}/`, false);
    }
    await this.#read(directory);
    this.#compareDirectory(directory.prefix);
  }

  /** Has the directories in it checked that are new or gone. @returns whether there are files in it. */
  async #read(directory: WatchedDirectory): Promise<boolean> {
    const { directories, hasFiles } = await directory.read();
    for (const name of directories) this.#rechecks.add(`${directory.prefix}${name}/`, false);
    return hasFiles;
  }

  #compareDirectory(prefix: string): void {
    if (this.#isStarted && !this.#isClosed) this.#events.onDirectory(prefix);
  }

  async #watch(directory: WatchedDirectory, { dev }: BigIntStats): Promise<void> {
    const { facts, pollMilliseconds } = this.#options;
    if (!this.#fileSystems.has(dev)) this.#fileSystems.set(dev, await whyFileSystemPolled(directory.path, facts));
    const whyPolled = pollMilliseconds === undefined ? this.#fileSystems.get(dev) : polledBecauseAsked;
    if (whyPolled !== undefined) this.#poll(directory, whyPolled);
    else await this.#tryToWatch(directory);
  }

  /** @returns whether it is watched now. */
  async #tryToWatch(directory: WatchedDirectory): Promise<boolean> {
    const { watch = watchOfNode, facts } = this.#options;
    const set = () =>
      watch(
        directory.path,
        (kind, name) => this.#onEvent(directory, kind, name),
        (error) => void this.#watchEnded(directory, error),
      );
    try {
      directory.watch(set, facts.platform === 'linux');
      return true;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // It vanished, and its parent's event says so; or this user may not read it.
      if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EACCES') throw error;
      this.#poll(directory, await whyWatchFailed(error, facts));
      return false;
    }
  }

  async #watchEnded(directory: WatchedDirectory, error: Error): Promise<void> {
    const whyPolled = await whyWatchFailed(error, this.#options.facts);
    if (!this.#isThere(directory)) return;
    this.#poll(directory, whyPolled);
    this.#rechecks.add(directory.prefix, true);
  }

  #poll(directory: WatchedDirectory, whyPolled: WhyPolled): void {
    directory.poll(whyPolled);
    this.#notice(directory.path, whyPolled);
  }

  #notice(path: string, whyPolled: WhyPolled): void {
    if (this.#noticed.has(whyPolled.kind)) return;
    this.#noticed.add(whyPolled.kind);
    this.#events.onNotice(pollingSentence(path, whyPolled, this.#patrolMilliseconds / 1000));
  }

  get #patrolMilliseconds(): number {
    return this.#options.pollMilliseconds ?? watchLimits.patrolMilliseconds;
  }

  async #patrolUntilEnd(): Promise<void> {
    let tookMilliseconds = 0;
    for (let round = 1; ; round += 1) {
      const wait = Math.max(this.#patrolMilliseconds, tookMilliseconds * watchLimits.patrolShare);
      await this.#options.clock.sleep(wait, this.#end.signal);
      if (this.#isClosed) return;
      const begin = performance.now();
      await this.#patrol(round % watchLimits.patrolsPerComparison === 0);
      tookMilliseconds = performance.now() - begin;
    }
  }

  /** @param isForWatched whether files of watched directories are compared, too, where that is needed. */
  async #patrol(isForWatched: boolean): Promise<void> {
    let isWatchLeft = true;
    for (const directory of [...this.#directories.values()]) {
      if (!this.#isThere(directory)) continue;
      try {
        const { whyPolled } = directory;
        if (whyPolled !== undefined && mayBeWatchedLater(whyPolled) && isWatchLeft) {
          isWatchLeft = await this.#tryToWatch(directory);
          if (isWatchLeft) this.#rechecks.add(directory.prefix, true);
        }
        await this.#check(directory);
        if (directory.whyPolled !== undefined || isForWatched) await this.#compare(directory);
      } catch {
        directory.isStale = true;
        this.#rechecks.add(directory.prefix, false);
      }
    }
  }

  /** Has it checked again if it is another one, or has changed without an event. */
  async #check(directory: WatchedDirectory): Promise<void> {
    const { prefix, identity, times, isHeard, isWatched } = directory;
    const stats = await this.#statsOf(prefix);
    if (!stats?.isDirectory() || identityOf(stats) !== identity || directory.isStale) {
      this.#rechecks.add(prefix, false);
      return;
    }
    directory.times = timesOf(stats);
    directory.isHeard = false;
    if (!isWatched || isHeard || times === directory.times) return;
    directory.isStale = true;
    this.#rechecks.add(prefix, true);
  }

  async #compare(directory: WatchedDirectory): Promise<void> {
    const { directories, files } = await directory.compare();
    if (!this.#isThere(directory)) return;
    for (const name of directories) this.#rechecks.add(`${directory.prefix}${name}/`, false);
    for (const name of files) this.#events.onFile(`${directory.prefix}${name}`);
  }

  /** It and everything below it. */
  #drop(directory: WatchedDirectory): void {
    const { prefix, children, identity } = directory;
    directory.close();
    if (this.#byIdentity.get(identity) === directory) this.#byIdentity.delete(identity);
    if (this.#directories.get(prefix) !== directory) return;
    this.#directories.delete(prefix);
    this.#directories.get(parentOf(prefix))?.children.delete(nameOf(prefix));
    for (const name of children) {
      const child = this.#directories.get(`${prefix}${name}/`);
      if (child !== undefined) this.#drop(child);
    }
  }

  /** Without a slash at the end. */
  #pathOf(prefix: string): string {
    return prefix === '' ? this.#root : `${this.#root}/${prefix.slice(0, -1)}`;
  }

  /** Undefined where nothing is there. A link is followed only where it is the root. */
  async #statsOf(prefix: string): Promise<BigIntStats | undefined> {
    if (prefix !== '') return await lstatUnlessGone(this.#pathOf(prefix));
    return await stat(this.#root, { bigint: true }).catch(() => undefined);
  }
}
