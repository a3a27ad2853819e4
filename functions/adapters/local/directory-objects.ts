/**
 * A directory that stands for a bucket: every regular file below it is an object, its path is its key. Other programs may
 * write there at any time (cp, rsync, an FTP server); what they do is seen at the next look.
 *
 * No object is: a symbolic link, anything reached through one, a name that begins with a dot or lies below such a name, a
 * device, a socket, and a name that is not UTF-8 (a key is text).
 */

import { isUtf8 } from 'node:buffer';
import { randomInt } from 'node:crypto';
import { type BigIntStats, constants } from 'node:fs';
import { type FileHandle, lstat, mkdir, rename, rm, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { keyLimits } from '../../keys.ts';
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
import { asyncCalls, type BytesEntry, type FileCalls, type OpenFile } from './file-calls.ts';
import { KeyLocks } from './key-locks.ts';
import { MetadataFiles } from './metadata-files.ts';
import { hasWholeTail, type SettlingFile } from './settling.ts';
import { syncDirectory, temporaryPrefix, writeTemporaryFile } from './temporary-files.ts';

export interface DirectoryObjectsOptions {
  /** The directory that stands for the bucket; absolute, and it must exist: an absent one is not an empty bucket. */
  readonly root: string;
  /** Where what a file cannot carry is kept; absolute; outside of `root`, or hidden in it by a leading dot. To write, it must exist. */
  readonly stateDirectory: string;
  /** How it is read; waiting unless told otherwise. */
  readonly calls?: FileCalls;
  /** Told by `list` of what somebody might take for an object. */
  readonly onSkipped?: (pathBytes: Uint8Array, reason: SkipReason) => void;
}

export type SkipReason =
  | 'name is not UTF-8'
  | 'symbolic link'
  | 'not a regular file'
  | 'permission is denied'
  | 'too many directories above it';

export interface ReceiveOptions {
  /** Only where there is no such object yet. */
  readonly ifNoneMatch?: '*';
  /** The largest body that is taken. */
  readonly bytesMax: number;
  /** Called with the complete body before anybody else sees it. Where it throws, nothing is stored, and the error is thrown on. */
  readonly check?: (body: PackageSource) => Promise<void>;
}

/** `exists`: the condition did not hold; the body may not have been read. */
export type ReceiveOutcome =
  | { readonly outcome: 'created' | 'replaced'; readonly etag: ETag }
  | { readonly outcome: 'exists' };

/** A body went on beyond the limit. Nothing of it was kept. */
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

/** The root is not there, or another directory is in its place: what is seen there says nothing about our objects. */
export class DirectoryLost extends Error {
  override readonly name = 'DirectoryLost';
}

export class DirectoryObjects implements ObjectStore {
  readonly #root: string;
  readonly #metadataDirectory: string;
  readonly #metadata: MetadataFiles;
  readonly #calls: FileCalls;
  readonly #onSkipped: (pathBytes: Uint8Array, reason: SkipReason) => void;
  readonly #locks = new KeyLocks();
  /** Device and inode of the root, as they were at the first look. */
  #rootIdentity: string | undefined;

  constructor({ root, stateDirectory, calls = asyncCalls, onSkipped }: DirectoryObjectsOptions) {
    this.#root = root;
    this.#metadataDirectory = join(stateDirectory, 'metadata');
    this.#calls = calls;
    this.#metadata = new MetadataFiles(this.#metadataDirectory, this.#calls);
    this.#onSkipped = onSkipped ?? (() => {});
  }

  async head(key: ObjectKey): Promise<ObjectFacts | undefined> {
    const file = await this.#look(key);
    if (file === undefined) return undefined;
    const { etag, size, lastModified } = factsOf(file);
    return { etag, size, lastModified, metadata: await this.#metadata.read(key, etag) };
  }

  async readRange(key: ObjectKey, etag: ETag, offset: number, length: number): Promise<Uint8Array> {
    // The look finds links; the opened file's own ETag, before and after, makes sure of what was read.
    const found = await this.#look(key);
    if (found === undefined) throw new ObjectChanged(key);
    const file = await this.#open(key);
    try {
      const before = await file.stat();
      if (!before.isFile() || etagOf(before) !== etag) throw new ObjectChanged(key);
      const bytes = await readFully(file, offset, Math.min(length, Math.max(Number(before.size) - offset, 0)));
      if (etagOf(await file.stat()) !== etag) throw new ObjectChanged(key);
      return bytes;
    } finally {
      await file.close();
    }
  }

  /** The file of this key as it is now: another program may still be writing it. Undefined where there is none. */
  async settlingFile(key: ObjectKey): Promise<SettlingFile | undefined> {
    const file = await this.#look(key);
    if (file === undefined) return undefined;
    const { etag, size } = factsOf(file);
    return {
      etag,
      changedAt: new Date(Number(file.ctimeNs / 1_000_000n)),
      isTailWhole: async () => {
        try {
          return await hasWholeTail(size, (offset, length) => this.readRange(key, etag, offset, length));
        } catch (error) {
          if (error instanceof ObjectChanged) return false;
          throw error;
        }
      },
    };
  }

  /**
   * The Last-Modified that clients see is `options.lastModified`, cut to seconds; the file's time carries a random fraction
   * of a second besides, so that two puts never have one ETag, even where the file system hands the same inode out again.
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
      if ((await this.#look(key)) === undefined) return;
      const path = this.#pathOf(key);
      try {
        await unlink(path);
        await syncDirectory(dirname(path));
      } catch (error) {
        if (!isAbsence(error)) throw error;
      }
      await this.#metadata.remove(key);
    });
  }

  /** False once another directory, or none, is where the root was at the first look. */
  async isInPlace(): Promise<boolean> {
    try {
      await this.#checkRoot();
      return true;
    } catch (error) {
      if (error instanceof DirectoryLost) return false;
      throw error;
    }
  }

  /**
   * Walks one directory after the other and holds one open at a time. Files that vanish meanwhile are left out, and so are
   * directories that this user may not read; unless it is the one that was asked for.
   */
  async *list(prefix: string): AsyncGenerator<ListedObject> {
    yield* this.#list(prefix, true);
  }

  /** The same without what is in directories below. */
  async *listDirectory(prefix: string): AsyncGenerator<ListedObject> {
    yield* this.#list(prefix, false);
  }

  async *#list(prefix: string, isBelow: boolean): AsyncGenerator<ListedObject> {
    const top = prefix.slice(0, Math.max(prefix.lastIndexOf('/'), 0));
    if (prefix.includes('/') && !(await this.isDirectory(top))) return;
    for await (const { key, path } of this.#files(top, isVisible, this.#onSkipped, isBelow)) {
      if (!key.startsWith(prefix)) continue;
      const stats = await this.#lstatUnlessGone(path);
      if (stats?.isFile()) yield { key, etag: etagOf(stats), size: Number(stats.size) };
    }
  }

  /**
   * Takes an upload of any size, without holding it in memory. Until its last byte is on the disk nobody sees any of it, and
   * an upload that fails half-way leaves nothing.
   * @throws {ObjectTooLarge}
   * @throws {UnusableKey}
   */
  async receive(
    key: ObjectKey,
    body: AsyncIterable<Uint8Array>,
    { ifNoneMatch, bytesMax, check }: ReceiveOptions,
  ): Promise<ReceiveOutcome> {
    if (ifNoneMatch === '*' && (await this.#look(key)) !== undefined) return { outcome: 'exists' };
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
   * Removes what a crash left half-written, and returns how many files that were. Only for the one process that writes
   * here, and before it writes: the files of an upload that still goes on look the same.
   */
  async removeTemporaryFiles(): Promise<number> {
    let removed = 0;
    const isTemporary = (name: string): boolean => name.startsWith(temporaryPrefix);
    const isWorthALook = (name: string): boolean => isTemporary(name) || isVisible(name);
    for await (const { path, name } of this.#files('', isWorthALook, () => {})) {
      if (!isTemporary(name)) continue;
      await rm(path, { force: true });
      removed += 1;
    }
    for await (const entry of this.#entriesOf(this.#metadataDirectory)) {
      const name = entry.name.toString();
      if (!isTemporary(name)) continue;
      await rm(join(this.#metadataDirectory, name), { force: true });
      removed += 1;
    }
    return removed;
  }

  /**
   * Writes a file beside its target and renames it onto the target:
   *
   *     write → sync → [ look: condition? → metadata → rename → sync the directory ] one at a time per key
   *
   * The condition holds against everybody who writes through this object. A program that writes into the directory by
   * itself between look and rename is overwritten: a rename cannot be conditional.
   */
  async #replace(
    key: ObjectKey,
    condition: PutCondition | undefined,
    metadata: Readonly<Record<string, string>>,
    fill: (file: FileHandle) => Promise<void>,
  ): Promise<{ outcome: 'created' | 'replaced'; etag: ETag } | { outcome: 'lost-race' }> {
    const target = await this.#prepareTarget(key);
    const directory = dirname(target);
    const { path, filled: etag } = await writeTemporaryFile(directory, async (file) => {
      await fill(file);
      return etagOf(await file.stat({ bigint: true }));
    });
    let renamed = false;
    try {
      return await this.#locks.hold(key, async () => {
        const current = await this.#look(key);
        if (!holds(condition, current)) return { outcome: 'lost-race' };
        if (Object.keys(metadata).length > 0) await this.#metadata.write(key, etag, metadata);
        await rename(path, target);
        renamed = true;
        await syncDirectory(directory);
        return { outcome: current === undefined ? 'created' : 'replaced', etag };
      });
    } finally {
      if (!renamed) await rm(path, { force: true });
    }
  }

  /** The regular file of that key, reached without any symbolic link. */
  async #look(key: ObjectKey): Promise<BigIntStats | undefined> {
    const stats = await this.#reach(key);
    return stats?.isFile() ? stats : undefined;
  }

  async isDirectory(key: string): Promise<boolean> {
    return (await this.#reach(key))?.isDirectory() ?? false;
  }

  /** What is at that path, unless there is something else than directories on the way: a symbolic link. */
  async #reach(key: string): Promise<BigIntStats | undefined> {
    if (whyUnusable(key) !== undefined) return undefined;
    const isFirstLook = this.#rootIdentity === undefined;
    if (isFirstLook) await this.#checkRoot();
    const stats = await this.#reachBelowDirectories(key);
    // Absent in the very directory that is meant, that is: not because that one is not there any more.
    if (stats === undefined && !isFirstLook) await this.#checkRoot();
    return stats;
  }

  async #reachBelowDirectories(key: string): Promise<BigIntStats | undefined> {
    try {
      for (let slash = key.indexOf('/'); slash !== -1; slash = key.indexOf('/', slash + 1)) {
        const stats = await this.#calls.lstat(this.#pathOf(key.slice(0, slash)));
        if (!stats.isDirectory()) return undefined;
      }
      return await this.#calls.lstat(this.#pathOf(key));
    } catch (error) {
      if (isAbsence(error)) return undefined;
      throw error;
    }
  }

  #pathOf(key: string): string {
    return `${this.#root}/${key}`;
  }

  /**
   * Holds the root against the first look at it, wherever something is absent, or is written: were a directory that is gone, or the
   * empty one below a disk that is not mounted any more, taken for ours, every row would go.
   * @throws {DirectoryLost}
   */
  async #checkRoot(): Promise<void> {
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

  async #open(key: ObjectKey): Promise<OpenFile> {
    try {
      // O_NONBLOCK: were the file replaced by a pipe since the look, opening it would wait for a writer.
      return await this.#calls.open(
        this.#pathOf(key),
        constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
      );
    } catch (error) {
      throw isAbsence(error) ? new ObjectChanged(key) : error;
    }
  }

  /** The path of the key's file; its directory is there afterwards. */
  async #prepareTarget(key: ObjectKey): Promise<string> {
    const unusable = whyUnusable(key);
    if (unusable !== undefined) throw new UnusableKey(key, unusable);
    await this.#checkRoot();
    const target = this.#pathOf(key);
    try {
      let directory = this.#root;
      for (const part of key.split('/').slice(0, -1)) {
        directory = join(directory, part);
        if (!(await makeDirectory(directory))) throw new UnusableKey(key, `${directory} is not a directory`);
      }
      if ((await this.#lstatUnlessGone(target))?.isDirectory()) throw new UnusableKey(key, `${target} is a directory`);
    } catch (error) {
      throw codeOf(error) === 'ENAMETOOLONG' ? new UnusableKey(key, 'a part of it is too long for a file name') : error;
    }
    return target;
  }

  /** Every file below a directory that is regular at first sight and whose name, and whose directories' names, are wanted. */
  async *#files(
    top: string,
    isWanted: (name: string) => boolean,
    onSkipped: (pathBytes: Uint8Array, reason: SkipReason) => void,
    isBelow = true,
  ): AsyncGenerator<{ key: ObjectKey; name: string; path: string }> {
    await this.#checkRoot();
    const waiting = [top];
    for (let directory = waiting.pop(); directory !== undefined; directory = waiting.pop()) {
      const directoryPath = directory === '' ? this.#root : this.#pathOf(directory);
      const isAskedFor = directory === top;
      for await (const entry of this.#entriesOf(directoryPath, isAskedFor ? undefined : onSkipped)) {
        if (!isUtf8(entry.name)) {
          onSkipped(Buffer.concat([Buffer.from(`${directoryPath}/`), entry.name]), 'name is not UTF-8');
          continue;
        }
        const name = entry.name.toString();
        if (!isWanted(name)) continue;
        const key = directory === '' ? name : `${directory}/${name}`;
        const path = `${directoryPath}/${name}`;
        const kind = isKnown(entry) ? entry : await this.#lstatUnlessGone(path);
        if (kind?.isDirectory()) {
          if (key.split('/').length > keyLimits.directoriesMax)
            onSkipped(Buffer.from(path), 'too many directories above it');
          else if (isBelow) waiting.push(key);
        } else if (kind?.isFile()) yield { key, name, path };
        else if (kind !== undefined) {
          onSkipped(Buffer.from(path), kind.isSymbolicLink() ? 'symbolic link' : 'not a regular file');
        }
      }
    }
    // What is not listed is absent: only if the root has been ours all the while.
    await this.#checkRoot();
  }

  /**
   * As they come; none where the directory is gone.
   * @param onClosed told of a directory that this user may not read; without it, that is an error
   */
  async *#entriesOf(
    path: string,
    onClosed?: (pathBytes: Uint8Array, reason: SkipReason) => void,
  ): AsyncGenerator<BytesEntry> {
    try {
      yield* this.#calls.entries(path);
    } catch (cause) {
      if (isAbsence(cause)) return;
      if (codeOf(cause) !== 'EACCES') throw cause;
      if (onClosed !== undefined) return onClosed(Buffer.from(path), 'permission is denied');
      throw new Error(`cannot list ${path}: permission denied; let the user that runs the indexer read it`, { cause });
    }
  }

  async #lstatUnlessGone(path: string): Promise<BigIntStats | undefined> {
    try {
      return await this.#calls.lstat(path);
    } catch (error) {
      if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
      throw error;
    }
  }
}

