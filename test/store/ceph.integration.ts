/** The store of `s3://` over Ceph's gateway, which obeys conditions of puts. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { startCephGateway } from '../adapters/aws/ceph-gateway.ts';
import { pipelineSuite } from './pipeline-suite.ts';
import { storeSuite } from './store-suite.ts';
import { tryStore } from './tried-store.ts';

async function open() {
  const gateway = await startCephGateway();
  const client = gateway.client();
  const { accessKeyId, secretAccessKey } = await client.config.credentials();
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey });
  await client.send(new CreateBucketCommand({ Bucket: 'packages' }));
  client.destroy();
  return await tryStore(gateway.endpoint, 'packages', () => gateway.stop());
}

const name = "Ceph's gateway";
storeSuite(name, open);
pipelineSuite(name, open);

test("Ceph's gateway has all that a store can have, and wants If-Match without quotes", async () => {
  const { abilities, stop } = await open();
  await stop();
  assert.deepEqual(abilities, {
    conditionalPuts: 'yes',
    quotesIfMatch: false,
    listsAtOnce: true,
    conditionalRanges: true,
    oddKeys: true,
    copies: true,
    multipartUploads: true,
  });
});
