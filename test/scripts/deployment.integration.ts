/** The commands for a stack, as processes, against stand-ins: a deployment's whole life. */

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import dynalite from 'dynalite';
import { DynamoDbRecords } from '../../functions/adapters/aws/dynamodb-records.ts';
import { encodeHint } from '../../functions/events.ts';
import { stubBundles } from '../infra/synthesized.ts';
import { compareWithRole } from '../pipeline/iam-calls.ts';
import { deployerCall, deployerStatements } from './aws/deployer-calls.ts';
import { account, etagOf, queueArn, region, StandInAws } from './aws/stand-in-aws.ts';
import { type Ran, run } from './command-process.ts';

const credentials = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', AWS_EC2_METADATA_DISABLED: 'true' };
const codeBucket = `pkgsrc-indexer-code-${account}-${region}`;

/** Its parts in the order in which the SDK writes them. */
const theirRule =
  '<QueueConfiguration><Queue>arn:aws:sqs:eu-central-1:123456789012:audit</Queue><Event>s3:ObjectTagging:*</Event><Id>audit</Id></QueueConfiguration>';
const theirPolicy = JSON.stringify({ Version: '2012-10-17', Statement: [{ Sid: 'TheirOwn', Effect: 'Deny' }] });

let outdir: string;
let aws: StandInAws;
let endpoint: string;

before(async () => {
  outdir = await mkdtemp(join(tmpdir(), 'cdk-out-'));
});
after(() => rm(outdir, { recursive: true }));
beforeEach(async () => {
  aws = new StandInAws();
  endpoint = await aws.start();
});
afterEach(async () => {
  await aws.stop();
  // Whatever the commands asked, the policy of the deployer allows.
  const names = { ACCOUNT: account, REGION: region, STACK: 'pkgsrc-indexer' };
  const calls = aws.requests.flatMap((request) => deployerCall(request, { account, region }) ?? []);
  const buckets = [...aws.buckets.keys()].filter((name) => name !== codeBucket);
  const statements = ['packages', ...buckets].flatMap((bucket) => deployerStatements({ ...names, BUCKET: bucket }));
  const ofThisStack = calls.filter(({ resource }) => !/nope|:stack\/mine/.test(resource));
  assert.deepEqual(compareWithRole(statements, ofThisStack).forbidden, []);
});

