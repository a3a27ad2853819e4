/**
 * What happens below a directory: one watch of node:fs for each directory, and a comparison every few seconds of those that cannot
 * be watched.
 *
 *     event ─▶ onFile, for a package or an index that it names
 *        └───▶ rechecks ─ soon ─▶ check ─┬─ a new directory: watch it, read it, onDirectory if it has files; then its children
 *                 ▲                      ├─ a known one: read it again, onDirectory
 *     patrol ─────┘                      └─ gone, or another one: close what was watched below, onTree
 *
 * An event is only a hint: the directory itself says what is there, and it is always read after its watch was set. So the order and
 * the number of events do not matter, only that one follows a change. Where none does, the patrol (watch-patrol.ts) finds the change.
 *
 * Links below the root are not followed. Names that begin with a dot are left out.
 */

import { isUtf8 } from 'node:buffer';
import type { BigIntStats } from 'node:fs';
import { basename } from 'node:path';
import type { Clock, ObjectKey } from '../../ports.ts';
import { EventQueue } from './event-queue.ts';
import { isTooDeep, KnownDirectories, nameOf, type Polled, parentOf } from './known-directories.ts';
import { patrolLimits, patrolUntilEnd } from './watch-patrol.ts';
import {
  type EventKind,
  identityOf,
  isFileOfInterest,
  type Watch,
  WatchedDirectory,
  watchOfNode,
} from './watched-directory.ts';
import {
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
  ...patrolLimits,
  /** Directories are read this long after the event that asks for it: a copied tree brings many events at once. */
  quietMilliseconds: 100,
  /** Directories that are checked at the same time: Node has four threads for that. */
  checksConcurrentMax: 4,
} as const;

export interface WatchEvents {
  /** Something may have happened to a package or an index; also to one that is gone. */
  readonly onFile: (key: ObjectKey) => void;
  /** Compare the files of this directory with its rows, but not those of the directories in it. `''` or `a/b/`. */
  readonly onDirectory: (prefix: string) => void;
  /** Compare everything below the prefix: a directory is gone or was replaced, or events were lost. */
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

class WatchedTree implements DirectoryWatch {
  readonly #events: WatchEvents;
  readonly #options: WatchOptions & { readonly facts: WatchFacts };
  readonly #queue: EventQueue;
  readonly #directories: KnownDirectories;
  /** Prefixes to check; with true, the files of the directory are compared in any case. */
  readonly #rechecks = new Map<string, boolean>();
  /** By device. */
  readonly #fileSystems = new Map<bigint, WhyPolled | undefined>();
  readonly #noticed = new Set<WhyPolled['kind']>();
  readonly #end = new AbortController();
  #rechecking: Promise<void> | undefined;
  #patrolling: Promise<void> | undefined;
  #isStarted = false;

  constructor(
    root: string,
    events: WatchEvents,
    options: WatchOptions & { readonly facts: WatchFacts },
    queue: EventQueue,
  ) {
    this.#directories = new KnownDirectories(root);
    this.#events = events;
    this.#options = options;
    this.#queue = queue;
  }

