/**
 * What happens below a directory, as the file system tells it: hints for packages, and everything else that may concern us.
 *
 * Events come in batches, half a second apart at most, and what is made and removed within one is in none of them. Whoever acts
 * on a file without having heard of it here looks at it again after `localLimits.watchMilliseconds`.
 *
 * Some get lost without a word: the watcher drops what comes while it hands over a batch (Watcher.cc, triggerCallbacks;
 * https://github.com/parcel-bundler/watcher/issues/183), and what the kernel's queue of 16,384 had no room for. So the end of a
 * batch is an event, too: some time after it, everything is to be looked at.
 */

import { stat } from 'node:fs/promises';
import { relative, sep } from 'node:path';
import { type AsyncSubscription, type SubscribeCallback, subscribe } from '@parcel/watcher';
import { CannotRun } from '../../failures.ts';
import { isIndexKey, isPackageKey } from '../../keys.ts';
import type { ObjectKey } from '../../ports.ts';

export interface DirectoryEvents {
  /** A package was created, written to, renamed or removed; while it is being copied, again and again. */
  readonly onPackage: (key: ObjectKey) => void;
  /** An index was written or removed; by us, too. */
  readonly onIndex: (key: ObjectKey) => void;
  /** A directory came or went: whatever is, or was, below `prefix` is to be looked at. The empty prefix is everything. */
  readonly onTree: (prefix: string) => void;
  /** Something happened; and perhaps more than what was told. */
  readonly onBatch: () => void;
  /** The watch has ended: it tells of nothing any more. */
  readonly onEnd: (error: Error) => void;
}

/**
 * @param stateDirectory of which nothing is told: it changes whenever a row does.
 * @returns what ends the watch.
 * @throws {CannotRun}
 */
export async function watchDirectory(
  root: string,
  stateDirectory: string,
  events: DirectoryEvents,
): Promise<AsyncSubscription> {
  try {
    return await subscribe(root, tellOf(root, events), { ignore: [stateDirectory] });
  } catch (cause) {
    throw new CannotRun(`${root} cannot be watched: ${(cause as Error).message}`, { cause });
  }
}

function tellOf(root: string, events: DirectoryEvents): SubscribeCallback {
  return (error, batch) => {
    if (error !== null) {
      events.onEnd(error);
      return;
    }
    events.onBatch();
    for (const { path, type } of batch) {
      if (path === root) continue;
      const key = relative(root, path).split(sep).join('/');
      if (key.split('/').some((part) => part.startsWith('.'))) continue;
      if (isPackageKey(key)) events.onPackage(key);
      else if (isIndexKey(key)) events.onIndex(key);
      else if (type === 'delete') events.onTree(`${key}/`);
      // `update` of a directory: one was removed, and another one made in its place.
      else void tellDirectory(path, () => events.onTree(`${key}/`));
    }
  };
}

async function tellDirectory(path: string, tell: () => void): Promise<void> {
  // Gone again already: its removal is an event of its own.
  const facts = await stat(path).catch(() => undefined);
  if (facts?.isDirectory()) tell();
}
