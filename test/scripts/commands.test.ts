/** The commands for a stack, without access to AWS: what works without it, and how they report that it is missing. */

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { stubBundles } from '../infra/synthesized.ts';
import { type Ran, runHere, withoutAws } from './command-process.ts';

let outdir: string;

before(async () => {
  outdir = await mkdtemp(join(tmpdir(), 'cdk-out-'));
});
after(() => rm(outdir, { recursive: true }));

const commands = ['deploy', 'destroy', 'reindex', 'redrive', 'smoke', 'status', 'explain'];

describe('--help', () => {
  for (const command of commands) {
    test(command, async () => {
      const { exitCode, stdout, stderr } = await runHere(command, ['--help']);
      assert.deepEqual([exitCode, stderr], [0, '']);
      assert.match(stdout, /^Usage: /);
      for (const option of ['--stack <name>', '--profile <name>', '--region <name>'])
        assert.ok(stdout.includes(option), option);
      assert.doesNotMatch(stdout, /default: \[\]/);
    });
  }
});

async function dryRun(...flags: readonly string[]): Promise<Ran> {
  return runHere('deploy', ['--dry-run', '--bundles', stubBundles, ...flags], { ...withoutAws, CDK_OUTDIR: outdir });
}

describe('deploy --dry-run, without credentials and without a network', () => {
  test('an existing bucket: resources, rules, the statement, and where the template is', async () => {
    const { exitCode, stdout, stderr } = await dryRun('--bucket', 'packages', '--existing', '--prefix', 'SmartOS/All');
    assert.deepEqual([exitCode, stderr], [0, '']);
    assert.match(stdout, /^Dry run: nothing was changed/);
    assert.match(stdout, /pkgsrc-indexer-code-ACCOUNT-REGION/);
    assert.match(stdout, /3 {2}AWS::Lambda::Function/);
    assert.match(stdout, /pkgsrc-indexer\.1 → .*s3:ObjectCreated:\*, .*keys SmartOS\/All\/\*\.tgz/);
    assert.match(stdout, /CloudFront may read/);
    const template = /^Template: (.*)$/m.exec(stdout)?.[1] ?? '';
    const { Resources: resources } = JSON.parse(await readFile(template, 'utf8'));
    assert.match(JSON.stringify(resources), /"Fn::Sub":"pkgsrc-indexer-code-/);
    assert.ok(Object.values<{ Type: string }>(resources).every(({ Type: type }) => type !== 'AWS::S3::Bucket'));
  });

  test('a new bucket has its rules in the template', async () => {
    const { exitCode, stdout } = await dryRun('--no-cdn', '--stack', 'mine', '--asset-bucket', 'code');
    assert.equal(exitCode, 0);
    assert.match(await readFile(join(outdir, 'mine.template.json'), 'utf8'), /"S3Bucket": "code"/);
    assert.match(stdout, /the stack contains the new bucket mine-ACCOUNT-REGION with its notification rules/);
    assert.match(stdout, /1 {2}AWS::S3::Bucket/);
    assert.doesNotMatch(stdout, /CloudFront/);
  });
});

describe('invalid usage is reported in one line, with exit code 2', () => {
  const cases: readonly (readonly [command: string, args: readonly string[], expected: RegExp])[] = [
    ['deploy', ['--debounce', 'soon'], /^pkgsrc-indexer: --debounce soon: expected whole seconds/],
    ['deploy', ['--debunce', '3'], /unknown option '--debunce'/],
    [
      'deploy',
      ['--bundles', '/nonexistent'],
      /^pkgsrc-indexer: \/nonexistent has no extract.*build the functions first/,
    ],
    ['deploy', ['--arch', 'x86 64'], /^pkgsrc-indexer: --arch "x86 64": expected a MACHINE_ARCH or its beginning/],
    [
      'index',
      ['.', '--arch', ''],
      /'--arch <prefix>' argument '' is invalid. Expected a MACHINE_ARCH or its beginning/,
    ],
    ['serve', ['.', ...Array(17).fill('--arch=x')], /'--arch <prefix>' argument 'x' is invalid. Expected at most 16/],
    ['serve', ['.', '--operations-token', 'x'], /--operations-token protects nothing: it needs --operations token/],
    ['serve', ['.', '--metrics', 'off', '--metrics-token', 'x'], /--metrics-token protects nothing/],
    ['serve', ['.', '--health', 'token'], /--health token needs --health-token TOKEN/],
    ['watch', ['.', '--webhook-secret', ''], /Expected a secret, found nothing/],
    ['watch', ['.', '--webhook', 'http://user:secret@127.0.0.1/'], /Expected a URL without a user and a password/],
    ['destroy', [], /required option '--stack <name>' not specified/],
    ['reindex', [], /required option '--stack <name>' not specified/],
    ['redrive', [], /required option '--stack <name>' not specified/],
    ['deploy', ['--kms-key', 'alias/x'], /^pkgsrc-indexer: --kms-key alias\/x: expected the ARN of a key/],
    ['status', [], /^pkgsrc-indexer: expected either a directory or --stack NAME/],
    ['status', ['.', '--stack', 's'], /^pkgsrc-indexer: expected either a directory or --stack NAME/],
    ['smoke', ['--stack', 's', '--timeout', '3601'], /Expected 1 to 3600 seconds/],
  ];
  for (const [command, args, expected] of cases) {
    test(`${command} ${args.join(' ')}`, async () => {
      const { exitCode, stdout, stderr } = await runHere(command, args);
      assert.deepEqual([exitCode, stdout], [2, '']);
      assert.match(stderr, expected);
      assert.doesNotMatch(stderr, /\n {4}at /);
    });
  }
});

describe('a failure is reported in one line, with exit code 3', () => {
  const somewhere = { ...withoutAws, AWS_REGION: 'eu-central-1' };
  const withCredentials = {
    ...somewhere,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_MAX_ATTEMPTS: '1',
  };
  const asDeployed = ['--yes', '--bundles', stubBundles];
  const cases: readonly (readonly [
    command: string,
    args: readonly string[],
    environment: Record<string, string>,
    expected: RegExp,
  ])[] = [
    ['reindex', ['--stack', 's'], withoutAws, /^pkgsrc-indexer: expected a region, found none: use --region/],
    ['reindex', ['--stack', 's'], somewhere, /^pkgsrc-indexer: no AWS credentials: .*Use --profile/],
    ['smoke', ['--stack', 's', '--profile', 'nobody'], somewhere, /^pkgsrc-indexer: no AWS credentials: /],
    ['status', ['--stack', 's'], withCredentials, /^pkgsrc-indexer: cannot reach AWS: .*127\.0\.0\.1:1/],
    ['explain', ['All/x.tgz', '--stack', 's'], somewhere, /^pkgsrc-indexer: no AWS credentials/],
    [
      'destroy',
      ['--stack', 's'],
      withCredentials,
      /^pkgsrc-indexer: this command asks for confirmation, and there is no terminal: use --yes/,
    ],
    ['deploy', asDeployed, somewhere, /^pkgsrc-indexer: no AWS credentials/],
  ];
  for (const [command, args, environment, expected] of cases) {
    test(`${command} ${args.map((arg) => (arg === stubBundles ? 'BUNDLES' : arg)).join(' ')}`, async () => {
      const { exitCode, stderr } = await runHere(command, args, {
        ...environment,
        CDK_OUTDIR: join(outdir, 'deployed'),
      });
      assert.match(stderr, expected);
      assert.doesNotMatch(stderr, /\n {4}at /);
      assert.equal(exitCode, 3);
    });
  }
});