function command(script: string, args: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<Ran> {
  const environment = { ...credentials, AWS_ENDPOINT_URL: endpoint, AWS_REGION: region, CDK_OUTDIR: outdir, ...more };
  return run(script, args, environment);
}

function deploy(...flags: readonly string[]): Promise<Ran> {
  return command('deploy', ['--yes', '--bundles', stubBundles, ...flags]);
}

async function expectSuccess(running: Promise<Ran>): Promise<string> {
  const { exitCode, stdout, stderr } = await running;
  assert.deepEqual([exitCode, stderr], [0, ''], stdout);
  return stdout;
}

async function expectFailure(running: Promise<Ran>, expected: RegExp): Promise<Ran> {
  const ran = await running;
  assert.match(ran.stderr, expected);
  assert.doesNotMatch(ran.stderr, /\n {4}at /);
  assert.equal(ran.exitCode, 3);
  return ran;
}

function statusOf(stack: string): string | undefined {
  return aws.stacks.get(stack)?.status;
}

describe('an existing bucket', () => {
  const existing = ['--bucket', 'packages', '--existing'];

  it('is adopted, asked again without a change, changed, and left as it was', async () => {
    const bucket = aws.bucket('packages');
    bucket.notifications = theirRule;
    bucket.policy = theirPolicy;

    const first = await expectSuccess(deploy(...existing, '--prefix', 'SmartOS/All'));
    assert.match(first, /^Account 123456789012 as arn:aws:iam::123456789012:user\/deployer, region eu-central-1$/m);
    assert.match(first, /^ {2}\+ AWS::Lambda::Function PipelineExtractFunction/m);
    assert.match(first, /^ {2}\d\d:\d\d:\d\d {2}CREATE_COMPLETE /m);
    assert.match(first, /^reindex: 2 packages in 1 repository, 2 hints sent$/m);
    assert.match(first, new RegExp(`^  ${endpoint}/packages/SmartOS/All$`, 'm'));
    assert.equal(statusOf('pkgsrc-indexer'), 'CREATE_COMPLETE');
    assert.ok(bucket.notifications.startsWith(theirRule));
    assert.match(bucket.notifications, /<Id>pkgsrc-indexer\.5<\/Id>/);
    assert.match(bucket.notifications, /<Value>SmartOS\/All\/<\/Value>/);
    assert.deepEqual(
      JSON.parse(bucket.policy).Statement.map(({ Sid: sid }: { Sid: string }) => sid),
      ['TheirOwn', 'CloudFrontReadspkgsrcindexer'],
    );
    assert.equal(aws.buckets.get(codeBucket)?.objects.size, 3);
    assert.ok(aws.requests.length > 20, 'requests to compare with the policy of the deployer');
    assert.deepEqual(aws.invocations, [{}]);
    const notFound = bucket.objects.get('SmartOS/All/pkgsrc-indexer-404.txt');
    assert.match(notFound?.toString() ?? '', /^Not found: .*\n$/);

    const { notifications, policy } = bucket;
    const second = await expectSuccess(deploy(...existing, '--prefix', 'SmartOS/All'));
    assert.match(second, /is already up to date/);
    assert.deepEqual([bucket.notifications, bucket.policy, aws.invocations.length], [notifications, policy, 1]);

    const third = await expectSuccess(deploy(...existing, '--no-cdn'));
    assert.match(third, /^ {2}- AWS::CloudFront::Distribution /m);
    assert.equal(statusOf('pkgsrc-indexer'), 'UPDATE_COMPLETE');
    assert.deepEqual(JSON.parse(bucket.policy), JSON.parse(theirPolicy));
    assert.doesNotMatch(bucket.notifications, /SmartOS/);
    assert.equal(bucket.objects.size, 0, 'without CloudFront nobody reads the answer for missing keys');
    assert.equal(aws.invocations.length, 2);

    const last = await expectSuccess(command('destroy', ['--stack', 'pkgsrc-indexer', '--yes']));
    assert.match(last, /removed 5 notification rules/);
    assert.match(last, /deploy --bucket packages --existing/);
    assert.equal(statusOf('pkgsrc-indexer'), undefined);
    assert.equal(bucket.notifications, theirRule);
    assert.ok(aws.asked.every((asked) => !/^DELETE \/packages\/?$/.test(asked)));
    assert.ok(
      aws.asked.lastIndexOf('PUT /packages/?notification') < aws.asked.indexOf('DeleteStack'),
      'the rules go before the queue does',
    );
  });

  it('with a rule in the way is refused before anything is made', async () => {
    aws.bucket('packages').notifications =
      '<CloudFunctionConfiguration><Id>thumbs</Id><CloudFunction>arn:thumbs</CloudFunction><Event>s3:ObjectCreated:Put</Event></CloudFunctionConfiguration>';
    await expectFailure(
      deploy(...existing),
      /existing +thumbs → arn:thumbs: s3:ObjectCreated:Put, keys \*\n +ours +pkgsrc-indexer\.1/,
    );
    assert.deepEqual([aws.stacks.size, aws.buckets.size], [0, 1]);
  });

  it('keeps none of our objects after the stack is destroyed', async () => {
    const bucket = aws.bucket('packages');
    bucket.objects.set('All/x-1.0.tgz', Buffer.from('x'));
    await expectSuccess(deploy(...existing));
    assert.deepEqual([...bucket.objects.keys()], ['All/x-1.0.tgz', 'pkgsrc-indexer-404.txt']);
    await expectSuccess(command('destroy', ['--stack', 'pkgsrc-indexer', '--yes']));
    assert.deepEqual([...bucket.objects.keys()], ['All/x-1.0.tgz']);
  });

  it("shows pkgin's URL: a prefix is a repository, or has repositories below it", async () => {
    const { objects } = aws.bucket('packages');
    objects.set('packages/SmartOS/x-1.0.tgz', Buffer.from('x'));
    const here = await expectSuccess(deploy(...existing, '--prefix', 'packages/SmartOS'));
    assert.match(here, new RegExp(`^  ${endpoint}/packages/packages/SmartOS$`, 'm'));
    objects.clear();
    const below = await expectSuccess(deploy(...existing, '--prefix', 'packages/SmartOS'));
    assert.match(below, new RegExp(`^  ${endpoint}/packages/packages/SmartOS/DIRECTORY-OF-YOUR-PACKAGES$`, 'm'));
  });

  it('with a KMS key: says what its policy needs', async () => {
    aws.bucket('packages');
    const kmsKey = `arn:aws:kms:${region}:${account}:key/1234abcd-12ab`;
    const said = await expectSuccess(deploy(...existing, '--kms-key', kmsKey));
    assert.match(
      said,
      /CloudFront cannot decrypt the packages until the policy of the KMS key has this statement:\n {2}pkgsrc/,
    );
  });

  it('with prefixes that make a role too large is refused before anything is asked', async () => {
    const prefixes = Array.from({ length: 20 }, (_, index) => ['--prefix', `packages/SmartOS/20${index}Q4/x86_64/All`]);
    const { exitCode, stderr } = await deploy(...existing, '--no-cdn', ...prefixes.flat());
    assert.equal(exitCode, 2);
    assert.match(stderr, /the role PipelineExtractRole.* would have .* IAM allows 10240/);
    assert.deepEqual(aws.requests, []);
  });

  it('that is not there is told', async () => {
    await expectFailure(deploy(...existing), /there is no bucket called packages: omit --existing/);
  });
});

describe('a new bucket', () => {
  it('is made by the stack, and outlives it without its rules', async () => {
    await expectSuccess(deploy('--bucket', 'fresh', '--no-cdn'));
    const bucket = aws.bucket('fresh');
    bucket.objects.set('All/x-1.0.tgz', Buffer.from('x'));
    // As CloudFormation writes rules: without a name of ours.
    const rule = `<QueueConfiguration><Id>ZjE0</Id><Queue>${queueArn('pkgsrc-indexer')}</Queue><Event>s3:ObjectCreated:*</Event></QueueConfiguration>`;
    bucket.notifications = `${theirRule}${rule}`;
    await expectSuccess(deploy('--bucket', 'fresh', '--no-cdn'));
    const said = await expectSuccess(command('destroy', ['--stack', 'pkgsrc-indexer', '--yes']));
    assert.match(said, /removed 1 notification rule/);
    assert.deepEqual([bucket.notifications, bucket.objects.size], [theirRule, 1]);
  });

  it('is not made over one that is there', async () => {
    aws.bucket('packages');
    await expectFailure(deploy('--bucket', 'packages'), /the bucket packages exists: add --existing/);
  });

  it('is not exchanged for another under the same stack', async () => {
    await expectSuccess(deploy('--bucket', 'fresh', '--no-cdn'));
    await expectFailure(deploy('--bucket', 'other', '--no-cdn'), /the stack pkgsrc-indexer has the bucket fresh/);
  });
});

describe('a stack', () => {
  it('that cannot be made is told with what failed first, and the next attempt clears it away', async () => {
    aws.failing = 'PipelineHints';
    const { stderr } = await expectFailure(
      deploy('--no-cdn', '--bucket', 'fresh'),
      /could not be created \(ROLLBACK_COMPLETE\)/,
    );
    assert.match(stderr, /PipelineHints: a reason of its own/);
    assert.doesNotMatch(stderr, /cancelled/);
    aws.failing = undefined;
    const said = await expectSuccess(deploy('--no-cdn', '--bucket', 'fresh'));
    assert.match(said, /An earlier attempt to create pkgsrc-indexer failed/);
    assert.equal(statusOf('pkgsrc-indexer'), 'CREATE_COMPLETE');
  });

  it('that is being worked on is left alone', async () => {
    await expectSuccess(deploy('--no-cdn', '--bucket', 'fresh'));
    const stack = aws.stacks.get('pkgsrc-indexer');
    if (stack !== undefined) stack.status = 'UPDATE_IN_PROGRESS';
    await expectFailure(deploy('--no-cdn', '--bucket', 'fresh'), /is busy \(UPDATE_IN_PROGRESS\)/);
  });

  it('whose template is too large for a request has it fetched from the bucket of the code', async () => {
    const prefixes = ['a', 'b', 'c', 'd', 'e', 'f'].flatMap((prefix) => ['--prefix', `${prefix}/packages/All`]);
    await expectSuccess(deploy('--bucket', 'fresh', ...prefixes));
    assert.equal(aws.buckets.get(codeBucket)?.objects.size, 4);
  });

  it('that is not there is told by every command', async () => {
    for (const script of ['reindex', 'redrive', 'smoke', 'status', 'explain All/x.tgz']) {
      await expectFailure(command(script, ['--stack', 'nope']), /there is no stack called nope in eu-central-1/);
    }
    await expectFailure(command('destroy', ['--stack', 'nope', '--yes']), /there is no stack called nope/);
  });

  it('whose reindex fails says why', async () => {
    await expectSuccess(deploy('--no-cdn', '--bucket', 'fresh'));
    aws.reindexAnswer = { failure: 'Unhandled', body: { errorMessage: 'no such bucket' } };
    await expectFailure(command('reindex', ['--stack', 'pkgsrc-indexer']), /the reindex failed: no such bucket/);
  });
});

describe('with packages', () => {
  let server: Server;
  let dynamoDb: string;
  let client: DynamoDBClient;

  before(async () => {
    server = dynalite({ createTableMs: 0 });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    assert.ok(address !== null && typeof address === 'object');
    dynamoDb = `http://127.0.0.1:${address.port}`;
    client = new DynamoDBClient({
      endpoint: dynamoDb,
      region,
      credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    });
    await createTable('pkgsrc-indexer-recordstable', ['repository', 'file']);
    await createTable('pkgsrc-indexer-repositoriestable', ['repository']);
  });
  after(async () => {
    client.destroy();
    await new Promise((resolve) => server.close(resolve));
  });

  async function createTable(name: string, keys: readonly string[]): Promise<void> {
    await client.send(
      new CreateTableCommand({
        TableName: name,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: keys.map((key) => ({ AttributeName: key, AttributeType: 'S' })),
        KeySchema: keys.map((key, index) => ({ AttributeName: key, KeyType: index === 0 ? 'HASH' : 'RANGE' })),
      }),
    );
  }

  it('status and explain tell of each what the table and the bucket say', async () => {
    await expectSuccess(deploy('--no-cdn', '--bucket', 'fresh'));
    const { objects } = aws.bucket('fresh');
    const body = Buffer.from('x');
    for (const file of ['good-1.0.tgz', 'bad-1.0.tgz', 'new-1.0.tgz', 'c++-1.0.tgz', 'c  -1.0.tgz'])
      objects.set(`All/${file}`, body);
    const records = new DynamoDbRecords(client, {
      recordsTable: 'pkgsrc-indexer-recordstable',
      repositoriesTable: 'pkgsrc-indexer-repositoriestable',
    });
    const facts = {
      repository: 'All',
      etag: etagOf(body).replaceAll('"', ''),
      size: 1,
      lastModified: new Date(0),
      indexedAt: new Date(0),
      rules: '',
    };
    const record = Buffer.from('PKGNAME=good-1.0\n\n');
    await records.putRow({ ...facts, file: 'good-1.0.tgz', state: 'indexed', record, warnings: [] });
    await records.putRow({ ...facts, file: 'c++-1.0.tgz', state: 'indexed', record, warnings: [] });
    await records.putRow({
      ...facts,
      file: 'bad-1.0.tgz',
      state: 'rejected',
      reason: { code: 'truncated', message: 'cut' },
    });
    await records.markAdopted('All');
    aws.queueDepth = 3;

    const environment = { AWS_ENDPOINT_URL_DYNAMODB: dynamoDb };
    const status = await command('status', ['--stack', 'pkgsrc-indexer'], environment);
    assert.equal(status.exitCode, 1, status.stderr);
    assert.match(status.stdout, /^pkgsrc-indexer, served at http/);
    assert.match(status.stdout, /3 hints waiting/);
    // The copy for the + is not a package that waits.
    assert.match(status.stdout, /\nAll +2 +2 B +1 +1 +2 +1 +never\n/);
    assert.match(status.stdout, /All\/bad-1\.0\.tgz +truncated +cut/);
    assert.match(status.stdout, /\nPENDING\nAll\/new-1\.0\.tgz\n/);
    assert.match(status.stdout, /For the findings, run pkgsrc-indexer check --stack pkgsrc-indexer\./);

    const checked = await command('check', ['--stack', 'pkgsrc-indexer'], environment);
    assert.equal(checked.exitCode, 1, checked.stderr);
    assert.match(checked.stdout, /\ngood-1\.0 +c\+\+-1\.0\.tgz, good-1\.0\.tgz\n.*: 1 finding\n$/s);

    const asJson = await command('status', ['--stack', 'pkgsrc-indexer', '--json'], environment);
    const { stack, queues, repositories } = JSON.parse(asJson.stdout);
    assert.deepEqual([stack, queues.waiting, repositories.length], ['pkgsrc-indexer', 3, 1]);

    const explanations: readonly (readonly [file: string, exitCode: number, expected: RegExp])[] = [
      ['good-1.0.tgz', 0, /: indexed\nIt is in the index of All as good-1\.0/],
      ['bad-1.0.tgz', 1, /: rejected\n.*\n +truncated: cut/],
      ['new-1.0.tgz', 0, /: pending\nIt has not been read yet\. .*pkgsrc-indexer reindex --stack/],
      ['none-1.0.tgz', 0, /: absent/],
    ];
    for (const [file, exitCode, expected] of explanations) {
      const explained = await command('explain', [`All/${file}`, '--stack', 'pkgsrc-indexer'], environment);
      assert.match(explained.stdout, expected);
      assert.equal(explained.exitCode, exitCode);
    }

    aws.messages = [encodeHint({ key: 'All/new-1.0.tgz' })];
    const dead = await command('explain', ['All/new-1.0.tgz', '--stack', 'pkgsrc-indexer'], environment);
    assert.match(dead.stdout, /its hint is in the dead-letter queue.*pkgsrc-indexer redrive --stack pkgsrc-indexer/);

    aws.queueDepth = 0;
    const waiting = command('reindex', ['--stack', 'pkgsrc-indexer', '--force', '--wait'], environment);
    const { stdout } = await expectFailure(waiting, /some packages have not been read yet: pkgsrc-indexer status/);
    assert.match(stdout, /^2 packages in 1 repository, 2 hints sent\n2 packages indexed, 1 rejected, 1 pending$/m);
    assert.deepEqual(aws.invocations.at(-1), { force: true });
  });

  it('smoke says at which stage it ended where nobody indexes, and clears away', async () => {
    await expectSuccess(deploy('--no-cdn', '--bucket', 'fresh'));
    const environment = { AWS_ENDPOINT_URL_DYNAMODB: dynamoDb };
    const smoking = command('smoke', ['--stack', 'pkgsrc-indexer', '--timeout', '1'], environment);
    const { stdout } = await expectFailure(
      smoking,
      /^pkgsrc-indexer: not in the table after 1 s: found no row\. Queue: 0 waiting.*files were removed/,
    );
    assert.match(stdout, /uploaded/);
    assert.equal(aws.bucket('fresh').objects.size, 0);
  });

  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    it(`smoke clears away after ${signal}`, async () => {
      await expectSuccess(deploy('--no-cdn', '--bucket', 'fresh'));
      const environment = {
        ...credentials,
        AWS_ENDPOINT_URL: endpoint,
        AWS_REGION: region,
        AWS_ENDPOINT_URL_DYNAMODB: dynamoDb,
      };
      const ran = await run('smoke', ['--stack', 'pkgsrc-indexer'], environment, (child, stdout) => {
        if (!/uploaded/.test(stdout)) return;
        assert.equal(aws.bucket('fresh').objects.size, 1);
        child.kill(signal);
      });
      assert.match(ran.stderr, /interrupted.*files were removed/);
      assert.deepEqual([ran.exitCode, aws.bucket('fresh').objects.size], [3, 0]);
    });
  }
});
