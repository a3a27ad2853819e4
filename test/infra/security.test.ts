/** Encrypted, over TLS, closed unless asked; and cdk-nag's AwsSolutions, where every exception has its reason. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { App, Stack, Validations } from 'aws-cdk-lib';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { AwsSolutionsChecks } from 'cdk-nag';
import type { IConstruct } from 'constructs';
import { sample } from '../thoroughness.ts';
import { appFor, type Json, optionMatrix, resource, resourcesOf, templateFor } from './synthesized.ts';

/** Findings as `path rule`; `unforgiving`: as if nothing had been acknowledged. */
function findings(app: App, unforgiving = false): readonly string[] {
  const checks = new AwsSolutionsChecks(app);
  if (unforgiving) Object.assign(checks, { isAcknowledged: () => false });
  const { violations } = checks.validateScope(app);
  return violations.flatMap(({ ruleName, violatingResources }) =>
    violatingResources.map(({ constructPath }) => `${constructPath} ${ruleName}`),
  );
}

/** What infra/ acknowledges, by rule. */
function acknowledged(scope: IConstruct): ReadonlyMap<string, string> {
  const entries = scope.node
    .findAll()
    .flatMap(({ node }) => node.metadata)
    .filter(({ type }) => type === Validations.ACKNOWLEDGED_RULES_METADATA_KEY)
    .flatMap(({ data }) => Object.entries(data as Record<string, string>));
  return new Map(entries.map(([rule, reason]) => [rule.replace('Annotation::', ''), reason]));
}

test('the checks can fail: a bare bucket has findings', () => {
  const app = new App();
  new Bucket(new Stack(app, 'bare'), 'Bucket');
  assert.match(findings(app).join(), /AwsSolutions-S10/);
});

for (const [name, flags] of sample(Object.entries(optionMatrix))) {
  test(`AwsSolutions has nothing against: ${name}`, () => {
    assert.deepEqual(findings(appFor(flags)), []);
  });
}

test('every exception answers a finding, and says why', () => {
  for (const flags of [{}, { cdn: false, publicBucket: true, prefix: ['All'], alarmEmail: 'admin@example.org' }]) {
    const app = appFor(flags);
    const rules = new Set(findings(app, true).map((found) => found.replace(/^\S+ /, '')));
    const exceptions = acknowledged(app);
    assert.deepEqual([...exceptions.keys()].toSorted(), [...rules].toSorted());
    for (const reason of exceptions.values()) assert.ok(reason.length > 20, reason);
  }
});

type Statement = { readonly [name: string]: Json };

const statementsOf = (properties: { readonly [name: string]: Json }): readonly Statement[] =>
  (properties.PolicyDocument as unknown as { Statement: Statement[] }).Statement;

const deniesPlainHttp = (statement: Statement | undefined): boolean =>
  statement?.Effect === 'Deny' &&
  JSON.stringify(statement.Principal) === '{"AWS":"*"}' &&
  JSON.stringify(statement.Condition) === '{"Bool":{"aws:SecureTransport":"false"}}';

for (const [name, flags] of sample(Object.entries(optionMatrix))) {
  const template = templateFor(flags);

  test(`every store is encrypted and takes TLS only: ${name}`, () => {
    for (const { Properties } of resourcesOf(template, 'AWS::SQS::Queue').values()) {
      assert.equal(Properties.SqsManagedSseEnabled, true);
    }
    for (const { Properties } of resourcesOf(template, 'AWS::S3::Bucket').values()) {
      const algorithm = flags.kmsKey === undefined ? 'AES256' : 'aws:kms';
      assert.match(JSON.stringify(Properties.BucketEncryption), new RegExp(`"SSEAlgorithm":"${algorithm}"`));
    }
    const policies = ['AWS::SQS::QueuePolicy', 'AWS::S3::BucketPolicy'].flatMap((type) => [
      ...resourcesOf(template, type).values(),
    ]);
    const stores = ['AWS::SQS::Queue', 'AWS::S3::Bucket'].flatMap((type) => [...resourcesOf(template, type).keys()]);
    assert.equal(policies.length, stores.length);
    for (const { Properties } of policies) assert.ok(deniesPlainHttp(statementsOf(Properties)[0]));
  });

  test(`packages outlive the stack, and tables do if asked: ${name}`, () => {
    for (const { DeletionPolicy } of resourcesOf(template, 'AWS::S3::Bucket').values()) {
      // A first deployment that fails leaves no empty bucket behind, which would block the next one.
      assert.equal(DeletionPolicy, 'RetainExceptOnCreate');
    }
    for (const { DeletionPolicy, Properties } of resourcesOf(template, 'AWS::DynamoDB::Table').values()) {
      assert.equal(DeletionPolicy, flags.keepTables ? 'Retain' : 'Delete');
      assert.deepEqual(Properties.PointInTimeRecoverySpecification, { PointInTimeRecoveryEnabled: true });
      assert.equal(Properties.BillingMode, 'PAY_PER_REQUEST');
    }
  });

  test(`the bucket is open to everyone only if asked: ${name}`, () => {
    for (const { Properties } of resourcesOf(template, 'AWS::S3::Bucket').values()) {
      const isClosed = !flags.publicBucket;
      assert.deepEqual(Properties.PublicAccessBlockConfiguration, {
        BlockPublicAcls: true,
        IgnorePublicAcls: true,
        BlockPublicPolicy: isClosed,
        RestrictPublicBuckets: isClosed,
      });
    }
    const allowsEveryone = [...resourcesOf(template, 'AWS::S3::BucketPolicy').values()]
      .flatMap(({ Properties }) => statementsOf(Properties))
      .filter(({ Effect, Principal }) => Effect === 'Allow' && JSON.stringify(Principal) === '{"AWS":"*"}');
    assert.deepEqual(
      allowsEveryone.map(({ Action }) => Action),
      flags.publicBucket ? ['s3:GetObject'] : [],
    );
  });
}

test('everyone reads what is under the prefixes, and nothing else', () => {
  const template = templateFor({ bucket: 'packages', publicBucket: true, cdn: false, prefix: ['b', 'a'] });
  const everyone = statementsOf(resource(template, 'AWS::S3::BucketPolicy', 'StorageBucketPolicy').Properties)[1];
  assert.deepEqual(everyone?.Resource, ['arn:aws:s3:::packages/a/*', 'arn:aws:s3:::packages/b/*']);
});

test('the e-mail topic lets in alarms of this account, over TLS', () => {
  const template = templateFor({ alarmEmail: 'admin@example.org' });
  const [deny, publish] = statementsOf(resource(template, 'AWS::SNS::TopicPolicy', 'WatchAlarmsPolicy').Properties);
  assert.equal(deny?.Effect, 'Deny');
  assert.deepEqual(publish, {
    Sid: 'AlarmsPublish',
    Effect: 'Allow',
    Principal: { Service: 'cloudwatch.amazonaws.com' },
    Action: 'sns:Publish',
    Resource: 'WatchAlarms',
    Condition: { StringEquals: { 'aws:SourceAccount': '123456789012' } },
  });
});
