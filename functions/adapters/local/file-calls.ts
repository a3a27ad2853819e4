/**
 * The calls to the file system with which a directory of objects is read, in two flavours. A call that waits in a thread of Node's
 * pool costs 30 µs of processor time, and an extract makes twenty; one that blocks costs 3, and nothing else goes on meanwhile.
 * So the blocking flavour is for a process, or a thread, that does nothing else.
 */

import {
  type BigIntStats,
  closeSync,
  type Dirent,
  existsSync,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  statSync,
} from 'node:fs';
import { lstat, open, opendir, readFile, stat } from 'node:fs/promises';

type Awaitable<Value> = Value | Promise<Value>;

/** Each as the function of that name in node:fs, errors included, unless said otherwise. */
export interface FileCalls {
  stat(path: string): Awaitable<BigIntStats>;
  lstat(path: string): Awaitable<BigIntStats>;
  open(path: string, flags: number): Awaitable<OpenFile>;
  /** Undefined where there is no such file. */
  readText(path: string): Awaitable<string | undefined>;
  /** What is in a directory: its entries with their names as bytes, in no order. */
  entries(path: string): AsyncIterable<BytesEntry> | Iterable<BytesEntry>;
}

export interface OpenFile {
  stat(): Awaitable<BigIntStats>;
  /** @returns how many bytes there were, from `position` of the file, for `buffer` from `offset`. */
  read(buffer: Buffer, offset: number, length: number, position: number): Awaitable<number>;
  close(): Awaitable<void>;
}

export type BytesEntry = Dirent<Buffer<ArrayBuffer>>;

/** Directory entries that are read at a time. */
const entriesAtOnce = 256;

export const asyncCalls: FileCalls = {
  stat: (path) => stat(path, { bigint: true }),
  lstat: (path) => lstat(path, { bigint: true }),
  open: async (path, flags) => {
    const file = await open(path, flags);
    return {
      stat: () => file.stat({ bigint: true }),
      read: async (buffer, offset, length, position) => (await file.read(buffer, offset, length, position)).bytesRead,
      close: () => file.close(),
    };
  },
  readText: async (path) => {
    try {
      return await readFile(path, 'utf8');
    } catch (error) {
      return undefinedIfAbsent(error);
    }
  },
  entries: async function* (path) {
    // Node takes 'buffer' here as in readdir; its types do not say so.
    const options = { encoding: 'buffer' as BufferEncoding, bufferSize: entriesAtOnce };
    yield* (await opendir(path, options)) as unknown as AsyncIterable<BytesEntry>;
  },
};

export const syncCalls: FileCalls = {
  stat: (path) => statSync(path, { bigint: true }),
  lstat: (path) => lstatSync(path, { bigint: true }),
  open: (path, flags) => {
    const file = openSync(path, flags);
    return {
      stat: () => fstatSync(file, { bigint: true }),
      read: (buffer, offset, length, position) => readSync(file, buffer, offset, length, position),
      close: () => closeSync(file),
    };
  },
  readText: (path) => {
    // Hardly ever is there one, and an error takes ten times as long.
    if (!existsSync(path)) return undefined;
    try {
      return readFileSync(path, 'utf8');
    } catch (error) {
      return undefinedIfAbsent(error);
    }
  },
  entries: (path) => readdirSync(path, { encoding: 'buffer', withFileTypes: true }),
};

function undefinedIfAbsent(error: unknown): undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error;
}
