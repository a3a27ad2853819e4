import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  PutBucketNotificationConfigurationCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { CreateTopicCommand, SNSClient } from '@aws-sdk/client-sns';
import { hintsFrom } from '../functions/events.ts';
import { type CephGateway, startCephGateway } from './adapters/aws/ceph-gateway.ts';

const bucket = 'packages';

const keys = [
  'All/gtk2+-2.24.32nb5.tgz',
  'All/escaped%2Bplus-1.0.tgz',
  'All/space pkg-1.0.tgz',
  'All/tilde~pkg-1.0~rc1.tgz',
  'All/100%-1.0.tgz',
  'All/ümläut-1.0.tgz',
];

describe("hints from the notifications of Ceph's gateway", () => {
  let gateway: CephGateway;
  let client: S3Client;
  let webhook: Server;
  const received: unknown[] = [];

  before(async () => {
    gateway = await startCephGateway();
    client = gateway.client();
    webhook = createServer(async (request, response) => {
      let text = '';
      for await (const chunk of request.setEncoding('utf8')) text += chunk;
      received.push(JSON.parse(text));
      response.end();
    });
    await new Promise<void>((resolve) => webhook.listen(0, '127.0.0.1', resolve));
    await client.send(new CreateBucketCommand({ Bucket: bucket }));
    await notify();
  });
  after(async () => {
    webhook?.close();
    client?.destroy();
    await gateway?.stop();
  });

  async function notify(): Promise<void> {
    const address = webhook.address();
    assert.ok(address !== null && typeof address === 'object');
    const sns = new SNSClient({
      endpoint: gateway.endpoint,
      region: 'default',
      credentials: await client.config.credentials(),
    });
    const Attributes = { 'push-endpoint': `http://127.0.0.1:${address.port}` };
    const { TopicArn } = await sns.send(new CreateTopicCommand({ Name: 'hints', Attributes }));
    sns.destroy();
    await client.send(
      new PutBucketNotificationConfigurationCommand({
        Bucket: bucket,
        NotificationConfiguration: {
          TopicConfigurations: [{ Id: 'hints', TopicArn, Events: ['s3:ObjectCreated:*', 's3:ObjectRemoved:*'] }],
        },
      }),
    );
  }

  /** The keys that one action gives hints for, each once. */
  async function keysHinted(action: () => Promise<unknown>): Promise<string[]> {
    received.length = 0;
    await action();
    // The gateway tells before it answers, so nothing should be on its way; a little patience all the same.
    const deadline = Date.now() + 5_000;
    while (received.length === 0 && Date.now() < deadline) await sleep(10);
    const { hints, unknown } = hintsFrom(received);
    assert.deepEqual(unknown, [], JSON.stringify(received));
    return [...new Set(hints.map(({ key }) => key))];
  }

  for (const key of keys) {
    it(`${key}: uploaded, and deleted`, async () => {
      assert.deepEqual(
        await keysHinted(() => client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: 'x' }))),
        [key],
      );
      assert.deepEqual(await keysHinted(() => client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }))), [
        key,
      ]);
    });
  }

  // Not several deleted at once: Ceph 16 ends when it is to notify a webhook of that.
  it('uploaded in parts, and copied', async () => {
    const Key = 'All/parts+-1.0.tgz';
    const upload = await keysHinted(async () => {
      const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket: bucket, Key }));
      const part = { Bucket: bucket, Key, UploadId, PartNumber: 1 };
      const { ETag } = await client.send(new UploadPartCommand({ ...part, Body: 'x' }));
      const MultipartUpload = { Parts: [{ ETag, PartNumber: 1 }] };
      await client.send(new CompleteMultipartUploadCommand({ Bucket: bucket, Key, UploadId, MultipartUpload }));
    });
    assert.deepEqual(upload, [Key]);
    const copy = { Bucket: bucket, Key: 'All/copy-1.0.tgz', CopySource: `${bucket}/${encodeURIComponent(Key)}` };
    assert.deepEqual(await keysHinted(() => client.send(new CopyObjectCommand(copy))), ['All/copy-1.0.tgz']);
  });
});
