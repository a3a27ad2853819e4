/** A store that is open for indexing: its objects, the table of their rows on this machine, and the lease that keeps others out. */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { S3Client } from '@aws-sdk/client-s3';
import { CannotRun, systemErrorSentence } from '../../failures.ts';
import type { Clock, OnChange } from '../../ports.ts';
import { createS3Client } from '../aws/aws-clients.ts';
import { S3Objects } from '../aws/s3-objects.ts';
import { DirectoryInUse, type DirectoryLock } from '../local/directory-lock.ts';
import { type DirectoryOptions, type Loss, lockWhenFree } from '../local/opened-directory.ts';
import type { SqliteRecords } from '../local/sqlite-records.ts';
import { openTable, tableFile } from '../local/state-directory.ts';
import { SystemClock } from '../system-clock.ts';
import { abilitiesLine, type StoreAbilities } from './abilities.ts';
import { indexingQueue } from './indexing-stack.ts';
import { Lease, type LeaseOptions, newHolder } from './lease.ts';
import { probeStore } from './probe.ts';
import { type StoreAddress, stateDirectoryOf } from './store-address.ts';
import { describingFailures } from './store-failure.ts';
import { rememberedStore, rememberStore } from './store-memory.ts';
import { StoreObjects } from './store-objects.ts';

const storeLimits = {
  /** Of one attempt of a request: a part of 8 MiB over a slow line. */
  requestMillisecondsMax: 60_000,
} as const;

export interface OpenStoreOptions {
  readonly address: StoreAddress;
  /** Where the table is kept: by default a place of this user that belongs to the store. */
  readonly stateDirectory?: string | undefined;
  readonly clock?: Clock;
  readonly onChange: OnChange;
  /** Waits for the other indexer's end; without it, the store is refused. */
  readonly onInUse?: DirectoryOptions['onInUse'];
  /** Called with a sentence for the operator. */
  readonly onNotice: (sentence: string) => void;
}

export function storeClient(address: StoreAddress): S3Client {
  const { endpoint, region, profile, pathStyle, accessKeyId, secretAccessKey } = address;
  const config = {
    ...(endpoint === undefined ? {} : { endpoint }),
    // Most stores have no regions, and accept any.
    ...(region === undefined ? (endpoint === undefined ? {} : { region: defaultRegion() }) : { region }),
    ...(profile === undefined ? {} : { profile }),
    ...(accessKeyId === undefined || secretAccessKey === undefined
      ? {}
      : { credentials: { accessKeyId, secretAccessKey } }),
    ...(pathStyle === undefined ? {} : { forcePathStyle: pathStyle }),
  };
  const isCompatibleStore = endpoint !== undefined;
  const client = createS3Client({ isCompatibleStore }, config, storeLimits.requestMillisecondsMax);
  return describingFailures(client, address);
}

function defaultRegion(): string {
  return process.env.AWS_REGION || process.env.AWS_DEFAULT_REGION || 'us-east-1';
}

/** Reads a store and its table, also while an indexer is working on them. */
export function openStoreReadOnly(
  address: StoreAddress,
  state: string | undefined,
): { readonly objects: S3Objects; readonly records: SqliteRecords; readonly abilities: StoreAbilities | undefined } {
  const { bucket, prefix } = address;
  const stateDirectory = resolve(state ?? stateDirectoryOf(address));
  const records = openTable({ file: tableFile(stateDirectory), readOnly: true }).table;
  return {
    objects: new S3Objects(storeClient(address), { bucket, prefix }),
    records,
    abilities: rememberedStore(stateDirectory)?.abilities,
  };
}

export class OpenedStore {
  /** `s3://bucket/prefix` */
  readonly name: string;
  /** What precedes each key in the bucket: `''`, or ending in `/`. */
  readonly prefix: string;
  readonly stateDirectory: string;
  readonly abilities: StoreAbilities;
  readonly objects: StoreObjects;
  readonly records: SqliteRecords;
  readonly #client: S3Client;
  readonly #lock: DirectoryLock;
  readonly #lease: Lease;
  readonly #isDamaged: () => boolean;

