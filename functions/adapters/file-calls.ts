/**
 * The calls to the file system with which a directory of objects is read, in two flavours. A call that waits in a thread of Node's
 * pool costs 30 µs of processor time, and an extract makes twenty; one that blocks costs 3, and nothing else goes on meanwhile.
 * So the blocking flavour is for a process, or a thread, that does nothing else.
 */

import {
  type BigIntStats,
  closeSync,
  type Dirent,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  realpathSync,
  statSync,
} from 'node:fs';
import { lstat, open, opendir, readFile, realpath, stat } from 'node:fs/promises';

type Awaitable<Value> = Value | Promise<Value>;

/** Each as the function of that name in node:fs, errors included. */
export interface FileCalls {
  stat(path: string): Awaitable<BigIntStats>;
  lstat(path: string): Awaitable<BigIntStats>;
  realpath(path: string): Awaitable<string>;
  open(path: string, flags: number): Awaitable<OpenFile>;
  readText(path: string): Awaitable<string>;
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

export const waitingCalls: FileCalls = {
  stat: (path) => stat(path, { bigint: true }),
  lstat: (path) => lstat(path, { bigint: true }),
  realpath: (path) => realpath(path),
  open: async (path, flags) => {
    const file = await open(path, flags);
    return {
      stat: () => file.stat({ bigint: true }),
      read: async (buffer, offset, length, position) => (await file.read(buffer, offset, length, position)).bytesRead,
      close: () => file.close(),
    };
  },
  readText: (path) => readFile(path, 'utf8'),
  entries: async function* (path) {
    // Node takes 'buffer' here as in readdir; its types do not say so.
    const options = { encoding: 'buffer' as BufferEncoding, bufferSize: entriesAtOnce };
    yield* (await opendir(path, options)) as unknown as AsyncIterable<BytesEntry>;
  },
};

export const blockingCalls: FileCalls = {
  stat: (path) => statSync(path, { bigint: true }),
  lstat: (path) => lstatSync(path, { bigint: true }),
  realpath: (path) => realpathSync.native(path),
  open: (path, flags) => {
    const file = openSync(path, flags);
    return {
      stat: () => fstatSync(file, { bigint: true }),
      read: (buffer, offset, length, position) => readSync(file, buffer, offset, length, position),
      close: () => closeSync(file),
    };
  },
  readText: (path) => readFileSync(path, 'utf8'),
  entries: (path) => readdirSync(path, { encoding: 'buffer', withFileTypes: true }),
};
