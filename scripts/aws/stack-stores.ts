/** The bucket and the tables of a stack, as the ports of the steps. */

import { DynamoDbRecords } from '../../functions/adapters/aws/dynamodb-records.ts';
import { S3Objects } from '../../functions/adapters/aws/s3-objects.ts';
import type { ObjectStore, RecordTable } from '../../functions/ports.ts';
import type { AccountOptions } from './account-options.ts';
import { type Clients, clientsFor, endpointOf } from './clients.ts';
import { type DeployedStack, expectStack, watchedPrefixes } from './deployed-stack.ts';

export interface StackStores {
  readonly clients: Clients;
  readonly stack: DeployedStack;
  readonly objects: ObjectStore;
  readonly records: RecordTable;
  /** Each with its trailing `/`; empty: the whole bucket. */
  readonly prefixes: readonly string[];
}

/** @throws {CannotRun} if there is no such stack */
export async function openStack(name: string, account: AccountOptions): Promise<StackStores> {
  const clients = await clientsFor(account);
  const stack = await expectStack(clients, name);
  const { outputs } = stack;
  return {
    clients,
    stack,
    objects: new S3Objects(clients.s3, {
      bucket: outputs.Bucket,
      quoteIfMatch: process.env.S3_QUOTE_IF_MATCH !== 'off',
    }),
    records: new DynamoDbRecords(clients.dynamoDb, {
      recordsTable: outputs.RecordsTable,
      repositoriesTable: outputs.RepositoriesTable,
    }),
    prefixes: await watchedPrefixes(clients.lambda, outputs),
  };
}

/** The URL for clients: the stack's, or the bucket's on another store. Without a trailing `/`. */
export function repositoryUrl({ Bucket: bucket, RepositoryUrl: url }: DeployedStack['outputs']): string {
  const endpoint = endpointOf('S3');
  return endpoint === undefined ? url : `${endpoint.replace(/\/+$/, '')}/${bucket}`;
}
