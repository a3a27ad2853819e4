/** A store as what is served: the gateway to a private bucket. */

import type { OpenedObject } from '../adapters/store/store-objects.ts';
import { CannotRun } from '../failures.ts';
import type { ETag, ObjectFacts, ObjectKey } from '../ports.ts';
import { Refusal } from './answer.ts';
import { isServedName } from './request-target.ts';
import {
  byKindAndName,
  type DirectoryEntry,
  type ServedDirectory,
  type ServedFile,
  type ServedTree,
} from './served-tree.ts';
import type { ServerLimits } from './server-limits.ts';

/** What the gateway needs of a store. */
export interface ServedObjects {
  head(key: ObjectKey): Promise<ObjectFacts | undefined>;
  /** @throws {ObjectChanged} */
  open(key: ObjectKey, etag: ETag, start: number, length: number): Promise<OpenedObject>;
  /** A listing, piece by piece; with a delimiter: `prefixes` are the directories. */
  pages(
    prefix: string,
    delimiter: '/',
  ): AsyncIterable<{
    readonly objects: readonly { readonly key: ObjectKey; readonly size: number; readonly lastModified: Date }[];
    readonly prefixes: readonly string[];
  }>;
}

export function servedStore(objects: ServedObjects): ServedTree {
  return {
    async open(parts) {
      return await available(async () => {
        const key = parts.join('/');
        const facts = parts.length === 0 ? undefined : await objects.head(key);
        if (facts !== undefined) return servedObject(objects, key, facts);
        const prefix = parts.length === 0 ? '' : `${key}/`;
        const isThere = parts.length === 0 || (await hasEntries(objects, prefix));
        return isThere ? servedPrefix(objects, prefix) : undefined;
      });
    },
  };
}

function servedObject(objects: ServedObjects, key: ObjectKey, { etag, size, lastModified }: ObjectFacts): ServedFile {
  const opened: OpenedObject[] = [];
  const open = async (start: number, length: number): Promise<AsyncIterable<Uint8Array>> =>
    await available(async () => {
      const object = await objects.open(key, etag, start, length);
      opened.push(object);
      return object.pieces;
    });
  return {
    kind: 'file',
    etag: `"${etag}"`,
    size,
    lastModified,
    async head(bytes) {
      const pieces: Uint8Array[] = [];
      for await (const piece of await open(0, Math.min(bytes, size))) pieces.push(piece);
      return Buffer.concat(pieces);
    },
    pieces: open,
    async close() {
      for (const object of opened) object.close();
    },
  };
}

function servedPrefix(objects: ServedObjects, prefix: string): ServedDirectory {
  const nameOf = (key: string): string => key.slice(prefix.length).replace(/\/$/, '');
  return {
    kind: 'directory',
    async entries({ pageEntriesMax }: ServerLimits) {
      return await available(async () => {
        const entries: DirectoryEntry[] = [];
        for await (const { objects: files, prefixes } of objects.pages(prefix, '/')) {
          for (const each of prefixes)
            entries.push({ kind: 'directory', name: nameOf(each), size: 0, lastModified: undefined });
          for (const { key, size, lastModified } of files)
            entries.push({ kind: 'file', name: nameOf(key), size, lastModified });
          if (entries.length > pageEntriesMax)
            throw new Refusal(503, `This directory has too many entries for one page: the limit is ${pageEntriesMax}.`);
        }
        return entries.filter(({ name }) => isServedName(name)).sort(byKindAndName);
      });
    },
  };
}

async function hasEntries(objects: ServedObjects, prefix: string): Promise<boolean> {
  for await (const page of objects.pages(prefix, '/')) if (page.objects.length + page.prefixes.length > 0) return true;
  return false;
}

/** @throws {Refusal} 503 where the store is away. */
async function available<Value>(ask: () => Promise<Value>): Promise<Value> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof CannotRun) throw new Refusal(503, 'The repository is temporarily unavailable.');
    throw error;
  }
}
