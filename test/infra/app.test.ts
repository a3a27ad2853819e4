import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { flagsFrom, indexerApp } from '../../infra/app.ts';
import { BadOption } from '../../infra/bad-option.ts';
import { indexerOptions } from '../../infra/options.ts';
import { stubBundles } from './synthesized.ts';

const outdir = mkdtempSync(join(tmpdir(), 'cdk-out-'));
after(() => rmSync(outdir, { recursive: true }));

/** `node infra/app.ts` with nothing of the developer's own environment: no credentials, no region, no proxy. */
function run(...flags: readonly string[]) {
  const script = fileURLToPath(new URL('../../infra/app.ts', import.meta.url));
  const env = { CDK_OUTDIR: outdir, CDK_VALIDATION: 'false' };
  return spawnSync(process.execPath, [script, '--bundles', stubBundles, ...flags], { env, encoding: 'utf8' });
}

test('the template is written without credentials and without a network', () => {
  const { status, stderr } = run('--stack', 'mine', '--bucket', 'packages', '--asset-bucket', 'code', '--no-cdn');
  assert.equal(status, 0, stderr);
  const template = readFileSync(join(outdir, 'mine.template.json'), 'utf8');
  assert.match(template, /"BucketName": "packages"/);
  assert.match(template, /"S3Bucket": "code"/);
  assert.doesNotMatch(template, /CloudFront/);
});

test('a wrong flag is told in one line', () => {
  const { status, stderr } = run('--debounce', 'soon');
  assert.equal(status, 1);
  assert.equal(stderr, '--debounce soon: expected whole seconds from 0 to 300.\n');
});

const flags: readonly (readonly [commandLine: string, expected: object])[] = [
  ['--bucket b --existing', { bucket: 'b', existing: true }],
  ['--prefix a --prefix b', { prefix: ['a', 'b'] }],
  ['--arch x86_64 --arch aarch64', { arch: ['x86_64', 'aarch64'] }],
  ['--debounce 5 --formats gz', { debounce: '5', formats: 'gz' }],
  ['--no-cdn', { cdn: false }],
  ['--public-bucket', { publicBucket: true }],
  ['--alarm-email a@b --keep-tables', { alarmEmail: 'a@b', keepTables: true }],
  ['--bundles d --asset-bucket code --stack s', { bundles: 'd', assetBucket: 'code', stack: 's' }],
];
for (const [commandLine, expected] of flags) {
  test(`flags: ${commandLine}`, () => assert.partialDeepStrictEqual(flagsFrom(commandLine.split(' ')), expected));
}

for (const commandLine of ['--debunce 3', 'word', '--no-bucket', '--bucket']) {
  test(`no flags of ours: ${commandLine}`, () => assert.throws(() => flagsFrom(commandLine.split(' ')), BadOption));
}

test('without bundles it says how to build them', () => {
  assert.throws(
    () => indexerApp(indexerOptions({ bundles: outdir }), outdir),
    (error) => error instanceof BadOption && /build the functions first, npm run build/.test(error.message),
  );
});