  async start(): Promise<void> {
    const { clock, pollMilliseconds } = this.#options;
    if (pollMilliseconds !== undefined) this.#notice(this.#directories.root, polledBecauseAsked);
    this.#rechecks.set('', false);
    await this.#checkAll();
    this.#isStarted = true;
    this.#patrolling = patrolUntilEnd({
      directories: this.#directories,
      clock,
      periodMilliseconds: this.#patrolMilliseconds,
      end: this.#end.signal,
      recheck: (prefix, isToCompare) => this.#recheck(prefix, isToCompare),
      tryToWatch: (directory) => this.#tryToWatch(directory),
      onFile: this.#events.onFile,
    });
  }

  get polled(): readonly Polled[] {
    return this.#directories.polled;
  }

  async close(): Promise<void> {
    this.#end.abort();
    await this.#rechecking;
    await this.#patrolling;
    this.#directories.closeAll();
  }

  get #isClosed(): boolean {
    return this.#end.signal.aborted;
  }

  #isThere(directory: WatchedDirectory): boolean {
    return !this.#isClosed && this.#directories.has(directory);
  }

  #onEvent(directory: WatchedDirectory, kind: EventKind, bytes: Uint8Array | null): void {
    if (!this.#isThere(directory)) return;
    const { prefix, children, path } = directory;
    directory.isHeard = true;
    if (this.#queue.mayOverflow()) this.#eventsWereDropped();
    if (bytes === null || !isUtf8(bytes)) {
      this.#recheck(prefix, true);
      return;
    }
    const name = Buffer.from(bytes).toString();
    // An event of the directory itself (removed, moved, other permissions) comes as one of a file in it with its name.
    if (kind === 'rename' && name === basename(path)) {
      directory.isStale = true;
      this.#recheck(prefix, true);
    }
    if (name.startsWith('.')) return;
    if (isFileOfInterest(name)) this.#events.onFile(`${prefix}${name}`);
    if (kind === 'rename' || children.has(name)) this.#recheck(`${prefix}${name}/`, false);
  }

  /** Perhaps of every directory. */
  #eventsWereDropped(): void {
    for (const directory of this.#directories.all) {
      directory.isStale = true;
      this.#recheck(directory.prefix, false);
    }
    this.#events.onTree('');
  }

  #recheck(prefix: string, isToCompare: boolean): void {
    this.#rechecks.set(prefix, isToCompare || this.#rechecks.get(prefix) === true);
    if (this.#isStarted && !this.#isClosed) this.#rechecking ??= this.#checkSoon();
  }

  async #checkSoon(): Promise<void> {
    await this.#options.clock.sleep(watchLimits.quietMilliseconds, this.#end.signal);
    await this.#checkAll();
    // The patrol may have added one meanwhile.
    this.#rechecking = this.#rechecks.size > 0 && !this.#isClosed ? this.#checkSoon() : undefined;
  }

  async #checkAll(): Promise<void> {
    while (this.#rechecks.size > 0 && !this.#isClosed)
      await Promise.all(this.#takeRechecks().map(([prefix, isToCompare]) => this.#check(prefix, isToCompare)));
  }

  /** Some that are not below each other, so that they can be checked at the same time. */
  #takeRechecks(): [prefix: string, isToCompare: boolean][] {
    const taken: [string, boolean][] = [];
    for (const [prefix, isToCompare] of this.#rechecks) {
      const isRelated = taken.some(([other]) => other.startsWith(prefix) || prefix.startsWith(other));
      if (isRelated || taken.length === watchLimits.checksConcurrentMax) break;
      this.#rechecks.delete(prefix);
      taken.push([prefix, isToCompare]);
    }
    return taken;
  }

  async #check(prefix: string, isToCompare: boolean): Promise<void> {
    // Its parent's comparison reports it.
    if (isTooDeep(prefix)) return this.#compareDirectory(parentOf(prefix));
    const known = this.#directories.at(prefix);
    const wasStale = known?.isStale === true;
    try {
      const stats = await this.#directories.statsOf(prefix);
      if (!stats?.isDirectory()) this.#removed(prefix, known, stats);
      else if (known === undefined) await this.#addDirectory(prefix, stats);
      else if (known.identity !== identityOf(stats)) {
        this.#directories.drop(known);
        this.#events.onTree(prefix);
        await this.#addDirectory(prefix, stats);
      } else if (wasStale || isToCompare) await this.#readAgain(known, stats);
    } catch {
      // The disk fails, or a permission is missing: comparing the directory reports that. The patrol tries again.
      const directory = this.#directories.at(prefix);
      if (directory !== undefined) directory.isStale = true;
      if (!wasStale) this.#compareDirectory(prefix);
    }
  }

  /** There is no directory. */
  #removed(prefix: string, known: WatchedDirectory | undefined, stats: BigIntStats | undefined): void {
    if (prefix === '') {
      // The service itself notices that the root is gone. If it comes back, the patrol watches it again.
      if (known !== undefined) known.isStale = true;
      return;
    }
    if (known !== undefined) this.#directories.drop(known);
    // A directory that came and went before it was read may have rows. A package that was removed is no directory.
    if (known !== undefined || (stats === undefined && !isFileOfInterest(nameOf(prefix)))) this.#events.onTree(prefix);
  }

  /** Watched first, then read: a change after that has an event. */
  async #addDirectory(prefix: string, stats: BigIntStats): Promise<void> {
    const parent = this.#directories.at(parentOf(prefix));
    // If the parent comes back, everything in it is checked.
    if (prefix !== '' && parent === undefined) return;
    const directory = new WatchedDirectory(prefix, this.#directories.pathOf(prefix), stats);
    // It was moved: node:fs would still report its changes under the old name.
    const before = this.#directories.withIdentity(directory.identity);
    if (before !== undefined) await this.#check(before.prefix, false);
    if (this.#directories.at(prefix) !== undefined) return;
    this.#directories.add(directory);
    await this.#watch(directory, stats);
    // Without files it has no rows: those of an earlier directory of this name are gone.
    if (await this.#read(directory)) this.#compareDirectory(prefix);
  }

  async #readAgain(directory: WatchedDirectory, stats: BigIntStats): Promise<void> {
    if (directory.isStale) {
      directory.isStale = false;
      await this.#watch(directory, stats);
      // While it was not watched, each child may have been replaced.
      for (const name of directory.children) this.#recheck(`${directory.prefix}${name}/`, false);
    }
    await this.#read(directory);
    this.#compareDirectory(directory.prefix);
  }

  /** Has its new and removed directories checked. @returns whether there are files in it. */
  async #read(directory: WatchedDirectory): Promise<boolean> {
    const { directories, hasFiles } = await directory.read();
    for (const name of directories) this.#recheck(`${directory.prefix}${name}/`, false);
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
      // It is gone, which an event of its parent reports; or this user may not read it.
      if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EACCES') throw error;
      this.#poll(directory, await whyWatchFailed(error, facts));
      return false;
    }
  }

  async #watchEnded(directory: WatchedDirectory, error: Error): Promise<void> {
    const whyPolled = await whyWatchFailed(error, this.#options.facts);
    if (!this.#isThere(directory)) return;
    this.#poll(directory, whyPolled);
    this.#recheck(directory.prefix, true);
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
}
