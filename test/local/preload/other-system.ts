/**
 * Loaded before a program: it believes to be on a system without inotify and /proc, whose file systems refuse to sync a directory. By
 * OTHER_SYSTEM, a watch reports only that something in its directory was added or removed, without a name (as kqueue and event ports
 * do), or there is none.
 */

import fs, { type FSWatcher } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

Object.defineProperty(process, 'platform', { value: 'sunos' });

function missing(code: string, syscall: string): Error {
  return Object.assign(new Error(`${code}: not on this system`), { code, syscall });
}

const { watch, promises } = fs;
fs.watch = ((path: string, options: { readonly encoding: 'buffer' }, listener: (kind: string, name: null) => void) => {
  if (process.env.OTHER_SYSTEM === 'no watch') throw missing('ERR_FEATURE_UNAVAILABLE_ON_PLATFORM', 'watch');
  return watch(path, options, (kind) => kind === 'rename' && listener(kind, null)) as unknown as FSWatcher;
}) as typeof watch;

promises.statfs = (async () => {
  throw missing('ENOSYS', 'statfs');
}) as typeof promises.statfs;

const { readFile } = promises;
promises.readFile = (async (file: unknown, options: never) => {
  if (String(file).startsWith('/proc/')) throw missing('ENOENT', 'open');
  return await readFile(file as string, options);
}) as typeof readFile;

const handle = await promises.open(process.execPath);
const prototype = Object.getPrototypeOf(handle) as fs.promises.FileHandle;
await handle.close();
const { sync } = prototype;
prototype.sync = async function (this: fs.promises.FileHandle): Promise<void> {
  if ((await this.stat()).isDirectory()) throw missing('EINVAL', 'fsync');
  await sync.call(this);
};

syncBuiltinESMExports();
