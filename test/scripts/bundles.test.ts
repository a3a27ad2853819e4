/** The bundles that are deployed: functions/lambda.ts and all that it needs. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Bundle, buildBundles, defaultPlaces } from '../../scripts/build.ts';

/** What Lambda has to fetch, unpack and compile before the first event of every new environment. */
const sizeBytesMax = 780_000;

let directory: string;
let bundles: readonly Bundle[];

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'bundles-'));
  bundles = await buildBundles({ ...defaultPlaces, outdir: directory });
});
after(() => rm(directory, { recursive: true }));

test('each bundle is small', () => {
  assert.equal(bundles.length, 3);
  for (const { step, sizeBytes } of bundles) assert.ok(sizeBytes <= sizeBytesMax, `${step}: ${sizeBytes} bytes`);
});

test('each bundle can be loaded by itself, and nothing of the environment is asked for until the first event', () => {
  for (const { file } of bundles) {
    const code = `console.log(typeof require(${JSON.stringify(file)}).handler)`;
    const { stdout, stderr } = spawnSync(process.execPath, ['-e', code], { encoding: 'utf8', env: {} });
    assert.deepEqual({ stdout, stderr }, { stdout: 'function\n', stderr: '' });
  }
});

test('no bundle holds the client of a service that its step never calls', async () => {
  const clients = { extract: 'S3 DynamoDB', summarize: 'S3 DynamoDB SQS SNS', reindex: 'S3 DynamoDB SQS Lambda' };
  for (const { step, file } of bundles) {
    const text = await readFile(file, 'utf8');
    const found = ['S3', 'DynamoDB', 'SQS', 'SNS', 'Lambda'].filter((service) => text.includes(`"${service}Client"`));
    assert.equal(found.join(' '), clients[step]);
  }
});
