/** Every arrow of the picture in docs/architecture.md: what starts what, and nothing else does. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { packageSuffixes } from '../../functions/keys.ts';
import { deploymentLimits } from '../../infra/limits.ts';
import { type Json, resource, resourcesOf, templateFor } from './synthesized.ts';

const template = templateFor({});
const of = (type: string, name: string) => resource(template, type, name).Properties;
const mapping = (name: string, from = template) => resource(from, 'AWS::Lambda::EventSourceMapping', name).Properties;

/** The rules as (event, prefix, suffix, queue), which is how S3 compares them. */
function notificationRules(properties: { readonly [name: string]: Json }): readonly string[] {
  const { QueueConfigurations, ...others } = properties.NotificationConfiguration as { [name: string]: Json };
  assert.deepEqual(others, {}, 'the bucket tells the queue and nobody else');
  return (QueueConfigurations as { Event: string; Queue: string; Filter: { S3Key: { Rules: Json[] } } }[]).map(
    ({ Event, Queue, Filter }) =>
      [Event, ...(Filter.S3Key.Rules as { Name: string; Value: string }[]).map((rule) => rule.Value), Queue].join(' '),
  );
}

test('bucket ─▶ hints: created, removed and expired, for every suffix of packages', () => {
  const expected = ['s3:ObjectCreated:*', 's3:ObjectRemoved:*', 's3:LifecycleExpiration:*'].flatMap((event) =>
    packageSuffixes.map((suffix) => `${event} ${suffix} PipelineHints.Arn`),
  );
  assert.deepEqual(notificationRules(of('AWS::S3::Bucket', 'StorageBucket')), expected);
});

test('bucket ─▶ hints: under the prefixes only, where there are some', () => {
  const prefixed = templateFor({ prefix: ['packages/All', 'NetBSD'], cdn: false });
  const rules = notificationRules(resource(prefixed, 'AWS::S3::Bucket', 'StorageBucket').Properties);
  assert.equal(rules.length, 2 * 3 * packageSuffixes.length);
  assert.equal(rules.filter((rule) => / (packages\/All|NetBSD)\/ \./.test(rule)).length, rules.length);
});

test('bucket ─▶ hints: the queue lets this bucket in, of this account, and does so before the bucket is told', () => {
  const { PolicyDocument, Queues } = of('AWS::SQS::QueuePolicy', 'PipelineHintsPolicy');
  assert.deepEqual(Queues, ['PipelineHints']);
  const bucket = 'pkgsrc-indexer-123456789012-eu-central-1';
  assert.equal(of('AWS::S3::Bucket', 'StorageBucket').BucketName, bucket);
  assert.deepEqual((PolicyDocument as { Statement: Json[] }).Statement.slice(1), [
    {
      Sid: 'BucketSendsHints',
      Effect: 'Allow',
      Principal: { Service: 's3.amazonaws.com' },
      Action: 'sqs:SendMessage',
      Resource: 'PipelineHints.Arn',
      Condition: {
        ArnEquals: { 'aws:SourceArn': `arn:aws:s3:::${bucket}` },
        StringEquals: { 'aws:SourceAccount': '123456789012' },
      },
    },
  ]);
  const { DependsOn } = resource(template, 'AWS::S3::Bucket', 'StorageBucket');
  assert.ok(DependsOn?.some((id) => id.startsWith('PipelineHintsPolicy')));
});

test('bucket ─▶ hints: an existing bucket is let in, and otherwise left alone', () => {
  const existing = templateFor({ bucket: 'packages', existing: true });
  const policy = JSON.stringify(resource(existing, 'AWS::SQS::QueuePolicy', 'PipelineHintsPolicy').Properties);
  assert.match(policy, /"aws:SourceArn":"arn:aws:s3:::packages"/);
  assert.equal(resourcesOf(existing, 'AWS::S3::Bucket').size, 0);
  assert.equal(resourcesOf(existing, 'AWS::S3::BucketPolicy').size, 0);
});

