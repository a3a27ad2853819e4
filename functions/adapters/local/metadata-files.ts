/** What a file cannot carry itself: the metadata of an object, in one small file each, below a directory of our own. */

import { hash } from 'node:crypto';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ETag, ObjectKey } from '../../ports.ts';
import type { FileCalls } from './file-calls.ts';
import { writeTemporaryFile } from './temporary-files.ts';

type Metadata = Readonly<Record<string, string>>;

interface Remembered {
  readonly key: ObjectKey;
  readonly etag: ETag;
  readonly metadata: Metadata;
}

/**
 * Metadata counts only together with the ETag that it was written for: whoever replaces the object by other means, or
 * crashes between writing the metadata and the object, leaves an object without metadata, never one with wrong metadata.
 */
export class MetadataFiles {
  readonly #directory: string;
  readonly #calls: Pick<FileCalls, 'readText'>;

  constructor(directory: string, calls: Pick<FileCalls, 'readText'>) {
    this.#directory = directory;
    this.#calls = calls;
  }

  /** Empty where none is known for this very version of the object. */
  async read(key: ObjectKey, etag: ETag): Promise<Metadata> {
    const text = await this.#calls.readText(this.#path(key));
    if (text === undefined) return {};
    const remembered = parse(text);
    return remembered?.key === key && remembered.etag === etag ? remembered.metadata : {};
  }

  async write(key: ObjectKey, etag: ETag, metadata: Metadata): Promise<void> {
    await this.#makeDirectory();
    const text = JSON.stringify({ key, etag, metadata } satisfies Remembered);
    const { path } = await writeTemporaryFile(this.#directory, (file) => file.writeFile(text));
    await rename(path, this.#path(key));
  }

  /** Metadata that is absent is no error. */
  async remove(key: ObjectKey): Promise<void> {
    await rm(this.#path(key), { force: true });
  }

  /** Only this one, not those above: a repository that is being removed must not come back as an empty one. */
  async #makeDirectory(): Promise<void> {
    try {
      await mkdir(this.#directory);
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
    }
  }

  /** A key can hold bytes that a file name cannot, and more of them: so its hash names the file. */
  #path(key: ObjectKey): string {
    return join(this.#directory, `${hash('sha256', key)}.json`);
  }
}

/** Undefined where the text is not what `write` writes: damaged metadata is the same as none. */
function parse(text: string): Remembered | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const isObject = (thing: unknown): thing is Record<string, unknown> => typeof thing === 'object' && thing !== null;
  if (!isObject(value) || !isObject(value.metadata)) return undefined;
  if (!Object.values(value.metadata).every((entry) => typeof entry === 'string')) return undefined;
  return value as unknown as Remembered;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
