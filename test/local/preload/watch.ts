/**
 * Loaded before a program: its watches report nothing of directories called `unseen`, and one that is to report a file called
 * `interrupt` ends with an error.
 */

import fs, { type FSWatcher } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { basename } from 'node:path';

type Listener = (kind: string, name: Buffer | null) => void;

const { watch } = fs;
fs.watch = ((path: string, options: { readonly encoding: 'buffer' }, listener: Listener): FSWatcher => {
  const watcher = watch(path, options, (kind, name) => {
    if (basename(path) === 'unseen') return;
    if (name?.toString() === 'interrupt') watcher.emit('error', new Error('Interrupted system call'));
    else listener(kind, name);
  });
  return watcher;
}) as typeof watch;
syncBuiltinESMExports();
