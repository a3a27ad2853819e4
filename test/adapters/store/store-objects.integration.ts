/** The store of `s3://`: over Ceph's gateway, which obeys conditions of puts, and over one that ignores them. */

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it, test } from 'node:test';
import { CreateBucketCommand, type S3Client } from '@aws-sdk/client-s3';
import { probeStore } from '../../../functions/adapters/store/probe.ts';
import { StoreObjects } from '../../../functions/adapters/store/store-objects.ts';
import { type CephGateway, startCephGateway } from '../aws/ceph-gateway.ts';
import { objectStoreContract } from '../object-store.contract.ts';
import { type StandInStore, startStandInStore } from './stand-in-store.ts';
import { collected, uploadsContract } from './uploads.contract.ts';

let gateway: CephGateway;
let client: S3Client;
let store: StandInStore;

before(async () => {
  gateway = await startCephGateway();
  client = gateway.client();
  store = await startStandInStore();
});
after(async () => {
  client?.destroy();
  await gateway?.stop();
  await store?.stop();
});

async function newBucket(): Promise<string> {
  const bucket = `bucket-${randomUUID()}`;
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  return bucket;
}

async function open() {
  const options = { bucket: await newBucket(), prefix: 'a/b/', quoteIfMatch: false, conditionalPuts: 'yes' } as const;
  return { store: new StoreObjects(client, options), close: async () => {} };
}

objectStoreContract("StoreObjects over Ceph's gateway", open, { etagOf: 'content', lastModified: 'its own' });
uploadsContract("StoreObjects over Ceph's gateway", open);

test("Ceph's gateway has all that a store can have, and wants If-Match without quotes", async () => {
  const bucket = await newBucket();
  assert.deepEqual(await probeStore(client, bucket, 'a/'), {
    conditionalPuts: 'yes',
    quotesIfMatch: false,
    listsAtOnce: true,
    conditionalRanges: true,
    oddKeys: true,
    copies: true,
    multipartUploads: true,
  });
  const left = await collected(new StoreObjects(client, { bucket, conditionalPuts: 'yes' }).list(''));
  assert.deepEqual(left, []);
});

async function openStandIn() {
  const objects = new StoreObjects(store.client, { bucket: store.newBucket(), prefix: 'a/b/', conditionalPuts: 'no' });
  return { store: objects, close: async () => {} };
}

const name = 'StoreObjects over a store without conditional puts';
objectStoreContract(name, openStandIn, { etagOf: 'content', lastModified: 'its own' });
uploadsContract(name, openStandIn, { bytesPerRequest: 8 * 1024 * 1024 });

async function keysOf(objects: StoreObjects | undefined): Promise<string[]> {
  assert.ok(objects);
  return (await collected(objects.list(''))).map(({ key }) => key);
}

describe('StoreObjects', () => {
  it('writes nothing that it may not', async () => {
    const refused = new Error('another indexer took over');
    const objects = new StoreObjects(store.client, {
      bucket: store.newBucket(),
      conditionalPuts: 'no',
      permitWrite: () => {
        throw refused;
      },
    });
    const options = {
      condition: { ifNoneMatch: '*' },
      metadata: {},
      contentType: 'text/plain',
      lastModified: new Date(),
    } as const;
    await assert.rejects(objects.put('a', Buffer.from('1'), options), refused);
    await assert.rejects(objects.delete('a'), refused);
    await assert.rejects(objects.receive('a', (async function* () {})(), { bytesMax: 1 }), refused);
    assert.equal(await objects.head('a'), undefined);
  });

  it('of two prefixes in a bucket sees its own alone', async () => {
    const bucket = store.newBucket();
    const [one, other] = ['one/', 'other/'].map(
      (prefix) => new StoreObjects(store.client, { bucket, prefix, conditionalPuts: 'no' }),
    );
    async function* body() {
      yield Buffer.from('content');
    }
    await one?.receive('All/x.tgz', body(), { bytesMax: 10 });
    assert.equal(await other?.head('All/x.tgz'), undefined);
    assert.deepEqual(await keysOf(other), []);
    assert.deepEqual(await keysOf(one), ['All/x.tgz']);
  });
});
