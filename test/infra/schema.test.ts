/** What CloudFormation would say of the template, as far as it can be said without an account. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CfnBucket } from 'aws-cdk-lib/aws-s3';
import type { IConstruct } from 'constructs';
import { isThorough, sample } from '../thoroughness.ts';
import { schemaViolations } from './resource-schema.ts';
import { appFor, optionMatrix, type Resource, resolve, type Template, templateFor } from './synthesized.ts';

for (const [name, flags] of sample(Object.entries(optionMatrix))) {
  test(`every property is in the resource schemas: ${name}`, () => {
    assert.deepEqual(schemaViolations(templateFor(flags)), []);
  });

  test(`no custom resources, no parameters, no conditions: ${name}`, () => {
    const template = templateFor(flags);
    for (const { Type } of Object.values(template.Resources)) assert.doesNotMatch(Type, /^Custom::|CustomResource/);
    assert.equal(template.Parameters, undefined);
    assert.equal(template.Conditions, undefined);
  });
}

// A second opinion, by the engine that CDK itself brings. It takes seconds, so it is asked about templates that differ much.
const whenThorough = { skip: isThorough ? false : "CDK's check takes seconds: npm run test:all" };
for (const name of ['alarm e-mail', 'existing bucket without a CDN']) {
  test(`CDK's own check finds nothing: ${name}`, whenThorough, () => {
    assert.ok(optionMatrix[name] !== undefined);
    withCdkValidation(() => appFor(optionMatrix[name] ?? {}).synth());
  });
}

function withCdkValidation(synthesize: () => void): void {
  const before = process.env.CDK_VALIDATION;
  delete process.env.CDK_VALIDATION;
  try {
    synthesize();
  } finally {
    process.env.CDK_VALIDATION = before;
  }
}

test('our check can fail', () => {
  const broken: Record<string, Resource> = {
    Bucket: { Type: 'AWS::S3::Bucket', Properties: { BucketNme: 'x', VersioningConfiguration: { Status: 'on' } } },
    Queue: { Type: 'AWS::SQS::Queue', Properties: { DelaySeconds: 'soon', KmsMasterKeyId: { Ref: 'Key' } } },
    Mapping: { Type: 'AWS::Lambda::EventSourceMapping', Properties: { FunctionResponseTypes: 'all' } },
    Typo: { Type: 'AWS::SQS::Kueue', Properties: {} },
  };
  assert.deepEqual(schemaViolations({ Resources: broken, Outputs: {} }), [
    'Bucket (AWS::S3::Bucket).BucketNme: unknown',
    'Bucket (AWS::S3::Bucket).VersioningConfiguration.Status: expected string, found "on"',
    'Queue (AWS::SQS::Queue).DelaySeconds: expected integer, found "soon"',
    'Mapping (AWS::Lambda::EventSourceMapping).FunctionName: required',
    'Mapping (AWS::Lambda::EventSourceMapping).FunctionResponseTypes: expected array, found "all"',
    'Typo: AWS::SQS::Kueue is no type of AWS',
  ]);
});

test("CDK's own check can fail", whenThorough, (t) => {
  const app = appFor({});
  const bucket = app.node.findAll().find((one: IConstruct) => CfnBucket.isCfnBucket(one)) as CfnBucket;
  bucket.addPropertyOverride('BucketNme', 'x');
  // It prints what it found.
  t.mock.method(console, 'error', () => undefined);
  t.mock.method(process.stderr, 'write', () => true);
  assert.throws(() => withCdkValidation(() => app.synth()), /Validation failed/);
});

const allowedWithoutCdn = [
  /^AWS::S3::(Bucket|BucketPolicy)$/,
  /^AWS::SQS::(Queue|QueuePolicy)$/,
  /^AWS::Lambda::(Function|Permission|EventSourceMapping)$/,
  /^AWS::DynamoDB::Table$/,
  /^AWS::IAM::Role$/,
  /^AWS::Logs::LogGroup$/,
  /^AWS::CloudWatch::(Alarm|Dashboard)$/,
  /^AWS::SNS::(Topic|TopicPolicy|Subscription)$/,
  /^AWS::Events::Rule$/,
];
for (const [name, flags] of sample(Object.entries(optionMatrix))) {
  const more =
    flags.cdn === false ? [] : [/^AWS::CloudFront::(Distribution|OriginAccessControl|CachePolicy|Function)$/];
  test(`the types of resources: ${name}`, () => {
    for (const [id, { Type }] of Object.entries(templateFor(flags).Resources)) {
      assert.ok(
        [...allowedWithoutCdn, ...more].some((allowed) => allowed.test(Type)),
        `${id} is a ${Type}`,
      );
    }
  });
}

/** Every name that the template gives, where CloudFormation would otherwise make one up. */
function givenNames(template: Template): readonly string[] {
  return Object.values(template.Resources).flatMap(({ Type, Properties }) => {
    const { Name: configured } = Object.values(Properties).find(hasName) ?? {};
    const own = Object.entries(Properties).filter(
      ([property]) => `AWS::${Type.split('::')[1]}::${property.replace(/Name$/, '')}` === Type || property === 'Name',
    );
    const names = [...own.map(([, value]) => value), ...(configured === undefined ? [] : [configured])];
    return names.map((name) => `${Type} ${resolve(name)}`);
  });
}

function hasName(value: unknown): value is { readonly Name: string } {
  return typeof value === 'object' && value !== null && 'Name' in value;
}

test('two stacks in one account share no name', () => {
  const one = givenNames(templateFor({}));
  const other = givenNames(templateFor({ stack: 'other' }));
  assert.deepEqual(
    one.filter((name) => other.includes(name)),
    [],
  );
  // As many as there are given: bucket, 3 functions, 3 log groups, 10 alarms, dashboard, distribution's 5.
  assert.equal(one.length, 1 + 3 + 3 + 10 + 1 + 5, one.join('\n'));
});

test('names that an account has once for all regions tell the region', () => {
  const worldwide = givenNames(templateFor({})).filter((name) => /CloudFront|Dashboard|S3::Bucket/.test(name));
  assert.equal(worldwide.length, 7);
  for (const name of worldwide) assert.match(name, /eu-central-1/);
});

test('no name is longer than its service takes, for the longest name of a stack and of a region', () => {
  for (const name of givenNames(templateFor({ stack: 'x'.repeat(32) }))) {
    const longest = name.replace('eu-central-1', 'ap-southeast-1').split(' ')[1] ?? '';
    assert.ok(longest.length <= 64, name);
    if (name.startsWith('AWS::S3::Bucket')) assert.ok(longest.length <= 63, name);
  }
});

test('what the scripts read of a deployed stack', () => {
  const outputs = (flags: object) => Object.keys(templateFor(flags).Outputs).toSorted();
  const always = [
    'Bucket',
    'DeadChangesUrl',
    'DeadHintsUrl',
    'ExtractFunction',
    'QueueArn',
    'QueueUrl',
    'RecordsTable',
    'ReindexFunction',
    'RepositoriesTable',
    'RepositoryUrl',
    'SummarizeFunction',
  ];
  const cdn = [...always, 'NotFoundKey'].toSorted();
  assert.deepEqual(outputs({}), cdn);
  assert.deepEqual(outputs({ cdn: false }), always);
  assert.deepEqual(outputs({ bucket: 'packages', existing: true }), [
    'Bucket',
    'BucketPolicyStatement',
    ...cdn.slice(1),
  ]);
});
