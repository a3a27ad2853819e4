/**
 * Loaded before a program: its watch tells nothing of files called `unseen-…`, and ends with an error when there is one called
 * `interrupt`.
 */

import { createRequire } from 'node:module';
import type { SubscribeCallback, subscribe } from '@parcel/watcher';

const watcher = createRequire(import.meta.url)('@parcel/watcher') as { subscribe: typeof subscribe };

const { subscribe: subscribeToAll } = watcher;
watcher.subscribe = async (directory, tell, options) => {
  let isEnded = false;
  const tellSome: SubscribeCallback = (error, batch) => {
    if (isEnded) return;
    isEnded = batch.some(({ path }) => path.endsWith('/interrupt'));
    if (isEnded) tell(new Error('Unable to poll: Interrupted system call'), []);
    else
      tell(
        error,
        batch.filter(({ path }) => !path.includes('/unseen-')),
      );
  };
  return await subscribeToAll(directory, tellSome, options);
};
