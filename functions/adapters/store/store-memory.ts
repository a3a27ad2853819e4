/** What an indexer knows of its store, for commands that only read: a file beside the table. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StoreAbilities } from './abilities.ts';

export interface RememberedStore {
  /** `s3://bucket/prefix` */
  readonly name: string;
  readonly abilities: StoreAbilities;
}

export function rememberStore(stateDirectory: string, store: RememberedStore): void {
  writeFileSync(fileIn(stateDirectory), `${JSON.stringify(store, undefined, 2)}\n`);
}

/** Undefined where no store was ever opened with this table. */
export function rememberedStore(stateDirectory: string): RememberedStore | undefined {
  try {
    return JSON.parse(readFileSync(fileIn(stateDirectory), 'utf8')) as RememberedStore;
  } catch {
    return undefined;
  }
}

function fileIn(stateDirectory: string): string {
  return join(stateDirectory, 'store.json');
}
