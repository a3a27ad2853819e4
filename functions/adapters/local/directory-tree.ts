/** The files below a directory. Symbolic links are followed only where the operator asked for it (followed-links.ts). */

import { isUtf8 } from 'node:buffer';
import { type BigIntStats, constants } from 'node:fs';
import { keyLimits, operatorDirectory } from '../../keys.ts';
import type { ObjectKey } from '../../ports.ts';
import { type BytesEntry, codeOf, type FileCalls, isAbsence, type OpenFile } from './file-calls.ts';
import type { FollowedLinks } from './followed-links.ts';

/** The root is missing, or another directory has its name: what is found there says nothing about our objects. */
export class DirectoryLost extends Error {
  override readonly name = 'DirectoryLost';
}

export type SkipReason =
  | 'name is not UTF-8'
  | 'symbolic link'
  | 'not a regular file'
  | 'permission is denied'
  | 'too many directories above it';

export type OnSkipped = (pathBytes: Uint8Array, reason: SkipReason) => void;

export interface FilesOptions {
  /** Of files, and of directories to search. */
  readonly isWanted: (name: string) => boolean;
  readonly onSkipped?: OnSkipped;
  /** False: without the files in directories below. */
  readonly isDeep?: boolean;
}

export class DirectoryTree {
  readonly #root: string;
  readonly #calls: FileCalls;
  readonly #links: FollowedLinks | undefined;
  /** Device and inode of the root when it was first used. */
  #rootIdentity: string | undefined;

  /**
   * @param root absolute; it must exist: a missing directory is not an empty one.
   * @param links without them, no link is followed.
   */
  constructor(root: string, calls: FileCalls, links?: FollowedLinks) {
    this.#root = root;
    this.#calls = calls;
    this.#links = links;
  }

  /** `''` is the root. */
  pathOf(key: string): string {
    return key === '' ? this.#root : `${this.#root}/${key}`;
  }

  /**
   * Checks that the root is the directory that it was at first. Needed wherever something is absent, or is written: if an unmounted disk
   * counted as an empty directory, every row would be deleted.
   * @throws {DirectoryLost}
   */
  async checkRoot(): Promise<void> {
    let found: BigIntStats;
    try {
      found = await this.#calls.stat(this.#root);
    } catch (cause) {
      if (!isAbsence(cause)) throw cause;
      throw new DirectoryLost(`${this.#root}: expected a directory of packages, found none; create or mount it`);
    }
    const identity = `${found.dev}-${found.ino}`;
    this.#rootIdentity ??= identity;
    if (this.#rootIdentity !== identity)
      throw new DirectoryLost(`${this.#root}: expected the directory that was there before, found another one`);
  }

  /** Of the regular file of this key. */
  async statFile(key: ObjectKey): Promise<BigIntStats | undefined> {
    const stats = await this.#stat(key);
    return stats?.isFile() ? stats : undefined;
  }

  async isDirectory(key: string): Promise<boolean> {
    return (await this.#stat(key))?.isDirectory() ?? false;
  }

  /** @throws {NodeJS.ErrnoException} */
  async open(key: ObjectKey): Promise<OpenFile> {
    // O_NONBLOCK: if the file was replaced by a pipe, opening it would wait for a writer.
    const flags = constants.O_RDONLY | constants.O_NONBLOCK | (this.#links === undefined ? constants.O_NOFOLLOW : 0);
    return await this.#calls.open(this.pathOf(key), flags);
  }

  /** The regular file of this key, opened; undefined where there is none. */
  async openFile(key: ObjectKey): Promise<{ readonly file: OpenFile; readonly stats: BigIntStats } | undefined> {
    return await this.#find(key, async () => {
      if (this.#links !== undefined && !(await this.#factsOf(this.pathOf(key))).isFile()) return undefined;
      const file = await this.open(key);
      const stats = await file.stat();
      if (stats.isFile()) return { file, stats };
      await file.close();
      return undefined;
    });
  }

  /**
   * Lists one directory after the other, with one of them open at a time. Skips what vanishes meanwhile, and directories that this user
   * may not read, except `top` itself.
   */
  async *files(
    top: string,
    { isWanted, onSkipped = () => {}, isDeep = true }: FilesOptions,
  ): AsyncGenerator<{ key: ObjectKey; name: string; path: string }> {
    await this.checkRoot();
    const waiting = [top];
    for (let directory = waiting.pop(); directory !== undefined; directory = waiting.pop()) {
      const directoryPath = this.pathOf(directory);
      for await (const entry of this.entries(directoryPath, directory === top ? undefined : onSkipped)) {
        if (!isUtf8(entry.name)) {
          onSkipped(Buffer.concat([Buffer.from(`${directoryPath}/`), entry.name]), 'name is not UTF-8');
          continue;
        }
        const name = entry.name.toString();
        if (!isWanted(name)) continue;
        const key = directory === '' ? name : `${directory}/${name}`;
        const path = `${directoryPath}/${name}`;
        const isToFollow = this.#links !== undefined && entry.isSymbolicLink();
        const kind = isKnown(entry) && !isToFollow ? entry : await this.lstat(path);
        if (kind?.isDirectory()) {
          if (key.split('/').length > keyLimits.directoriesMax)
            onSkipped(Buffer.from(path), 'too many directories above it');
          else if (isDeep) waiting.push(key);
        } else if (kind?.isFile()) yield { key, name, path };
        else if (kind !== undefined)
          onSkipped(Buffer.from(path), kind.isSymbolicLink() ? 'symbolic link' : 'not a regular file');
      }
    }
    // A file that was not listed is absent only if the root was ours all the while.
    await this.checkRoot();
  }

  /**
   * None where the directory is missing.
   * @param onSkipped called where this user may not read it; without it, that is an error.
   */
  async *entries(path: string, onSkipped?: OnSkipped): AsyncGenerator<BytesEntry> {
    try {
      yield* this.#calls.entries(path);
    } catch (cause) {
      if (isAbsence(cause)) return;
      if (codeOf(cause) !== 'EACCES') throw cause;
      if (onSkipped !== undefined) return onSkipped(Buffer.from(path), 'permission is denied');
      throw new Error(`cannot list ${path}: permission denied; let the user that runs the indexer read it`, { cause });
    }
  }

  /** Undefined where nothing has that name. A link that is followed has the facts of its target. */
  async lstat(path: string): Promise<BigIntStats | undefined> {
    try {
      return await this.#factsOf(path);
    } catch (error) {
      if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
      throw error;
    }
  }

  async #stat(key: string): Promise<BigIntStats | undefined> {
    return await this.#find(key, () => this.#factsOf(this.pathOf(key)));
  }

  #factsOf(path: string): BigIntStats | Promise<BigIntStats> {
    const found = this.#calls.lstat(path);
    const links = this.#links;
    if (links === undefined) return found;
    return Promise.resolve(found).then(async (stats) =>
      stats.isSymbolicLink() ? ((await links.statsOf(path)) ?? stats) : stats,
    );
  }