test('hints ─▶ dead hints, after as many deliveries as Lambda advises', () => {
  const { RedrivePolicy, VisibilityTimeout } = of('AWS::SQS::Queue', 'PipelineHints');
  assert.deepEqual(RedrivePolicy, { deadLetterTargetArn: 'PipelineDeadHints.Arn', maxReceiveCount: 5 });
  assert.equal(of('AWS::SQS::Queue', 'PipelineDeadHints').MessageRetentionPeriod, 14 * 24 * 3600);
  const { Timeout } = of('AWS::Lambda::Function', 'PipelineExtractFunction');
  assert.ok(Number(VisibilityTimeout) >= 6 * Number(Timeout) + deploymentLimits.hintBatchWindowSeconds);
});

test('hints ─▶ extract, in batches of which only the failed part returns', () => {
  const { MaximumBatchingWindowInSeconds, BatchSize, ...properties } = mapping('PipelineHintsWakeExtract');
  assert.ok(Number(BatchSize) <= 10 || Number(MaximumBatchingWindowInSeconds) >= 1);
  assert.deepEqual(properties, {
    EventSourceArn: 'PipelineHints.Arn',
    FunctionName: 'PipelineExtractFunction',
    FunctionResponseTypes: ['ReportBatchItemFailures'],
    ScalingConfig: { MaximumConcurrency: deploymentLimits.extractConcurrentMax },
  });
  assert.ok(deploymentLimits.extractConcurrentMax >= 2, 'Lambda takes no less');
});

test('extract ─▶ records: its timeout leaves a slow package time to be reported', () => {
  assert.equal(of('AWS::Lambda::Function', 'PipelineExtractFunction').Timeout, deploymentLimits.extractTimeoutSeconds);
  assert.deepEqual(of('AWS::DynamoDB::Table', 'StorageRecords').KeySchema, [
    { AttributeName: 'repository', KeyType: 'HASH' },
    { AttributeName: 'file', KeyType: 'RANGE' },
  ]);
});

test('records ─▶ summarize: keys only, the window is the debounce, and a bad batch cannot block its shard', () => {
  assert.deepEqual(of('AWS::DynamoDB::Table', 'StorageRecords').StreamSpecification, { StreamViewType: 'KEYS_ONLY' });
  assert.deepEqual(mapping('PipelineChangesWakeSummarize'), {
    EventSourceArn: 'StorageRecords.StreamArn',
    FunctionName: 'PipelineSummarizeFunction',
    StartingPosition: 'TRIM_HORIZON',
    BatchSize: 10_000,
    MaximumBatchingWindowInSeconds: 10,
    FunctionResponseTypes: ['ReportBatchItemFailures'],
    BisectBatchOnFunctionError: true,
    MaximumRetryAttempts: deploymentLimits.changeTriesMax,
    MaximumRecordAgeInSeconds: deploymentLimits.changeAgeSecondsMax,
    ParallelizationFactor: 1,
    DestinationConfig: { OnFailure: { Destination: 'PipelineDeadChanges.Arn' } },
  });
});

for (const [debounce, hintWindow, changeWindow, changeBatch] of [
  ['0', 0, 0, 100],
  ['1', 1, 1, 10_000],
  ['300', 1, 300, 10_000],
] as const) {
  test(`a debounce of ${debounce} s`, () => {
    const debounced = templateFor({ debounce });
    assert.equal(mapping('PipelineHintsWakeExtract', debounced).MaximumBatchingWindowInSeconds, hintWindow);
    const changes = mapping('PipelineChangesWakeSummarize', debounced);
    assert.equal(changes.MaximumBatchingWindowInSeconds, changeWindow);
    assert.equal(changes.BatchSize, changeBatch);
  });
}

test('repositories ─▶ nobody: summarize writes them, and must not wake itself', () => {
  const { StreamSpecification, KeySchema } = of('AWS::DynamoDB::Table', 'StorageRepositories');
  assert.equal(StreamSpecification, undefined);
  assert.deepEqual(KeySchema, [{ AttributeName: 'repository', KeyType: 'HASH' }]);
});