  /**
   * Writes objects below `.indexer/`: the lease, and those that show what the store can do, which are removed again.
   * @throws {CannotRun} where it cannot be reached or read, or where another indexer is at work.
   */
  static async open(options: OpenStoreOptions): Promise<OpenedStore> {
    const { address, onNotice, onChange, clock = new SystemClock() } = options;
    const { name, bucket, prefix } = address;
    const stateDirectory = resolve(options.stateDirectory ?? stateDirectoryOf(address));
    makeDirectory(stateDirectory);
    const lock = await lockWhenFree(stateDirectory, name, options.onInUse);
    const client = storeClient(address);
    try {
      const queue = await indexingQueue(client, address);
      if (queue !== undefined)
        throw new CannotRun(
          `${name} is indexed by a stack on AWS, whose queue ${queue} gets its events: destroy that stack first, or remove the bucket's notification rules`,
        );
      const abilities = await probeStore(client, bucket, prefix);
      const { conditionalPuts, quotesIfMatch: quoteIfMatch } = abilities;
      onNotice(abilitiesLine(abilities));
      if (conditionalPuts !== 'yes')
        onNotice('without conditional puts, what is put is read back: never start two indexers of one store at once');
      rememberStore(stateDirectory, { name, abilities });
      const placed = { bucket, prefix, quoteIfMatch, conditionalPuts };
      const lease = await takeWhenFree(
        {
          objects: new StoreObjects(client, placed),
          name,
          holder: holderOf(stateDirectory),
          isPutConditional: conditionalPuts === 'yes',
          clock,
          onNotice,
        },
        options.onInUse,
      );
      const objects = new StoreObjects(client, { ...placed, permitWrite: () => lease.permitWrite() });
      let isDamaged = false;
      const opened = openTable({
        file: tableFile(stateDirectory),
        onChange,
        onDamage: () => {
          isDamaged = true;
        },
      });
      if (opened.rebuilt)
        onNotice(`the table was ${opened.because}: building a new one from the store (old table: ${opened.setAside})`);
      return new OpenedStore(address, stateDirectory, abilities, objects, opened.table, {
        client,
        lock,
        lease,
        isDamaged: () => isDamaged,
      });
    } catch (error) {
      client.destroy();
      lock.release();
      throw error;
    }
  }

  private constructor(
    { name, prefix }: StoreAddress,
    stateDirectory: string,
    abilities: StoreAbilities,
    objects: StoreObjects,
    records: SqliteRecords,
    held: { client: S3Client; lock: DirectoryLock; lease: Lease; isDamaged: () => boolean },
  ) {
    this.name = name;
    this.prefix = prefix;
    this.stateDirectory = stateDirectory;
    this.abilities = abilities;
    this.objects = objects;
    this.records = records;
    this.#client = held.client;
    this.#lock = held.lock;
    this.#lease = held.lease;
    this.#isDamaged = held.isDamaged;
  }

  /** What this indexer has lost, if anything: close it then, and open a new one. */
  async loss(): Promise<Loss | undefined> {
    if (this.#lease.isTaken) return 'lease';
    if (this.#isDamaged()) return 'table';
    return this.records.isInPlace && this.#lock.isHeld ? undefined : 'state';
  }

  /** For a start that failed: the state directory stays. It is nowhere near the packages, and it names the holder of the lease. */
  discard(): void {}

  async release(): Promise<void> {
    await this.#lease.release();
    this.records.close();
    this.#client.destroy();
    this.#lock.release();
  }
}

async function takeWhenFree(lease: LeaseOptions, onInUse: DirectoryOptions['onInUse']): Promise<Lease> {
  for (;;) {
    try {
      return await Lease.take(lease);
    } catch (error) {
      if (onInUse === undefined || !(error instanceof DirectoryInUse)) throw error;
      await onInUse(error);
    }
  }
}

function makeDirectory(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true });
  } catch (error) {
    throw new CannotRun(systemErrorSentence(error, `cannot make the state directory ${directory} (see --state)`));
  }
}

/** Only the process that has the lock of this directory uses the name. */
function holderOf(stateDirectory: string): string {
  const file = join(stateDirectory, 'lease-holder');
  try {
    const holder = readFileSync(file, 'utf8').trim();
    if (holder !== '') return holder;
  } catch {
    // There is none yet.
  }
  const holder = newHolder();
  writeFileSync(file, `${holder}\n`);
  return holder;
}
