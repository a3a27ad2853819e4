import { randomUUID } from 'node:crypto';
import { after, before } from 'node:test';
import { CreateBucketCommand, type S3Client } from '@aws-sdk/client-s3';
import { S3Objects } from '../../../functions/adapters/aws/s3-objects.ts';
import { objectStoreContract } from '../object-store.contract.ts';
import { type CephGateway, startCephGateway } from './ceph-gateway.ts';

let gateway: CephGateway;
let client: S3Client;

before(async () => {
  gateway = await startCephGateway();
  client = gateway.client();
});
after(async () => {
  client?.destroy();
  await gateway?.stop();
});

/** A bucket of its own for each test: Ceph makes one in milliseconds, and takes all of them with it. */
async function open() {
  const bucket = `bucket-${randomUUID()}`;
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  return { store: new S3Objects(client, { bucket, quoteIfMatch: false }), close: async () => {} };
}

objectStoreContract("S3Objects over Ceph's gateway", open, { etagOf: 'content', lastModified: 'its own' });
