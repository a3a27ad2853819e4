/**
 * The calls that read a directory of objects, asynchronous and synchronous. An asynchronous call takes 30 µs of processor time, and an
 * extract makes twenty of them. A synchronous one takes 3, but nothing else runs meanwhile: it is for a process, or a thread, that does
 * nothing else.
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

/** Each is the function of that name in node:fs, with the same errors, except where it says otherwise. */
export interface FileCalls {
  stat(path: string): Awaitable<BigIntStats>;
  lstat(path: string): Awaitable<BigIntStats>;
  open(path: string, flags: number): Awaitable<OpenFile>;
  /** Undefined where there is no such file. */
  readText(path: string): Awaitable<string | undefined>;
  /** Of a directory, in any order. */
  entries(path: string): AsyncIterable<BytesEntry> | Iterable<BytesEntry>;
}

export interface OpenFile {
  stat(): Awaitable<BigIntStats>;
  /** Reads from `position` of the file into the buffer at `offset`. @returns how many bytes were read. */
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
    // There rarely is one, and an error takes ten times as long.
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
  if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'ENOTDIR') throw error;
}

/** Of an error of the system: `ENOENT`. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** Whether an error means that nothing has this name (ELOOP: a symbolic link has it). */
export function isAbsence(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG'].includes(codeOf(error));
}
