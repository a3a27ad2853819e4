/** What `status`, `check` and `explain` read: an indexed directory or store, a part of one, or a stack. */

import { existsSync, realpathSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { type Command, Option } from 'commander';
import { notedDirectory } from '../functions/adapters/local/directory-note.ts';
import type { StoreAbilities } from '../functions/adapters/store/abilities.ts';
import {
  isStoreName,
  parseStoreName,
  type StoreAddress,
  type StoreOptions,
  stateDirectoryOf,
} from '../functions/adapters/store/store-address.ts';
import { rememberedStore } from '../functions/adapters/store/store-memory.ts';
import { CannotRun, UsageError } from '../functions/failures.ts';
import type { ObjectStore, RecordTable } from '../functions/ports.ts';
import { type AccountOptions, profileOption, regionOption, stackOption } from './aws/account-options.ts';
import type { StackStores } from './aws/stack-stores.ts';
import { followSymlinksOption, stateOption } from './terminal/directory-options.ts';
import { addStoreOptions } from './terminal/store-options.ts';

export interface ReadOptions extends AccountOptions, StoreOptions {
  readonly state?: string;
  readonly followSymlinks?: boolean;
  readonly config?: string;
  /** The one of the configuration file's directories that has the path. */
  readonly configuredRoot?: string;
  readonly stack?: string;
  readonly json?: boolean;
}

export function addReadOptions(command: Command): Command {
  return addStoreOptions(command)
    .addOption(stateOption())
    .addOption(followSymlinksOption())
    .addOption(stackOption())
    .addOption(profileOption())
    .addOption(regionOption())
    .addOption(new Option('--json', 'print JSON (docs/json.md)'));
}

interface Opened {
  readonly objects: ObjectStore;
  readonly records: RecordTable;
  /** Of the keys to read, each with its trailing `/`; none: all keys. */
  readonly prefixes: readonly string[];
  close(): void;
}

export type ReadTarget =
  | (Opened & {
      readonly kind: 'directory';
      readonly directory: string;
      /** The directory or store that is indexed: it, or one around it. */
      readonly root: string;
      readonly abilities?: StoreAbilities | undefined;
    })
  | (Opened & { readonly kind: 'stack'; readonly name: string; readonly stores: StackStores });

/**
 * @throws {UsageError} where both a directory and a stack are given, or none
 * @throws {CannotRun} where there is no such directory or stack, or its table cannot be read
 */
export async function openTarget(directory: string | undefined, options: ReadOptions): Promise<ReadTarget> {
  const { stack: name } = options;
  if (directory !== undefined && name === undefined)
    return await (isStoreName(directory) ? openStore(directory, options) : openDirectory(directory, options));
  if (directory !== undefined || name === undefined)
    throw new UsageError('expected either a directory or --stack NAME');
  const stores = await openStackNamed(name, options);
  return { kind: 'stack', name, stores, ...stores, close: () => undefined };
}

/** The SDK takes longer to load than a directory takes to read, so it is loaded only for a stack. */
export async function openStackNamed(name: string, account: AccountOptions): Promise<StackStores> {
  const { openStack } = await import('./aws/stack-stores.ts');
  return await openStack(name, account);
}

/** A directory below the one that was indexed selects the repositories in it. */
async function openDirectory(directory: string, options: ReadOptions): Promise<ReadTarget> {
  const { openReadOnly } = await import('../functions/adapters/local/open-read-only.ts');
  const path = resolve(directory);
  const indexed = existsSync(path) ? findIndexedDirectory(path, options) : undefined;
  const root = indexed ?? path;
  const { objects, records } = await openReadOnly(root === path ? directory : root, options);
  const below = keyOf(root, path);
  const prefixes = below === '' ? [] : [`${below}/`];
  return {
    kind: 'directory',
    directory,
    root: root === path ? directory : root,
    objects,
    records,
    prefixes,
    close: () => records.close(),
  };
}

/** A prefix below the one that was indexed selects the repositories in it. */
async function openStore(name: string, options: ReadOptions): Promise<ReadTarget> {
  const { address, below } = findIndexedStore(name, options);
  const { openStoreReadOnly } = await import('../functions/adapters/store/opened-store.ts');
  const { objects, records, abilities } = openStoreReadOnly(address, options.state);
  const prefixes = below === '' ? [] : [`${below}/`];
  return {
    kind: 'directory',
    directory: name,
    root: address.name,
    objects,
    records,
    prefixes,
    abilities,
    close: () => records.close(),
  };
}

/**
 * The store itself, or the one around it that has a table on this machine.
 * @throws {UsageError}
 */
export function findIndexedStore(name: string, options: ReadOptions): { address: StoreAddress; below: string } {
  const given = parseStoreName(name, options);
  const parts = given.prefix.split('/').filter((part) => part !== '');
  for (let count = parts.length; count >= 0; count -= 1) {
    const address = parseStoreName([`s3://${given.bucket}`, ...parts.slice(0, count)].join('/'), options);
    if (rememberedStore(options.state ?? stateDirectoryOf(address))?.name === address.name)
      return { address, below: parts.slice(count).join('/') };
  }
  return { address: given, below: '' };
}

/** The key of a path in a directory; empty for the directory itself. @throws {CannotRun} for a path outside of it */
export function keyOf(directory: string, path: string): string {
  const key = relative(directory, path).split(sep).join('/');
  if (key.split('/')[0] === '..') throw new CannotRun(`${path}: expected a path below ${directory}`);
  return key;
}

/** The directory that is indexed, for a path in it: as configured, as noted in the state directory, or the nearest one with a table in it. */
export function findIndexedDirectory(path: string, { configuredRoot, state }: ReadOptions): string | undefined {
  if (configuredRoot !== undefined) return configuredRoot;
  const noted = state === undefined ? undefined : notedDirectory(resolve(state));
  if (noted === undefined) return nearestWithTable(path);
  if (!existsSync(noted)) return undefined;
  return [noted, realpathSync(noted)].find((each) => path === each || path.startsWith(`${each}${sep}`));
}

function nearestWithTable(path: string): string | undefined {
  for (let directory = path; ; directory = dirname(directory)) {
    if (existsSync(join(directory, '.indexer'))) return directory;
    if (directory === dirname(directory)) return undefined;
  }
}
