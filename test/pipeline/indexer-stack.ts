/**
 * The deployed indexer on this machine: what the template says, with stores that are at hand.
 *
 *     Ceph ─ webhook ─▶ fauxqs ─▶ extract ─▶ dynalite ─ change stream ─▶ summarize ─▶ Ceph
 *                          ▲                                 reindex ─▶ fauxqs
 *
 * The steps are the bundles, each in a process of its own with the environment that the template gives it. Between each of them
 * and each store stands a proxy that records what is asked.
 */

import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import {
  type AttributeDefinition,
  CreateTableCommand,
  DynamoDBClient,
  type KeySchemaElement,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import { CreateBucketCommand, type S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import dynalite from 'dynalite';
import { startFauxqs } from 'fauxqs';
import { DynamoDbRecords } from '../../functions/adapters/aws/dynamodb-records.ts';
import type { RecordTable } from '../../functions/ports.ts';
import { buildBundles, stepNames } from '../../scripts/build.ts';
import { startCephGateway } from '../adapters/aws/ceph-gateway.ts';
import { resource, templateFor } from '../infra/synthesized.ts';
import { type BucketNotifications, startBucketNotifications } from './bucket-notifications.ts';
import { ChangeStream } from './change-stream.ts';
import { HintDelivery } from './hint-delivery.ts';
import type { Service } from './iam-calls.ts';
import { type Exchange, type StoreRequest, startRecordingProxy } from './recording-proxy.ts';
import { type OutputLine, StepProcess } from './step-process.ts';

export type StepName = (typeof stepNames)[number];

/** Where aliases are kept, and with a debounce that a test can wait for. */
export const template = templateFor({ bucket: 'packages', cdn: false, debounce: '1', publishTopic: true });

const bucket = 'packages';
const services: readonly Service[] = ['s3', 'dynamodb', 'sqs', 'sns', 'lambda'];

/** Batches of hints under way at once: as many as this machine has processors, not as many as the template says. */
const extractProcesses = 2;

export interface RecordedExchange extends Exchange {
  readonly step: StepName;
  readonly service: Service;
}

/** Which requests of which step are answered 503. */
export type Fault = (step: StepName, service: Service, request: StoreRequest) => boolean;

export interface IndexerStack {
  readonly bucket: string;
  /** For the test itself: not through a proxy. */
  readonly s3: S3Client;
  /** The same. */
  readonly records: RecordTable;
  /** Everything that the steps asked the stores. */
  readonly exchanges: readonly RecordedExchange[];
  /** Everything that the steps wrote to their logs. */
  readonly output: readonly OutputLine[];
  /** From now on the bucket tells the queue. */
  startNotifications(): Promise<BucketNotifications>;
  /** A process that the pipeline itself does not use. `settings` go before the template's. */
  startStep(step: StepName, settings?: Readonly<Record<string, string>>): StepProcess;
  /** Asks the pipeline's own reindex; it goes on in as many invocations as it wants. Resolves after the last. */
  reindex(request: object, remainingMilliseconds?: number): Promise<unknown>;
  /** Has requests fail until the function that is returned is called. */
  fail(fault: Fault): () => void;
  /** What is on its way: hints in the queue, waiting or being followed; changes that no summarize has answered for. */
  pending(): { readonly hints: number; readonly changes: number };
  /** Hints that were given up. */
  deadHints(): number;
  stop(): Promise<void>;
}

/** Whatever was started is stopped, the last first. */
class Started {
  readonly #stops: (() => unknown)[] = [];

  add<Value>(value: Value, stop: (value: Value) => unknown): Value {
    this.#stops.unshift(() => stop(value));
    return value;
  }

  async stop(): Promise<void> {
    for (const stop of this.#stops.splice(0)) await stop();
  }
}

export async function startIndexerStack(): Promise<IndexerStack> {
  const started = new Started();
  try {
    return await start(started);
  } catch (error) {
    await started.stop();
    throw error;
  }
}

async function start(started: Started): Promise<IndexerStack> {
  const bundles = started.add(await mkdtemp(join(tmpdir(), 'pipeline-')), (made) => rm(made, { recursive: true }));
  const [gateway] = await Promise.all([
    startCephGateway().then((up) => started.add(up, () => up.stop())),
    buildBundles({ entry: join(import.meta.dirname, '../../functions/lambda.ts'), outdir: bundles }),
  ]);
  const s3 = started.add(gateway.client(), (client) => client.destroy());
  await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  const credentials = await s3.config.credentials();

  const queues = started.add(await startFauxqs({ port: 0, host: '127.0.0.1', logger: false }), (up) => up.stop());
  const queuesUrl = `http://127.0.0.1:${queues.port}`;
  const queuePath = makeQueues(queues);
  const { topicArn } = queues.createTopic('publications');
  const queueUrl = `${queuesUrl}${queuePath}`;
  const sqs = started.add(new SQSClient({ endpoint: queuesUrl, region: 'eu-central-1', credentials }), (client) =>
    client.destroy(),
  );

  const tables = dynalite({ createTableMs: 0 });
  const tablesUrl = await listen(started, tables);
  const dynamoDb = new DynamoDBClient({ endpoint: tablesUrl, region: 'eu-central-1', credentials });
  started.add(dynamoDb, (client) => client.destroy());
  await makeTables(dynamoDb);
  const records = new DynamoDbRecords(dynamoDb, {
    recordsTable: 'StorageRecords',
    repositoriesTable: 'StorageRepositories',
  });

  const exchanges: RecordedExchange[] = [];
  const output: OutputLine[] = [];
  const faults = new Set<Fault>();
  const asynchronous: Promise<unknown>[] = [];

  // Lambda's own API: an invocation that nobody waits for.
  const invocations = createServer(async (request, response) => {
    const event: unknown = JSON.parse((await buffer(request)).toString());
    asynchronous.push(pipeline.reindex.invoke(event));
    response.writeHead(202).end();
  });
  const invocationsUrl = await listen(started, invocations);

  const targets = {
    s3: gateway.endpoint,
    dynamodb: tablesUrl,
    sqs: queuesUrl,
    sns: queuesUrl,
    lambda: invocationsUrl,
  };
  const environments = new Map<StepName, Readonly<Record<string, string>>>();
  for (const step of stepNames) {
    const endpoints: Record<string, string> = {};
    for (const service of services) {
      const proxy = await startRecordingProxy({
        target: targets[service],
        isFailing: (request) => [...faults].some((fault) => fault(step, service, request)),
        onExchange: (exchange) => {
          exchanges.push({ ...exchange, step, service });
          if (service === 'dynamodb') changes.observe(exchange);
        },
      });
      started.add(proxy, () => proxy.stop());
      endpoints[`AWS_ENDPOINT_URL_${service.toUpperCase()}`] = proxy.url;
    }
    environments.set(step, {
      ...templateEnvironment(step),
      ...endpoints,
      PUBLISH_TOPIC: topicArn,
      QUEUE_URL: `${endpoints.AWS_ENDPOINT_URL_SQS}${queuePath}`,
      // What Lambda sets …
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_LAMBDA_FUNCTION_NAME: `pkgsrc-indexer-${step}`,
      HOME: bundles,
      // … and what Ceph's gateway wants.
      S3_QUOTE_IF_MATCH: 'off',
    });
  }

  const startStep = (step: StepName, settings: Readonly<Record<string, string>> = {}) => {
    const environment = { ...environments.get(step), ...settings };
    return started.add(new StepProcess(join(bundles, step, 'index.js'), environment, output), (child) => child.stop());
  };
  const pipeline = {
    extract: Array.from({ length: extractProcesses }, () => startStep('extract')),
    summarize: startStep('summarize'),
    reindex: startStep('reindex'),
  };

  const ofStream = mapping('PipelineChangesWakeSummarize');
  const changes = new ChangeStream({
    table: 'StorageRecords',
    batchSize: ofStream.BatchSize,
    windowMilliseconds: 1000 * ofStream.MaximumBatchingWindowInSeconds,
    invoke: (event) => pipeline.summarize.invoke(event),
  });
  started.add(changes, () => changes.stop());
  const delivery = new HintDelivery({
    client: sqs,
    queueUrl,
    batchSize: mapping('PipelineHintsWakeExtract').BatchSize,
    invoke: pipeline.extract.map((step) => (event: unknown) => step.invoke(event)),
  });
  started.add(delivery, () => delivery.stop());

  return {
    bucket,
    s3,
    records,
    exchanges,
    output,
    startStep,
    startNotifications: async () =>
      started.add(await startBucketNotifications({ s3, bucket, sqs, queueUrl }), (notifications) =>
        notifications.stop(),
      ),
    async reindex(request, remainingMilliseconds) {
      let counts = await pipeline.reindex.invoke(request, remainingMilliseconds);
      for (let next = asynchronous.shift(); next !== undefined; next = asynchronous.shift()) counts = await next;
      return counts;
    },
    fail(fault) {
      faults.add(fault);
      return () => faults.delete(fault);
    },
    pending: () => ({ hints: countMessages(queues, 'hints'), changes: changes.pending }),
    deadHints: () => countMessages(queues, 'dead-hints'),
    stop: () => started.stop(),
  };
}

type Queues = Awaited<ReturnType<typeof startFauxqs>>;

/** The queue of hints, with the dead-letter queue that the template gives it. @returns the path of its URL. */
function makeQueues(queues: Queues): string {
  const { RedrivePolicy } = resource(template, 'AWS::SQS::Queue', 'PipelineHints').Properties;
  const { maxReceiveCount } = RedrivePolicy as { maxReceiveCount: number };
  const dead = queues.createQueue('dead-hints');
  const redrive = JSON.stringify({ deadLetterTargetArn: dead.queueArn, maxReceiveCount });
  const attributes = { VisibilityTimeout: '60', RedrivePolicy: redrive };
  // Its host is a name that nobody resolves.
  return queues.createQueue('hints', { attributes }).queueUrl.replace(/^http:\/\/[^/]+/, '');
}

function countMessages(queues: Queues, name: string): number {
  const { messages } = queues.inspectQueue(name) ?? { messages: { ready: [], delayed: [], inflight: [] } };
  return messages.ready.length + messages.delayed.length + messages.inflight.length;
}

/** The two tables, keyed as the template has them, under the names that it resolves to. */
async function makeTables(client: DynamoDBClient): Promise<void> {
  for (const TableName of ['StorageRecords', 'StorageRepositories']) {
    const { Properties } = resource(template, 'AWS::DynamoDB::Table', TableName);
    await client.send(
      new CreateTableCommand({
        TableName,
        BillingMode: 'PAY_PER_REQUEST',
        KeySchema: Properties.KeySchema as unknown as KeySchemaElement[],
        AttributeDefinitions: Properties.AttributeDefinitions as unknown as AttributeDefinition[],
      }),
    );
    await waitUntilTableExists({ client, maxWaitTime: 10, minDelay: 1 }, { TableName });
  }
}

function templateEnvironment(step: StepName): Readonly<Record<string, string>> {
  const name = `Pipeline${step[0]?.toUpperCase()}${step.slice(1)}Function`;
  const { Environment } = resource(template, 'AWS::Lambda::Function', name).Properties;
  return (Environment as { readonly Variables: Readonly<Record<string, string>> }).Variables;
}

interface Mapping {
  readonly BatchSize: number;
  readonly MaximumBatchingWindowInSeconds: number;
}

function mapping(name: string): Mapping {
  return resource(template, 'AWS::Lambda::EventSourceMapping', name).Properties as unknown as Mapping;
}

async function listen(started: Started, server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  started.add(server, () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('expected a port to listen on');
  return `http://127.0.0.1:${address.port}`;
}
