import assert from 'node:assert/strict';
import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { unzipSync } from 'fflate';
import { createS3Client } from '../../../functions/adapters/aws/aws-clients.ts';
import { bucketNameFor, defaultCodeBucket, makeCodeBucket, putCode, zipDirectory } from '../../../scripts/aws/code.ts';
import { type Answer, scriptedAnswers } from '../../adapters/aws/scripted-answers.ts';

const place = { bucket: 'code', account: '123456789012', region: 'eu-central-1' };
let directory: string;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'code-'));
  await writeFile(join(directory, 'index.js'), 'exports.handler = 1;');
  await writeFile(join(directory, 'index.js.map'), '{}');
});
after(() => rm(directory, { recursive: true }));

function store(...answers: readonly Answer[]) {
  const { settings, asked } = scriptedAnswers(answers);
  return { s3: createS3Client({ isCompatibleStore: true }, settings), asked };
}

test('a zip has the files, and the same bytes whenever it is made', async () => {
  const first = await zipDirectory(directory);
  await utimes(join(directory, 'index.js'), new Date(), new Date());
  assert.deepEqual(await zipDirectory(directory), first);
  const files = unzipSync(first);
  assert.deepEqual(Object.keys(files), ['index.js', 'index.js.map']);
  assert.equal(new TextDecoder().decode(files['index.js']), 'exports.handler = 1;');
});

test('every file of a zip can be read by everyone', async () => {
  const zip = Buffer.from(await zipDirectory(directory));
  const modes: number[] = [];
  // The central directory: signature PK\1\2, the system at 5, the mode in the upper half of the attributes at 38.
  for (let at = zip.indexOf('PK\x01\x02'); at !== -1; at = zip.indexOf('PK\x01\x02', at + 1)) {
    assert.equal(zip[at + 5], 3);
    modes.push(zip.readUInt16LE(at + 40));
  }
  assert.deepEqual(modes, [0o644, 0o644]);
});

test('the bucket for the code is named after account and region', () => {
  assert.equal(bucketNameFor(defaultCodeBucket, place), 'pkgsrc-indexer-code-123456789012-eu-central-1');
  assert.equal(bucketNameFor('mine', place), 'mine');
});

test('a bucket that is there is not made again', async () => {
  const { s3, asked } = store({});
  assert.equal(await makeCodeBucket(s3, place), 'there');
  assert.equal(asked[0]?.headers['x-amz-expected-bucket-owner'], place.account);
});

for (const [region, constraint] of [
  ['eu-central-1', /<LocationConstraint>eu-central-1</],
  ['us-east-1', /^$/],
] as const) {
  test(`one that is missing is made in ${region}`, async () => {
    const { s3, asked } = store({ status: 404 }, {});
    assert.equal(await makeCodeBucket(s3, { ...place, region }), 'made');
    assert.equal(asked[1]?.method, 'PUT');
    assert.match(asked[1]?.body ?? '', constraint);
  });
}

test("another account's bucket is refused: its code would run as ours", async () => {
  await assert.rejects(makeCodeBucket(store({ status: 403 }).s3, place), /belongs to another account.*--asset-bucket/);
  await assert.rejects(makeCodeBucket(store({ status: 301 }).s3, place), /is not in eu-central-1/);
});

test('code is put once', async () => {
  const asset = { path: directory, packaging: 'zip', objectKey: 'hash.zip' } as const;
  const absent = store({ status: 404 }, { headers: { etag: '"e"' } });
  assert.equal(await putCode(absent.s3, place, asset), true);
  assert.deepEqual(
    absent.asked.map(({ method, path }) => `${method} ${path}`),
    ['HEAD /code/hash.zip', 'PUT /code/hash.zip'],
  );
  const there = store({ headers: { etag: '"e"' } });
  assert.equal(await putCode(there.s3, place, asset), false);
});
