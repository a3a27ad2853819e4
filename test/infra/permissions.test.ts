/** The whole of what each role allows: a call that a step does not make, or makes elsewhere, fails here. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { IndexerFlags } from '../../infra/options.ts';
import { type Json, resource, resourcesOf, statementsOf, templateFor } from './synthesized.ts';

type Table = Readonly<Record<string, readonly string[]>>;

const bucket = 'arn:aws:s3:::packages';
const suffixes = ['.tgz', '.tbz', '.txz', '.tzst', '.tar'];
const packages = suffixes.map((suffix) => `${bucket}/*${suffix}`);
const aliases = suffixes.map((suffix) => `${bucket}/* *${suffix}`);
const keysOf = (files: readonly string[]) => files.flatMap((file) => [`${bucket}/${file}`, `${bucket}/*/${file}`]);
const confirmations = `${bucket}/*.indexer-state/*`;
const [indexKeys, wantedKeys, unwantedKeys] = [
  [`${bucket}/*pkg_summary*`, confirmations, `${bucket}/*index.html`],
  [...keysOf(['pkg_summary.gz', 'pkg_summary.zst']), `${bucket}/*index.html`],
  [...keysOf(['pkg_summary.xz', 'pkg_summary.bz2']), confirmations],
];
const logs = (step: string): Table => ({
  'logs:CreateLogStream': [`Pipeline${step}Logs.Arn`],
  'logs:PutLogEvents': [`Pipeline${step}Logs.Arn`],
});

const summarize: Table = {
  'dynamodb:DescribeStream': ['StorageRecords.StreamArn'],
  'dynamodb:GetRecords': ['StorageRecords.StreamArn'],
  'dynamodb:GetShardIterator': ['StorageRecords.StreamArn'],
  'dynamodb:ListStreams': ['StorageRecords.StreamArn'],
  'sqs:SendMessage': ['PipelineDeadChanges.Arn', 'PipelineHints.Arn'],
  'dynamodb:GetItem': ['StorageRecords.Arn', 'StorageRepositories.Arn'],
  'dynamodb:Query': ['StorageRecords.Arn'],
  'dynamodb:UpdateItem': ['StorageRecords.Arn', 'StorageRepositories.Arn'],
  's3:GetObject': indexKeys,
  's3:PutObject': wantedKeys,
  's3:DeleteObject': unwantedKeys,
  's3:ListBucket': [bucket],
  ...logs('Summarize'),
};

const extract: Table = {
  'sqs:ReceiveMessage': ['PipelineHints.Arn'],
  'sqs:DeleteMessage': ['PipelineHints.Arn'],
  'sqs:GetQueueAttributes': ['PipelineHints.Arn'],
  's3:GetObject': packages,
  's3:ListBucket': [bucket],
  'dynamodb:GetItem': ['StorageRecords.Arn', 'StorageRepositories.Arn'],
  'dynamodb:PutItem': ['StorageRecords.Arn'],
  'dynamodb:DeleteItem': ['StorageRecords.Arn'],
  'dynamodb:UpdateItem': ['StorageRecords.Arn', 'StorageRepositories.Arn'],
  ...logs('Extract'),
};

const reindex: Table = {
  's3:ListBucket': [bucket],
  's3:GetObject': aliases,
  'dynamodb:Query': ['StorageRecords.Arn'],
  'dynamodb:UpdateItem': ['StorageRecords.Arn'],
  'dynamodb:Scan': ['StorageRepositories.Arn'],
  'sqs:SendMessage': ['PipelineHints.Arn'],
  'lambda:InvokeFunction': ['arn:aws:lambda:eu-central-1:123456789012:function:pkgsrc-indexer-reindex'],
  ...logs('Reindex'),
};

const behindCdn: IndexerFlags = { bucket: 'packages' };
const prefixed: IndexerFlags = { ...behindCdn, prefix: ['SmartOS/All'] };
const under = (prefix: string, arns: readonly string[]) =>
  arns.map((arn) => (arn === confirmations ? arn : arn.replace(`${bucket}/`, `${bucket}/${prefix}/`)));

const rows: readonly (readonly [name: string, flags: IndexerFlags, step: string, allowed: Table])[] = [
  ['extract behind a CDN', behindCdn, 'Extract', extract],
  [
    'extract that keeps aliases',
    { ...behindCdn, cdn: false },
    'Extract',
    { ...extract, 's3:PutObject': aliases, 's3:DeleteObject': aliases },
  ],
  ['extract under a prefix', prefixed, 'Extract', { ...extract, 's3:GetObject': under('SmartOS/All', packages) }],
  ['extract of an existing bucket', { ...behindCdn, existing: true }, 'Extract', extract],
  ['summarize', behindCdn, 'Summarize', summarize],
  [
    'summarize under a prefix',
    prefixed,
    'Summarize',
    {
      ...summarize,
      's3:GetObject': under('SmartOS/All', indexKeys),
      's3:PutObject': under('SmartOS/All', wantedKeys),
      's3:DeleteObject': under('SmartOS/All', unwantedKeys),
    },
  ],
  [
    'summarize of one format',
    { ...behindCdn, formats: 'gz' },
    'Summarize',
    {
      ...summarize,
      's3:PutObject': [...keysOf(['pkg_summary.gz']), `${bucket}/*index.html`],
      's3:DeleteObject': [...keysOf(['pkg_summary.zst', 'pkg_summary.xz', 'pkg_summary.bz2']), confirmations],
    },
  ],
  [
    'summarize without a page',
    { ...behindCdn, page: false },
    'Summarize',
    {
      ...summarize,
      's3:GetObject': [`${bucket}/*pkg_summary*`, confirmations],
      's3:PutObject': keysOf(['pkg_summary.gz', 'pkg_summary.zst']),
    },
  ],
  [
    'summarize that tells a topic of publications',
    { ...behindCdn, publishTopic: true },
    'Summarize',
    { ...summarize, 'sns:Publish': ['PipelinePublications'] },
  ],
  ['extract beside a topic for publications', { ...behindCdn, publishTopic: true }, 'Extract', extract],
  ['reindex', behindCdn, 'Reindex', reindex],
];

function list(value: string | readonly string[]): readonly string[] {
  return [value].flat();
}

for (const [name, flags, step, allowed] of rows) {
  test(`the role of ${name}`, () => {
    const role = resource(templateFor(flags), 'AWS::IAM::Role', `Pipeline${step}Role`);
    const found: Record<string, readonly string[]> = {};
    for (const { Effect, Action, Resource } of statementsOf(role)) {
      assert.equal(Effect, 'Allow');
      for (const action of list(Action)) {
        found[action] = [...(found[action] ?? []), ...list(Resource)];
      }
    }
    assert.deepEqual(found, allowed);
  });
}

const kmsKey = 'arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab';
for (const [step, flags, actions] of [
  ['Extract', { cdn: true }, ['kms:Decrypt']],
  ['Extract', { cdn: false }, ['kms:Decrypt', 'kms:GenerateDataKey']],
  ['Summarize', { cdn: true }, ['kms:Decrypt', 'kms:GenerateDataKey']],
  ['Reindex', { cdn: true }, undefined],
] as const) {
  test(`the role of ${step} over a KMS key with ${JSON.stringify(flags)}`, () => {
    const role = resource(templateFor({ ...behindCdn, ...flags, kmsKey }), 'AWS::IAM::Role', `Pipeline${step}Role`);
    const [use, ...others] = statementsOf(role).filter(({ Action }) => JSON.stringify(Action).includes('kms:'));
    assert.deepEqual(others, []);
    if (actions === undefined) return assert.equal(use, undefined);
    assert.deepEqual([use?.Action].flat(), actions);
    assert.equal(use?.Resource, kmsKey);
    assert.deepEqual(use?.Condition, { StringEquals: { 'kms:ViaService': 's3.eu-central-1.amazonaws.com' } });
  });
}

test("what a role allows in the bucket, it allows only while the bucket is this account's", () => {
  for (const flags of [behindCdn, { ...behindCdn, existing: true, cdn: false }]) {
    for (const role of resourcesOf(templateFor(flags), 'AWS::IAM::Role').values()) {
      for (const { Sid, Resource, Condition } of statementsOf(role)) {
        const isOfBucket = list(Resource).some((arn) => arn.startsWith('arn:aws:s3:::'));
        const expected = isOfBucket ? { StringEquals: { 'aws:ResourceAccount': '123456789012' } } : undefined;
        assert.deepEqual(Condition, expected, Sid);
      }
    }
  }
});

test('a role is for Lambda, and has nothing but its own inline policy', () => {
  const template = templateFor(behindCdn);
  const roles = resourcesOf(template, 'AWS::IAM::Role');
  assert.deepEqual([...roles.keys()], ['PipelineExtractRole', 'PipelineSummarizeRole', 'PipelineReindexRole']);
  for (const { Properties } of roles.values()) {
    assert.deepEqual(Object.keys(Properties), ['AssumeRolePolicyDocument', 'Policies']);
    const { Statement: trust } = Properties.AssumeRolePolicyDocument as { Statement: Json };
    assert.deepEqual(trust, [
      { Action: 'sts:AssumeRole', Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' } },
    ]);
  }
  assert.equal(resourcesOf(template, 'AWS::IAM::Policy').size, 0);
});

test('no role may write or delete a package: what it may has a blank in its key, or is an index, its page, or a confirmation', () => {
  for (const flags of [behindCdn, { ...behindCdn, cdn: false }, prefixed]) {
    for (const role of resourcesOf(templateFor(flags), 'AWS::IAM::Role').values()) {
      for (const { Action, Resource } of statementsOf(role)) {
        if (!list(Action).some((action) => /^s3:(Put|Delete)/.test(action))) continue;
        for (const arn of list(Resource))
          assert.match(arn, / \*\.|\/pkg_summary\.(gz|zst|bz2|xz)$|\/\*index\.html$|\/\*\.indexer-state\/\*$/);
      }
    }
  }
});
