import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Server } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import dynalite from 'dynalite';
import { DynamoDbRecords } from '../../../functions/adapters/aws/dynamodb-records.ts';
import { indexedRow, recordTableContract } from '../record-table.contract.ts';
import { retryTableContract } from '../retry-table.contract.ts';

let server: Server;
let client: DynamoDBClient;

before(async () => {
  server = dynalite({ createTableMs: 0 });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  client = new DynamoDBClient({
    endpoint: `http://127.0.0.1:${address.port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
});
after(async () => {
  client.destroy();
  await new Promise((resolve) => server.close(resolve));
});

/** Two tables of its own for each test, keyed as infra/storage.ts has them. */
async function open() {
  const [recordsTable, repositoriesTable] = [`records-${randomUUID()}`, `repositories-${randomUUID()}`];
  await createTable(recordsTable, ['repository', 'file']);
  await createTable(repositoriesTable, ['repository']);
  const table = new DynamoDbRecords(client, { recordsTable, repositoriesTable });
  return { table, recordsTable, repositoriesTable, close: async () => {} };
}

async function createTable(name: string, keys: readonly string[]): Promise<void> {
  await client.send(
    new CreateTableCommand({
      TableName: name,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: keys.map((key) => ({ AttributeName: key, AttributeType: 'S' })),
      KeySchema: keys.map((key, index) => ({ AttributeName: key, KeyType: index === 0 ? 'HASH' : 'RANGE' })),
    }),
  );
  while (!(await isActive(name))) await sleep(1);
}

async function isActive(name: string): Promise<boolean> {
  const { Table: table } = await client.send(new DescribeTableCommand({ TableName: name }));
  return table?.TableStatus === 'ACTIVE';
}

recordTableContract('DynamoDbRecords over dynalite', open, { changeStream: 'elsewhere' });
retryTableContract('DynamoDbRecords over dynalite', async () => (await open()).table);

describe('DynamoDbRecords', () => {
  it('changes an item with every request for a summary, so that the stream tells of it', async () => {
    const { table, recordsTable } = await open();
    const seen = new Set<string>();
    for (let count = 0; count < 3; count += 1) {
      await table.requestSummary('');
      const Key = { repository: { S: '/' }, file: { S: '/summary' } };
      const { Item } = await client.send(new GetItemCommand({ TableName: recordsTable, Key, ConsistentRead: true }));
      seen.add(JSON.stringify(Item));
    }
    assert.equal(seen.size, 3);
  });

  it('requests a summary of all rows with each row before the first run, and with none afterwards', async () => {
    const { table, recordsTable, repositoriesTable } = await open();
    const requests = async () => {
      const Key = { repository: { S: 'All' }, file: { S: '/summary' } };
      const { Item: item } = await client.send(
        new GetItemCommand({ TableName: recordsTable, Key, ConsistentRead: true }),
      );
      return Number(item?.requests?.N ?? 0);
    };
    const counts: number[] = [];
    for (const name of ['a', 'b']) {
      await table.putRow(indexedRow(name, { repository: 'All' }));
      counts.push(await requests());
    }
    await table.takeRun('All');
    const other = new DynamoDbRecords(client, { recordsTable, repositoriesTable });
    for (const writer of [table, other]) {
      await writer.putRow(indexedRow('c', { repository: 'All' }));
      counts.push(await requests());
    }
    assert.deepEqual(counts, [1, 2, 2, 2]);
  });

  it('knows a repository from its first row on, also in another process', async () => {
    const { table, recordsTable, repositoriesTable } = await open();
    await table.putRow(indexedRow('a', { repository: 'All' }));
    await table.putRow(indexedRow('b', { repository: '' }));
    const found: string[] = [];
    for await (const repository of new DynamoDbRecords(client, { recordsTable, repositoriesTable }).repositories()) {
      found.push(repository);
    }
    assert.deepEqual(found.toSorted(), ['', 'All']);
  });

  it('says which item is no row, and what to do', async () => {
    const { table, recordsTable } = await open();
    await table.putRow(indexedRow('a', { repository: 'All' }));
    const item = { repository: { S: 'All' }, file: { S: 'b' }, etag: { S: 'e' }, size: { N: '1' } };
    await client.send(new PutItemCommand({ TableName: recordsTable, Item: item }));
    const message = /the row "All", "b": expected the attribute lastModified.*delete the item, then run a reindex/;
    await assert.rejects(table.row('All', 'b'), message);
    const rows = table.rows('All');
    assert.equal((await rows.next()).value?.file, 'a');
    await assert.rejects(rows.next(), message);
  });
});
