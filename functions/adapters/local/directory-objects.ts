/**
 * A directory as a store of objects: every regular file below it is an object, and its path is the key. Other programs may write
 * there at any time (cp, rsync, an FTP server).
 *
 * Not an object: a symbolic link and what is reached through one (unless links are followed), a name that begins with a dot and what is below it, a device, a
 * socket, and a name that is not UTF-8 (a key is text).
 */

import { randomInt } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import { type FileHandle, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { contentTag, fileTag } from '../../file-tag.ts';
import type { PackageSource } from '../../package/package-source.ts';
import {
  type ETag,
  type ListedObject,
  type ObjectBody,
  ObjectChanged,
  type ObjectFacts,
  type ObjectKey,
  type ObjectStore,
  type PutCondition,
  type PutOptions,
  type PutOutcome,
} from '../../ports.ts';
import { DirectoryLost, DirectoryTree, isVisible, type OnSkipped, whyUnusable } from './directory-tree.ts';
import { DurableFiles, temporaryPrefix, type WriteCalls } from './durable-files.ts';
import { readExactly, readFully, writeFully } from './file-bytes.ts';
import { asyncCalls, codeOf, type FileCalls, isAbsence } from './file-calls.ts';
import { FollowedLinks } from './followed-links.ts';
import { KeyLocks } from './key-locks.ts';
import { MetadataFiles } from './metadata-files.ts';
import { factsOf, OpenedObject, settlingFileOf } from './opened-object.ts';
import type { SettlingFile } from './settling.ts';

export interface DirectoryObjectsOptions {
  /** Absolute. It must exist: a missing directory is not an empty one. */
  readonly root: string;
  /** Where the metadata of objects are kept; absolute; outside of `root`, or hidden in it by a leading dot. To write, it must exist. */
  readonly stateDirectory: string;
  /** How the directory is read; by default with asynchronous calls. */
  readonly calls?: FileCalls;
  /** How it is written. */
  readonly writeCalls?: WriteCalls;
  /** Called by `list` for what is not an object, though it may look like one. */
  readonly onSkipped?: OnSkipped;
  /** A link counts as what it leads to; it is replaced or deleted itself, and never its target. */
  readonly followsLinks?: boolean | undefined;
}

export interface ReceiveOptions {
  /** Only where there is no such object yet. */
  readonly ifNoneMatch?: '*';
  /** The largest body; bytes. */
  readonly bytesMax: number;
  /** Called with the complete body before it can be read. If it throws, nothing is stored, and `receive` throws the same. */
  readonly check?: (body: PackageSource) => Promise<void>;
}

/** `exists`: the condition did not hold; the body may not have been read. */
export type ReceiveOutcome =
  | { readonly outcome: 'created' | 'replaced'; readonly etag: ETag }
  | { readonly outcome: 'exists' };

/** The body is larger than the limit. Nothing of it was kept. */
export class ObjectTooLarge extends Error {
  override readonly name = 'ObjectTooLarge';
  readonly bytesMax: number;
  constructor(key: ObjectKey, bytesMax: number) {
    super(`${key}: expected at most ${bytesMax} bytes and found more; send a smaller file, or raise the limit`);
    this.bytesMax = bytesMax;
  }
}

/** This directory cannot hold an object of that key, whatever its content. */
export class UnusableKey extends Error {
  override readonly name = 'UnusableKey';
  constructor(key: ObjectKey, reason: string) {
    super(`${JSON.stringify(key)} cannot be stored in a directory: ${reason}`);
  }
}

export class DirectoryObjects implements ObjectStore {
  readonly #root: string;
  readonly #tree: DirectoryTree;
  readonly #files: DurableFiles;
  readonly #metadataDirectory: string;
  readonly #metadata: MetadataFiles;
  readonly #onSkipped: OnSkipped;
  readonly #locks = new KeyLocks();

  constructor(options: DirectoryObjectsOptions) {
    const { root, stateDirectory, calls = asyncCalls, writeCalls, onSkipped = () => {} } = options;
    const links = options.followsLinks ? new FollowedLinks(root, stateDirectory, calls) : undefined;
    this.#root = root;
    this.#tree = new DirectoryTree(root, calls, links);
    this.#files = new DurableFiles(writeCalls);
    this.#metadataDirectory = join(stateDirectory, 'metadata');
    this.#metadata = new MetadataFiles(this.#metadataDirectory, calls, this.#files);
    this.#onSkipped = onSkipped;
  }

  async head(key: ObjectKey): Promise<ObjectFacts | undefined> {
    const file = await this.#tree.statFile(key);
    if (file === undefined) return undefined;
    const { etag, size, lastModified } = factsOf(key, file);
    return { etag, size, lastModified, metadata: await this.#metadata.read(key, contentTag(file)) };
  }

  async readRange(key: ObjectKey, etag: ETag, offset: number, length: number): Promise<Uint8Array> {
    // This finds links; the ETag of the opened file, before and after, is that of what was read.
    if ((await this.#tree.statFile(key)) === undefined) throw new ObjectChanged(key);
    const file = await this.#tree.open(key).catch((error: unknown) => {
      throw isAbsence(error) ? new ObjectChanged(key) : error;
    });
    try {
      const before = await file.stat();
      if (!before.isFile() || fileTag(key, before) !== etag) throw new ObjectChanged(key);
      const bytes = await readFully(file, offset, Math.min(length, Math.max(Number(before.size) - offset, 0)));
      if (fileTag(key, await file.stat()) !== etag) throw new ObjectChanged(key);
      return bytes;
    } finally {
      await file.close();
    }
  }

  /**
   * The same object for several reads, with its file opened once. For packages: it has no metadata.
   * @param buffer the first bytes are read into it: for a user that reads one object after the other.
   */
  openedObject(key: ObjectKey, buffer?: Buffer): OpenedObject {
    return new OpenedObject(this.#tree, key, buffer);
  }

  /** The file of this key as it is now: another program may still be writing it. */
  async settlingFile(key: ObjectKey): Promise<SettlingFile | undefined> {
    const file = await this.#tree.statFile(key);
    return file && settlingFileOf(key, file, (etag, offset, length) => this.readRange(key, etag, offset, length));
  }

  /**
   * Clients see `lastModified`, cut to seconds. The file's time has a random fraction of a second besides: so two puts never have the
   * same ETag, even if the file system uses an inode again.
   * @throws {UnusableKey}
   */
  async put(key: ObjectKey, body: ObjectBody, { condition, lastModified, metadata }: PutOptions): Promise<PutOutcome> {
    const outcome = await this.#replace(key, condition, metadata, async (file) => {
      await writeFully(file, body instanceof Uint8Array ? [body] : body);
      const seconds = Math.floor(lastModified.getTime() / 1000) + randomInt(999_000) / 1_000_000;
      await file.utimes(seconds, seconds);
    });
    return outcome.outcome === 'lost-race' ? outcome : { outcome: 'stored', etag: outcome.etag };
  }

  async delete(key: ObjectKey): Promise<void> {
    await this.#locks.hold(key, async () => {
      if ((await this.#tree.statFile(key)) === undefined) return;
      try {
        await this.#files.removeDurably(this.#tree.pathOf(key));
      } catch (error) {
        if (!isAbsence(error)) throw error;
      }
      await this.#metadata.remove(key);
    });
  }

  async isDirectory(key: string): Promise<boolean> {
    return await this.#tree.isDirectory(key);
  }

  /** False once the root is missing, or another directory has its name. */
  async isInPlace(): Promise<boolean> {
    try {
      await this.#tree.checkRoot();
      return true;
    } catch (error) {
      if (error instanceof DirectoryLost) return false;
      throw error;
    }
  }

  async *list(prefix: string): AsyncGenerator<ListedObject> {
    yield* this.#list(prefix, true);
  }

  /** Without the files in directories below. */
  async *listDirectory(prefix: string): AsyncGenerator<ListedObject> {
    yield* this.#list(prefix, false);
  }

  async *#list(prefix: string, isDeep: boolean): AsyncGenerator<ListedObject> {
    const top = prefix.slice(0, Math.max(prefix.lastIndexOf('/'), 0));
    if (prefix.includes('/') && !(await this.isDirectory(top))) return;
    const options = { isWanted: isVisible, onSkipped: this.#onSkipped, isDeep };
    for await (const { key, path } of this.#tree.files(top, options)) {
      if (!key.startsWith(prefix)) continue;
      const stats = await this.#tree.lstat(path);
      if (stats?.isFile()) yield { key, etag: fileTag(key, stats), size: Number(stats.size) };
    }
  }

  /**
   * Stores an upload of any size without holding it in memory. It cannot be read before all of it is on the disk; an upload
   * that fails leaves nothing behind.
   * @throws {ObjectTooLarge}
   * @throws {UnusableKey}
   */
  async receive(
    key: ObjectKey,
    body: AsyncIterable<Uint8Array>,
    { ifNoneMatch, bytesMax, check }: ReceiveOptions,
  ): Promise<ReceiveOutcome> {
    if (ifNoneMatch === '*' && (await this.#tree.statFile(key)) !== undefined) return { outcome: 'exists' };
    const condition = ifNoneMatch === '*' ? { ifNoneMatch } : undefined;
    const outcome = await this.#replace(key, condition, {}, async (file) => {
      let bytes = 0;
      for await (const chunk of body) {
        bytes += chunk.byteLength;
        if (bytes > bytesMax) throw new ObjectTooLarge(key, bytesMax);
        await file.writeFile(chunk);
      }
      await check?.({ size: bytes, read: (offset, length) => readExactly(file, offset, length) });
    });
    return outcome.outcome === 'lost-race' ? { outcome: 'exists' } : outcome;
  }

  /**
   * Removes what a killed process left unfinished, and returns how many files that were. Only before this process writes: the files of
   * an upload in progress look the same.
   */
  async removeTemporaryFiles(): Promise<number> {
    const isTemporary = (name: string): boolean => name.startsWith(temporaryPrefix);
    const found: string[] = [];
    const isWanted = (name: string): boolean => isTemporary(name) || isVisible(name);
    for await (const { path, name } of this.#tree.files('', { isWanted })) if (isTemporary(name)) found.push(path);
    for await (const entry of this.#tree.entries(this.#metadataDirectory)) {
      const name = entry.name.toString();
      if (isTemporary(name)) found.push(join(this.#metadataDirectory, name));
    }
    for (const path of found) await rm(path, { force: true });
    return found.length;
  }

  /**
   * Writes a file beside its target and renames it onto the target:
   *
   *     write → sync → [ check the condition → metadata → rename → sync the directory ] one at a time per key
   *
   * No other writer of this object can come between condition and rename. Another program can: its file is overwritten, since a rename
   * cannot have a condition.
   */
  async #replace(
    key: ObjectKey,
    condition: PutCondition | undefined,
    metadata: Readonly<Record<string, string>>,
    fill: (file: FileHandle) => Promise<void>,
  ): Promise<{ outcome: 'created' | 'replaced'; etag: ETag } | { outcome: 'lost-race' }> {
    const target = await this.#prepareTarget(key);
    const { path, filled: written } = await this.#files.writeTemporary(dirname(target), async (file) => {
      await fill(file);
      return await file.stat({ bigint: true });
    });
    let isReplaced = false;
    try {
      return await this.#locks.hold(key, async () => {
        const current = await this.#tree.statFile(key);
        if (!holds(key, condition, current)) return { outcome: 'lost-race' };
        if (Object.keys(metadata).length > 0) await this.#metadata.write(key, contentTag(written), metadata);
        await this.#files.renameDurably(path, target);
        isReplaced = true;
        // Renaming changed its change time. Another program may have replaced it already: then its tag is in no row, and no file has it.
        const renamed = await this.#tree.statFile(key);
        const own = renamed !== undefined && contentTag(renamed) === contentTag(written) ? renamed : written;
        return { outcome: current === undefined ? 'created' : 'replaced', etag: fileTag(key, own) };
      });
    } finally {
      if (!isReplaced) await rm(path, { force: true });
    }
  }

  /** Makes the directories of a key. @returns the path of its file. */
  async #prepareTarget(key: ObjectKey): Promise<string> {
    const unusable = whyUnusable(key);
    if (unusable !== undefined) throw new UnusableKey(key, unusable);
    await this.#tree.checkRoot();
    const target = this.#tree.pathOf(key);
    try {
      let directory = this.#root;
      for (const part of key.split('/').slice(0, -1)) {
        directory = join(directory, part);
        if (!(await this.#files.makeDirectory(directory)) && !(await this.#tree.lstat(directory))?.isDirectory())
          throw new UnusableKey(key, `${directory} is not a directory`);
      }
      if ((await this.#tree.lstat(target))?.isDirectory()) throw new UnusableKey(key, `${target} is a directory`);
    } catch (error) {
      throw codeOf(error) === 'ENAMETOOLONG' ? new UnusableKey(key, 'a part of it is too long for a file name') : error;
    }
    return target;
  }
}

function holds(key: ObjectKey, condition: PutCondition | undefined, current: BigIntStats | undefined): boolean {
  if (condition === undefined) return true;
  if ('ifNoneMatch' in condition) return current === undefined;
  return current !== undefined && fileTag(key, current) === condition.ifMatch;
}
