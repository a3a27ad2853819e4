import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { S3Client } from '@aws-sdk/client-s3';
import { abilitiesLine } from '../../../functions/adapters/store/abilities.ts';
import { probeStore } from '../../../functions/adapters/store/probe.ts';
import { parseStoreName } from '../../../functions/adapters/store/store-address.ts';
import { describingFailures } from '../../../functions/adapters/store/store-failure.ts';
import { StoreObjects } from '../../../functions/adapters/store/store-objects.ts';
import { scriptedAnswers } from '../aws/scripted-answers.ts';
import { type StandInStore, startStandInStore } from './stand-in-store.ts';
import { collected } from './uploads.contract.ts';

let store: StandInStore;

before(async () => {
  store = await startStandInStore();
});
after(() => store.stop());

test('a store that ignores conditions of puts is found out, and nothing of the probe is left', async () => {
  const bucket = store.newBucket();
  const abilities = await probeStore(store.client, bucket, 'a/');
  assert.equal(abilities.conditionalPuts, 'no');
  assert.equal(abilities.multipartUploads, true);
  assert.match(abilitiesLine(abilities), /^the store has listings at once, .*; it lacks conditional puts/);
  const left = await collected(new StoreObjects(store.client, { bucket, conditionalPuts: 'no' }).list(''));
  assert.deepEqual(left, []);
});

test('a store that cannot do anything but put is described so; one that is away, or denies access, is not', async () => {
  const scripted = (status: number, only?: string) => {
    const { settings } = scriptedAnswers(({ method, headers, query }) => {
      const isPlainPut = method === 'PUT' && Object.keys(query).length <= 1 && !('x-amz-copy-source' in headers);
      if (only === 'put' && isPlainPut && !('if-match' in headers) && !('if-none-match' in headers))
        return { headers: { etag: '"e"' } };
      return { status, body: `<Error><Code>Some${status}</Code><Message>no</Message></Error>` };
    });
    return describingFailures(new S3Client({ ...settings, forcePathStyle: true }), parseStoreName('s3://bucket'));
  };
  const { quotesIfMatch: _, ...abilities } = await probeStore(scripted(501, 'put'), 'bucket', '');
  assert.deepEqual(abilities, {
    conditionalPuts: 'no',
    listsAtOnce: false,
    conditionalRanges: false,
    oddKeys: false,
    copies: false,
    multipartUploads: false,
  });
  await assert.rejects(probeStore(scripted(403), 'bucket', ''), /s3:\/\/bucket denied access/);
  await assert.rejects(probeStore(scripted(503, 'put'), 'bucket', ''), /s3:\/\/bucket failed \(Some503, 503/);
});
