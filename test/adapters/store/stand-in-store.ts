/** An S3-compatible store in this process that ignores If-Match and If-None-Match of puts, as Garage is said to: fauxqs. */

import { randomUUID } from 'node:crypto';
import type { S3Client } from '@aws-sdk/client-s3';
import { startFauxqs } from 'fauxqs';
import { storeClient } from '../../../functions/adapters/store/opened-store.ts';
import { parseStoreName } from '../../../functions/adapters/store/store-address.ts';

/** fauxqs takes any. */
export const anyCredentials = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'testsecret' };

export interface StandInStore {
  readonly endpoint: string;
  readonly client: S3Client;
  /** @returns the name of a new bucket. */
  newBucket(): string;
  stop(): Promise<void>;
}

export async function startStandInStore(): Promise<StandInStore> {
  Object.assign(process.env, anyCredentials);
  const server = await startFauxqs({ port: 0, logger: false, host: '127.0.0.1' });
  const endpoint = `http://127.0.0.1:${server.port}`;
  const client = storeClient(parseStoreName('s3://any-bucket', { endpoint }));
  return {
    endpoint,
    client,
    newBucket: () => {
      const name = `bucket-${randomUUID()}`;
      server.createBucket(name);
      return name;
    },
    stop: async () => {
      client.destroy();
      await server.stop();
    },
  };
}
