/** The smoke test against the whole pipeline: the bundled steps over Ceph's gateway, read over HTTP as clients do. */

import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { ListObjectsV2Command, PutBucketPolicyCommand } from '@aws-sdk/client-s3';
import { S3Objects } from '../../functions/adapters/aws/s3-objects.ts';
import { SystemClock } from '../../functions/adapters/system-clock.ts';
import { smokeTest } from '../../scripts/aws/smoke-test.ts';
import { type IndexerStack, startIndexerStack } from '../pipeline/indexer-stack.ts';

let stack: IndexerStack;

before(async () => {
  stack = await startIndexerStack();
  await stack.startNotifications();
  const everyoneReads = {
    Effect: 'Allow',
    Principal: '*',
    Action: ['s3:GetObject'],
    Resource: [`arn:aws:s3:::${stack.bucket}/*`],
  };
  await stack.s3.send(
    new PutBucketPolicyCommand({
      Bucket: stack.bucket,
      Policy: JSON.stringify({ Version: '2012-10-17', Statement: [everyoneReads] }),
    }),
  );
});
after(async () => {
  await stack?.stop();
});

it('a package goes up, is served, goes away, and nothing of it stays', async (t) => {
  const endpoint = await stack.s3.config.endpoint?.();
  assert.ok(endpoint !== undefined);
  const { protocol, hostname, port } = endpoint;
  const stages: string[] = [];
  await smokeTest(
    {
      objects: new S3Objects(stack.s3, { bucket: stack.bucket, quoteIfMatch: false }),
      records: stack.records,
      clock: new SystemClock(),
      async get(key) {
        const answer = await fetch(`${protocol}//${hostname}:${port}/${stack.bucket}/${key}`);
        return { status: answer.status, text: answer.statusText, body: new Uint8Array(await answer.arrayBuffer()) };
      },
    },
    {
      repository: 'deep/below/smoke',
      name: 'smoke+test-0.1',
      millisecondsMax: 60_000,
      onStage(stage, milliseconds) {
        stages.push(stage);
        t.diagnostic(`${stage}: ${milliseconds} ms`);
      },
      signal: t.signal,
    },
  );
  assert.equal(stages.at(-1), 'out of the index as served');
  assert.equal(stages.length, 9);
  const { Contents: left = [] } = await stack.s3.send(new ListObjectsV2Command({ Bucket: stack.bucket }));
  assert.deepEqual(left, []);
});
