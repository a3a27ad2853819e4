/** What is indexed on one machine: a directory, or an S3-compatible store. */

import type { Clock } from '../ports.ts';
import type { DirectoryOptions } from './local/opened-directory.ts';
import { OpenedDirectory } from './local/opened-directory.ts';
import type { OpenedStore } from './store/opened-store.ts';
import { isStoreName, parseStoreName, type StoreOptions } from './store/store-address.ts';

export interface PlaceOptions extends DirectoryOptions {
  readonly clock?: Clock;
  /** A path, or `s3://BUCKET[/PREFIX]`. */
  readonly directory: string;
  /** How to reach a store. */
  readonly store?: StoreOptions | undefined;
}

export type OpenedPlace = OpenedDirectory | OpenedStore;

/** The SDK takes longer to load than a directory takes to read, so it is loaded only for a store. */
export async function openPlace({ store, ...options }: PlaceOptions): Promise<OpenedPlace> {
  if (!isStoreName(options.directory)) return await OpenedDirectory.open(options);
  const { OpenedStore } = await import('./store/opened-store.ts');
  return await OpenedStore.open({ ...options, address: parseStoreName(options.directory, store) });
}
