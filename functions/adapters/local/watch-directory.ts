/**
 * Watches a directory and everything below it.
 *
 * Events come in batches, at most half a second apart. Two kinds of changes are in none of them: a file that is made and removed within
 * one batch, and what the watcher drops while it delivers a batch (Watcher.cc, triggerCallbacks;
 * https://github.com/parcel-bundler/watcher/issues/183). So each batch asks for a comparison of everything, too.
 */

import { relative, sep } from 'node:path';
import { type SubscribeCallback, subscribe } from '@parcel/watcher';
import { CannotRun } from '../../failures.ts';
import { isIndexKey, isPackageKey } from '../../keys.ts';
import type { ObjectKey } from '../../ports.ts';

interface DirectoryEvents {
  /** A package or an index was created, written, renamed or removed; while it is being copied, again and again. */
  readonly onFile: (key: ObjectKey) => void;
  /** What is below `prefix` may have changed in any way; '' is everything, otherwise it ends in '/'. */
  readonly onDirectory: (prefix: string) => void;
  /** The watch has failed: no more events come. */
  readonly onEnd: (error: Error) => void;
}

export interface DirectoryWatch {
  close(): Promise<void>;
}

/**
 * @param stateDirectory not watched: it changes with every row.
 * @throws {CannotRun}
 */
export type WatchDirectory = (root: string, stateDirectory: string, events: DirectoryEvents) => Promise<DirectoryWatch>;

export const watchDirectory: WatchDirectory = async (root, stateDirectory, events) => {
  try {
    const subscription = await subscribe(root, callbackFor(root, events), { ignore: [stateDirectory] });
    return { close: () => subscription.unsubscribe() };
  } catch (cause) {
    throw new CannotRun(`${root} cannot be watched: ${(cause as Error).message}`, { cause });
  }
};

function callbackFor(root: string, events: DirectoryEvents): SubscribeCallback {
  return (error, batch) => {
    if (error !== null) {
      events.onEnd(error);
      return;
    }
    for (const { path } of batch) {
      const key = relative(root, path).split(sep).join('/');
      const isHidden = key.split('/').some((part) => part.startsWith('.'));
      if (!isHidden && (isPackageKey(key) || isIndexKey(key))) events.onFile(key);
    }
    events.onDirectory('');
  };
}