test('every day ─▶ reindex, with an empty order', () => {
  assert.deepEqual(of('AWS::Events::Rule', 'PipelineEveryDayWakesReindex'), {
    Description: 'Repairs what lost events left behind',
    ScheduleExpression: 'rate(1 day)',
    State: 'ENABLED',
    Targets: [{ Arn: 'PipelineReindexFunction.Arn', Id: 'Target0', Input: '{}' }],
  });
});

test('there is no other way to wake a step', () => {
  assert.equal(resourcesOf(template, 'AWS::Lambda::EventSourceMapping').size, 2);
  assert.equal(resourcesOf(template, 'AWS::Events::Rule').size, 1);
  const permissions = [...resourcesOf(template, 'AWS::Lambda::Permission').values()].map((one) => one.Properties);
  assert.deepEqual(permissions, [
    {
      Action: 'lambda:InvokeFunction',
      FunctionName: 'PipelineReindexFunction.Arn',
      Principal: 'events.amazonaws.com',
      SourceArn: 'PipelineEveryDayWakesReindex.Arn',
    },
  ]);
});

for (const step of ['Extract', 'Summarize', 'Reindex']) {
  test(`${step} runs its own bundle on Node 24`, () => {
    const properties = of('AWS::Lambda::Function', `Pipeline${step}Function`);
    const { Runtime, Architectures, Handler, FunctionName } = properties;
    assert.deepEqual(
      { Runtime, Architectures, Handler, FunctionName },
      {
        Runtime: 'nodejs24.x',
        Architectures: ['arm64'],
        Handler: 'index.handler',
        FunctionName: `pkgsrc-indexer-${step.toLowerCase()}`,
      },
    );
    const codes = [...resourcesOf(template, 'AWS::Lambda::Function').values()].map((one) => one.Properties.Code);
    assert.equal(codes.filter((code) => JSON.stringify(code) === JSON.stringify(properties.Code)).length, 1);
  });

  test(`${step} is told its places, and no endpoint`, () => {
    const { Environment } = resource(
      templateFor({ prefix: ['packages/All', 'NetBSD'], arch: ['x86_64', 'aarch64'], cdn: false }),
      'AWS::Lambda::Function',
      `Pipeline${step}Function`,
    ).Properties;
    assert.deepEqual(Environment, {
      Variables: {
        BUCKET: 'pkgsrc-indexer-123456789012-eu-central-1',
        RECORDS_TABLE: 'StorageRecords',
        REPOSITORIES_TABLE: 'StorageRepositories',
        QUEUE_URL: 'PipelineHints',
        FORMATS: 'gz,zst',
        PAGE: 'on',
        PREFIXES: '["NetBSD","packages/All"]',
        ARCHITECTURES: '["aarch64","x86_64"]',
        MAX_SHRINK: '',
        TRUST: 'off',
        PLUS_ALIASES: 'on',
        NODE_OPTIONS: '--enable-source-maps',
        POWERTOOLS_SERVICE_NAME: 'pkgsrc-indexer',
        POWERTOOLS_METRICS_NAMESPACE: 'PkgsrcIndexer',
      },
    });
  });
}

test('summarize is told where no page is wanted', () => {
  const { Environment } = resource(
    templateFor({ page: false }),
    'AWS::Lambda::Function',
    'PipelineSummarizeFunction',
  ).Properties;
  assert.equal((Environment as { Variables: { [name: string]: Json } }).Variables.PAGE, 'off');
});

for (const [flags, plusAliases] of [
  [{}, 'off'],
  [{ cdn: false }, 'on'],
  [{ publicBucket: true }, 'on'],
] as const) {
  test(`aliases of + names are ${plusAliases} with ${JSON.stringify(flags)}`, () => {
    const { Environment } = resource(templateFor(flags), 'AWS::Lambda::Function', 'PipelineExtractFunction').Properties;
    const { ARCHITECTURES, PLUS_ALIASES, PREFIXES } = (Environment as { Variables: { [name: string]: Json } })
      .Variables;
    const expected = { ARCHITECTURES: '[]', PLUS_ALIASES: plusAliases, PREFIXES: '' };
    assert.deepEqual({ ARCHITECTURES, PLUS_ALIASES, PREFIXES }, expected);
  });
}