function isVisible(name: string): boolean {
  return !name.startsWith('.');
}

/** Some file systems do not say in the directory what an entry is. */
function isKnown(entry: BytesEntry): boolean {
  return entry.isFile() || entry.isDirectory() || entry.isSymbolicLink() || entry.isFIFO() || entry.isSocket();
}

/** Why no object can have this key; undefined where it can. */
function whyUnusable(key: string): string | undefined {
  if (!key.isWellFormed()) return 'it is not valid Unicode';
  if (key.includes('\0')) return 'it holds a NUL';
  const parts = key.split('/');
  if (parts.includes('')) return 'it is empty, or has an empty part (a slash at an end, or two in a row)';
  if (parts.some((part) => part.startsWith('.'))) return 'it has a part that begins with a dot, and those are hidden';
  return undefined;
}

/**
 * Changes whenever the content does, as far as a file system can tell: another inode where the file was replaced, another
 * time or size where it was written to. Content that is written within one tick of the kernel's clock (4 ms) keeps its
 * time: the caller waits until a file has settled (settling.ts).
 */
function etagOf({ ino, size, mtimeNs }: BigIntStats): ETag {
  return `${ino.toString(36)}-${size.toString(36)}-${mtimeNs.toString(36)}`;
}

function factsOf(stats: BigIntStats): { etag: ETag; size: number; lastModified: Date } {
  const seconds = Number(stats.mtimeNs / 1_000_000_000n);
  return { etag: etagOf(stats), size: Number(stats.size), lastModified: new Date(seconds * 1000) };
}