  /** Undefined where nothing has this key, or where a part of its path is not a directory: a symbolic link, say. */
  async #find<Found>(key: string, find: () => Found | Promise<Found>): Promise<Found | undefined> {
    if (whyUnusable(key) !== undefined) return undefined;
    const isFirst = this.#rootIdentity === undefined;
    if (isFirst) await this.checkRoot();
    const found = await this.#findBelowDirectories(key, find);
    // It is absent only if the root is still ours.
    if (found === undefined && !isFirst) await this.checkRoot();
    return found;
  }

  async #findBelowDirectories<Found>(key: string, find: () => Found | Promise<Found>): Promise<Found | undefined> {
    try {
      for (let slash = key.indexOf('/'); slash !== -1; slash = key.indexOf('/', slash + 1)) {
        const stats = await this.#factsOf(this.pathOf(key.slice(0, slash)));
        if (!stats.isDirectory()) return undefined;
      }
      return await find();
    } catch (error) {
      if (isAbsence(error)) return undefined;
      throw error;
    }
  }
}

/** Why no file can have this key; undefined where one can. */
export function whyUnusable(key: string): string | undefined {
  if (!key.isWellFormed()) return 'it is not valid Unicode';
  if (key.includes('\0')) return 'it holds a NUL';
  const parts = key.split('/');
  if (parts.includes('')) return 'it is empty, or has an empty part (a slash at an end, or two in a row)';
  if (!parts.every((part, index) => isVisible(part) || (part === operatorDirectory && index === parts.length - 2)))
    return 'it has a part that begins with a dot, and those are hidden';
  return undefined;
}

export function isVisible(name: string): boolean {
  return !name.startsWith('.');
}

/** Some file systems do not tell the kind of an entry in the listing. */
export function isKnown(entry: BytesEntry): boolean {
  return entry.isFile() || entry.isDirectory() || entry.isSymbolicLink() || entry.isFIFO() || entry.isSocket();
}
