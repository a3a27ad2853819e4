/** The metadata of objects, which a file cannot hold itself: a small file for each, in a directory of our own. */

import { hash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ETag, ObjectKey } from '../../ports.ts';
import type { DurableFiles } from './durable-files.ts';
import type { FileCalls } from './file-calls.ts';

type Metadata = Readonly<Record<string, string>>;

interface Stored {
  readonly key: ObjectKey;
  readonly etag: ETag;
  readonly metadata: Metadata;
}

/**
 * Metadata are valid only for the ETag that they were written for. So an object that another program replaced, or that a crash kept from
 * being written after its metadata, has none; no object has wrong ones.
 */
export class MetadataFiles {
  readonly #directory: string;
  readonly #calls: Pick<FileCalls, 'readText'>;
  readonly #files: DurableFiles;

  constructor(directory: string, calls: Pick<FileCalls, 'readText'>, files: DurableFiles) {
    this.#directory = directory;
    this.#calls = calls;
    this.#files = files;
  }

  /** Empty where there are none for this ETag. */
  async read(key: ObjectKey, etag: ETag): Promise<Metadata> {
    const text = await this.#calls.readText(this.#path(key));
    if (text === undefined) return {};
    const stored = parse(text);
    return stored?.key === key && stored.etag === etag ? stored.metadata : {};
  }

  async write(key: ObjectKey, etag: ETag, metadata: Metadata): Promise<void> {
    // Not its parents: a repository that is being removed must not come back as an empty one.
    await this.#files.makeDirectory(this.#directory);
    const text = JSON.stringify({ key, etag, metadata } satisfies Stored);
    const { path } = await this.#files.writeTemporary(this.#directory, (file) => file.writeFile(text));
    // If a power failure undoes this, the index is published again.
    await this.#files.rename(path, this.#path(key));
  }

  /** Absent metadata are no error. */
  async remove(key: ObjectKey): Promise<void> {
    await rm(this.#path(key), { force: true });
  }

  /** A key may be longer than a file name, and has slashes: so the file is named by its hash. */
  #path(key: ObjectKey): string {
    return join(this.#directory, `${hash('sha256', key)}.json`);
  }
}

/** Undefined where the text is damaged. */
function parse(text: string): Stored | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const isObject = (thing: unknown): thing is Record<string, unknown> => typeof thing === 'object' && thing !== null;
  if (!isObject(value) || !isObject(value.metadata)) return undefined;
  if (!Object.values(value.metadata).every((entry) => typeof entry === 'string')) return undefined;
  return value as unknown as Stored;
}