function holds(condition: PutCondition | undefined, current: BigIntStats | undefined): boolean {
  if (condition === undefined) return true;
  if ('ifNoneMatch' in condition) return current === undefined;
  return current !== undefined && etagOf(current) === condition.ifMatch;
}

async function readFully(file: Pick<OpenFile, 'read'>, offset: number, length: number): Promise<Uint8Array> {
  const bytes = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const bytesRead = await file.read(bytes, filled, length - filled, offset + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}

/** @throws where the file ends before, which it cannot unless another program writes to it. */
async function readExactly(file: FileHandle, offset: number, length: number): Promise<Uint8Array> {
  const read: OpenFile['read'] = async (...place) => (await file.read(...place)).bytesRead;
  const bytes = await readFully({ read }, offset, length);
  if (bytes.byteLength !== length)
    throw new Error(`expected ${length} bytes at byte ${offset} of a temporary file, found ${bytes.byteLength}`);
  return bytes;
}

async function writeFully(file: FileHandle, pieces: readonly Uint8Array[]): Promise<void> {
  let left = pieces.filter(({ length }) => length > 0);
  while (left.length > 0) {
    const { bytesWritten } = await file.writev(left);
    left = behind(left, bytesWritten);
  }
}

/** What is left of the pieces behind so many bytes. */
function behind(pieces: readonly Uint8Array[], bytes: number): Uint8Array[] {
  let skipped = 0;
  return pieces.flatMap((piece) => {
    const start = Math.max(bytes - skipped, 0);
    skipped += piece.length;
    return start < piece.length ? [piece.subarray(start)] : [];
  });
}

/** False where something else is in its place. */
async function makeDirectory(path: string): Promise<boolean> {
  try {
    await mkdir(path);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    return (await lstat(path)).isDirectory();
  }
  await syncDirectory(dirname(path));
  return true;
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

/** The system's ways to say that there is nothing of that name (ELOOP: a link stands there). */
function isAbsence(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG'].includes(String(codeOf(error)));
}
