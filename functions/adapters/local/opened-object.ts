/** One object of a directory, whose file stays open while it is read: opening it costs as much as reading it. */

import type { BigIntStats } from 'node:fs';
import { fileTag } from '../../file-tag.ts';
import { type ETag, ObjectChanged, type ObjectFacts, type ObjectKey, type ObjectStore } from '../../ports.ts';
import type { DirectoryTree } from './directory-tree.ts';
import { readFully } from './file-bytes.ts';
import type { OpenFile } from './file-calls.ts';
import { hasWholeTail, type SettlingFile } from './settling.ts';

interface Opened {
  readonly file: OpenFile;
  readonly stats: BigIntStats;
  readonly etag: ETag;
}

/** What extract needs of an ObjectStore, for one key. Close it in the end. */
export class OpenedObject implements Pick<ObjectStore, 'head' | 'readRange'> {
  readonly #tree: DirectoryTree;
  readonly #key: ObjectKey;
  readonly #buffer: Buffer;
  #opened: Opened | undefined;
  /** It was opened, or found absent, after the last `head`. */
  #isFresh = false;

  constructor(tree: DirectoryTree, key: ObjectKey, buffer: Buffer = Buffer.alloc(0)) {
    this.#tree = tree;
    this.#key = key;
    this.#buffer = buffer;
  }

  /** The first call opens the file; every later one checks which file has this name now. */
  async head(): Promise<ObjectFacts | undefined> {
    if (this.#opened === undefined && !this.#isFresh) await this.#open();
    const stats = this.#isFresh ? this.#opened?.stats : await this.#tree.statFile(this.#key);
    this.#isFresh = false;
    const facts = stats && factsOf(this.#key, stats);
    if (facts?.etag !== this.#opened?.etag) await this.close();
    return facts && { ...facts, metadata: {} };
  }

  /** Reads the file that was opened. Whether the object changed meanwhile is for `head` to say: extract asks after reading. */
  async readRange(key: ObjectKey, etag: ETag, offset: number, length: number): Promise<Uint8Array> {
    if (this.#opened?.etag !== etag) throw new ObjectChanged(key);
    const { file, stats } = this.#opened;
    const available = Math.min(length, Math.max(Number(stats.size) - offset, 0));
    const end = offset + available;
    const bytes = end <= this.#buffer.length ? this.#buffer.subarray(offset, end) : undefined;
    const read = await readFully(file, offset, available, bytes);
    if (read.length < available) throw new ObjectChanged(key);
    return read;
  }

  /** As in DirectoryObjects. The next `head` says the same of this file. */
  async settlingFile(): Promise<SettlingFile | undefined> {
    await this.#open();
    const read = (etag: ETag, offset: number, length: number) => this.readRange(this.#key, etag, offset, length);
    return this.#opened && settlingFileOf(this.#key, this.#opened.stats, read);
  }

  async close(): Promise<void> {
    const { file } = this.#opened ?? {};
    this.#opened = undefined;
    await file?.close();
  }

  async #open(): Promise<void> {
    await this.close();
    const found = await this.#tree.openFile(this.#key);
    this.#opened = found && { ...found, etag: fileTag(this.#key, found.stats) };
    this.#isFresh = true;
  }
}

/** @param read throws ObjectChanged where the file has another ETag. */
export function settlingFileOf(
  key: ObjectKey,
  stats: BigIntStats,
  read: (etag: ETag, offset: number, length: number) => Promise<Uint8Array>,
): SettlingFile {
  const { etag, size } = factsOf(key, stats);
  return {
    etag,
    changedAt: new Date(Number(stats.ctimeNs / 1_000_000n)),
    isTailWhole: async () => {
      try {
        return await hasWholeTail(size, (offset, length) => read(etag, offset, length));
      } catch (error) {
        if (error instanceof ObjectChanged) return false;
        throw error;
      }
    },
  };
}

export function factsOf(key: ObjectKey, stats: BigIntStats): { etag: ETag; size: number; lastModified: Date } {
  const seconds = Number(stats.mtimeNs / 1_000_000_000n);
  return { etag: fileTag(key, stats), size: Number(stats.size), lastModified: new Date(seconds * 1000) };
}
