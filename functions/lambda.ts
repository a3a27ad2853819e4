/**
 * The indexer on AWS: environment → adapters → one handler for each step. Only this file reads the environment and makes clients; the
 * files in lambda/ translate between Lambda's events and the steps.
 */

import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { SNSClient } from '@aws-sdk/client-sns';
import { SQSClient } from '@aws-sdk/client-sqs';
import type { Context, DynamoDBBatchResponse, DynamoDBStreamEvent, SQSBatchResponse } from 'aws-lambda';
import { createClient, createS3Client } from './adapters/aws/aws-clients.ts';
import { DynamoDbRecords } from './adapters/aws/dynamodb-records.ts';
import { S3Aliases } from './adapters/aws/s3-aliases.ts';
import { S3Objects } from './adapters/aws/s3-objects.ts';
import { SnsTopic } from './adapters/aws/sns-topic.ts';
import { SqsHints } from './adapters/aws/sqs-hints.ts';
import { packagesPage } from './adapters/pages.ts';
import { SystemClock } from './adapters/system-clock.ts';
import { percentOf } from './index/hold-back.ts';
import { type IndexFormatName, indexFormatNames } from './index/index-formats.ts';
import { compareBucket, type ReindexCounts, type ReindexRequest } from './lambda/compare-bucket.ts';
import { followHints } from './lambda/follow-hints.ts';
import { publishIndexes } from './lambda/publish-indexes.ts';
import { PageTemplate } from './page/page.ts';
import type { ComparedRules, Rules } from './record/rules.ts';
import { decodeTrust, trustFingerprint } from './trust/trust-setting.ts';

/** Extract's handler. */
export async function extract(event: unknown): Promise<SQSBatchResponse> {
  return followHints({ ...world(), rules: rules() }, event);
}

/** Summarize's handler. */
export async function summarize(event: DynamoDBStreamEvent, context: Context): Promise<DynamoDBBatchResponse> {
  const page = setting('PAGE') === 'on' ? await pageTemplate() : undefined;
  const { records } = world();
  return publishIndexes(
    {
      ...world(),
      retries: records,
      hints: hintQueue(),
      formats: formats(),
      page,
      maxShrink: maxShrink(),
      topic: topic(),
    },
    event,
    context,
  );
}

/** Reindex's handler. Its schedule sends no request, or an empty one. */
export async function reindex(request: ReindexRequest | null, context: Context): Promise<ReindexCounts> {
  const continueWith = (rest: ReindexRequest) => invokeAgain(context.functionName, rest);
  const ports = {
    ...world(),
    hints: hintQueue(),
    continueWith,
    prefixes: configuredPrefixes(),
    rules: comparedRules(),
  };
  return compareBucket(ports, request ?? {}, context);
}

const clock = new SystemClock();

/** The adapters, made at the first invocation: only then can an error about a missing variable reach the log. */
const world = once(() => {
  const bucket = setting('BUCKET');
  const isCompatibleStore = ['AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL'].some((name) => process.env[name]);
  const s3 = createS3Client({ isCompatibleStore });
  const objects = new S3Objects(s3, { bucket, quoteIfMatch: process.env.S3_QUOTE_IF_MATCH !== 'off' });
  const records = new DynamoDbRecords(createClient(DynamoDBClient, {}), {
    recordsTable: setting('RECORDS_TABLE'),
    repositoriesTable: setting('REPOSITORIES_TABLE'),
  });
  const isAliasing = process.env.PLUS_ALIASES === 'on';
  return { objects, records, clock, ...(isAliasing ? { aliases: new S3Aliases(s3, { bucket, objects }) } : {}) };
});

let madeQueue: SqsHints | undefined;

/** Not with `once`: its call would bring the client of SQS into the bundle of extract. */
function hintQueue(): SqsHints {
  const client = () => createClient(SQSClient, { useQueueUrlAsEndpoint: false });
  madeQueue ??= new SqsHints(client(), { queueUrl: setting('QUEUE_URL'), clock });
  return madeQueue;
}

let madeTopic: SnsTopic | undefined;

/** As `hintQueue`, not with `once`. Undefined where the deployment has none. */
function topic(): SnsTopic | undefined {
  const arn = process.env.PUBLISH_TOPIC;
  if (arn !== undefined && arn !== '')
    madeTopic ??= new SnsTopic(createClient(SNSClient, {}, topicMillisecondsMax), arn);
  return madeTopic;
}

/** One attempt of three: a publication waits for it, and the other repositories wait for that. */
const topicMillisecondsMax = 3_000;

let madeTemplate: PageTemplate | undefined;

/** Made at the first publication; as `hintQueue`, not with `once`. */
async function pageTemplate(): Promise<PageTemplate> {
  madeTemplate ??= new PageTemplate(await packagesPage());
  return madeTemplate;
}

async function invokeAgain(functionName: string, request: ReindexRequest): Promise<void> {
  const command = new InvokeCommand({
    FunctionName: functionName,
    InvocationType: 'Event',
    Payload: JSON.stringify(request),
  });
  await createClient(LambdaClient, {}).send(command);
}

function setting(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === '')
    throw new Error(`expected the environment variable ${name}, found none; deploy again`);
  return value;
}

/** A misspelt format must not pass for one that is not wanted: its index would be removed. */
function formats(): readonly IndexFormatName[] {
  const wanted = setting('FORMATS').split(',');
  const known = indexFormatNames.filter((name) => wanted.includes(name));
  if (known.length !== wanted.length)
    throw new Error(`expected FORMATS to be some of ${indexFormatNames}, found ${wanted}; deploy again`);
  return known;
}

/** Percent. A setting that cannot be read must not pass for none: nothing would be held back. */
function maxShrink(): number | undefined {
  const text = process.env.MAX_SHRINK || undefined;
  const percent = text === undefined ? undefined : percentOf(text);
  if (text !== undefined && percent === undefined)
    throw new Error(`expected MAX_SHRINK to be a percentage, found ${text}; deploy again`);
  return percent;
}

/** Required: accepting everything by mistake would put the rejected packages into the indexes. */
function rules(): Rules {
  return withTrust(decodeTrust);
}

/** Reindex needs no keys, and its bundle no code that reads them. */
function comparedRules(): ComparedRules {
  return withTrust(trustFingerprint);
}

function withTrust<Kind>(decode: (text: string) => Kind) {
  const architectures = JSON.parse(setting('ARCHITECTURES')) as readonly string[];
  const trust = setting('TRUST');
  return { architectures, ...(trust === 'off' ? {} : { trust: decode(trust) }) };
}

/** The whole bucket if the deployment names no prefix. */
function configuredPrefixes(): readonly string[] {
  const prefixes = JSON.parse(process.env.PREFIXES || '[]') as readonly string[];
  return prefixes.length === 0 ? [''] : prefixes.map((prefix) => `${prefix}/`);
}

function once<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
