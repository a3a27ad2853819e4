/** A store that the suites of this folder are run over, each test at a prefix of its own. */

import { randomUUID } from 'node:crypto';
import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { StoreAbilities } from '../../functions/adapters/store/abilities.ts';
import { storeClient } from '../../functions/adapters/store/opened-store.ts';
import { probeStore } from '../../functions/adapters/store/probe.ts';
import { parseStoreName } from '../../functions/adapters/store/store-address.ts';
import { StoreObjects } from '../../functions/adapters/store/store-objects.ts';

export interface TriedStore {
  readonly endpoint: string;
  readonly bucket: string;
  readonly client: S3Client;
  readonly abilities: StoreAbilities;
  stop(): Promise<void>;
}

/** What a test has of the store. */
export interface StorePlace {
  /** `s3://bucket/prefix` */
  readonly name: string;
  readonly prefix: string;
  readonly store: StoreObjects;
  /** As another program does it. */
  put(key: string, body: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/** @param endpoint the credentials are in the environment. */
export async function tryStore(
  endpoint: string,
  bucket: string,
  stop: () => Promise<void> = async () => {},
): Promise<TriedStore> {
  const client = storeClient(parseStoreName(`s3://${bucket}`, { endpoint }));
  const abilities = await probeStore(client, bucket, '');
  return {
    endpoint,
    bucket,
    client,
    abilities,
    stop: async () => {
      client.destroy();
      await stop();
    },
  };
}

export function newPlace({ bucket, client, abilities }: TriedStore): StorePlace {
  const name = `indexer-test-${randomUUID()}`;
  const { conditionalPuts, quotesIfMatch: quoteIfMatch } = abilities;
  const store = new StoreObjects(client, { bucket, prefix: `${name}/`, conditionalPuts, quoteIfMatch });
  return {
    name: `s3://${bucket}/${name}`,
    prefix: `${name}/`,
    store,
    put: async (key, body) => {
      await client.send(new PutObjectCommand({ Bucket: bucket, Key: `${name}/${key}`, Body: body }));
    },
    close: async () => {
      for await (const { key } of store.list('')) await store.delete(key);
    },
  };
}
