/**
 * The indexer on AWS: environment → adapters → one handler for each step. The only file that reads the environment, makes clients,
 * and knows what Lambda's events and answers look like.
 */

import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { SQSClient } from '@aws-sdk/client-sqs';
import type { Context, DynamoDBBatchResponse, DynamoDBStreamEvent, SQSBatchResponse } from 'aws-lambda';
import pMap from 'p-map';
import { createClient, createS3Client } from './adapters/aws/aws-clients.ts';
import { changeOfKeys, DynamoDbRecords } from './adapters/aws/dynamodb-records.ts';
import { S3Aliases } from './adapters/aws/s3-aliases.ts';
import { S3Objects } from './adapters/aws/s3-objects.ts';
import { SqsHints } from './adapters/aws/sqs-hints.ts';
import { packagesPage } from './adapters/pages.ts';
import { SystemClock } from './adapters/system-clock.ts';
import type { ConsistencyReport } from './check/consistency.ts';
import { countFindings } from './check/findings.ts';
import { hintsFrom, type ReceivedHint } from './events.ts';
import { type Extraction, type ExtractPorts, extractLimits, extract as extractPackage } from './extract.ts';
import { type IndexFormatName, indexFormatNames } from './index/index-formats.ts';
import { PageTemplate } from './page/page.ts';
import type { Changes, Clock, Hint, Repository } from './ports.ts';
import { type ReindexPlace, type ReindexPorts, type ReindexResult, reindex as reindexBucket } from './reindex.ts';
import { type Publication, type SummarizePorts, summarize as summarizeRepository } from './summarize.ts';

/** The functions on AWS. */
export const lambdaLimits = {
  /** Packages that one invocation reads at the same time: each holds a window of its package in memory. */
  extractConcurrentMax: 16,
  /** Repositories that one invocation summarizes at the same time: each holds its indexes in memory. */
  summarizeConcurrentMax: 2,
  /** A reindex that has less time left goes on in a fresh invocation: one batch of hints takes about 3 s. */
  reindexReserveMilliseconds: 60_000,
  /**
   * Invocations of one reindex, each by the one before. Lambda takes 16 in a row for a loop, and stops it (Lambda guide, "recursive
   * loop detection"); these, of 14 minutes each, are enough for millions of packages.
   */
  reindexRoundsMax: 15,
  /** An upload that was seen later than this after it was made was not waiting for us: a bucket is being adopted. */
  uploadAgeMillisecondsMax: 86_400_000,
} as const;

const logger = new Logger();
const metrics = new Metrics();

/** Extract's handler. */
export async function extract(event: unknown): Promise<SQSBatchResponse> {
  return followHints(world(), event);
}

/** Summarize's handler. */
export async function summarize(event: DynamoDBStreamEvent): Promise<DynamoDBBatchResponse> {
  const page = setting('PAGE') === 'on' ? await pageTemplate() : undefined;
  return publishIndexes({ ...world(), formats: formats(), page }, event);
}

/** Reindex's handler. Its schedule sends no request, or an empty one. */
export async function reindex(request: ReindexRequest | null, context: Context): Promise<ReindexCounts> {
  const hints = new SqsHints(createClient(SQSClient, { useQueueUrlAsEndpoint: false }), {
    queueUrl: setting('QUEUE_URL'),
    clock,
  });
  const goOn = (next: ReindexRequest) => invokeAgain(context.functionName, next);
  return compareBucket({ ...world(), hints, goOn, prefixes: configuredPrefixes() }, request ?? {}, context);
}

const clock = new SystemClock();

/** Made once, at the first invocation; a missing variable is found then, and named. */
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

let madeTemplate: PageTemplate | undefined;

/** Made at the first publication. No `once` here: its call would bring the page into the other steps' bundles. */
async function pageTemplate(): Promise<PageTemplate> {
  madeTemplate ??= new PageTemplate(await packagesPage());
  return madeTemplate;
}

/** Hints from the queue (or events straight from a bucket): each key's row is made to agree. What failed is delivered again. */
export async function followHints(ports: ExtractPorts, event: unknown): Promise<SQSBatchResponse> {
  const { hints, unknown } = hintsFrom(event);
  for (const { description } of unknown)
    logger.warn('an event that nothing here understands was left out', { description });
  count('UnknownEvents', unknown.length);
  count('HintsReceived', hints.length);
  const failures = await pMap(coalesced(hints), (task) => followTask(ports, task), {
    concurrency: lambdaLimits.extractConcurrentMax,
  });
  publishMetrics();
  const failed = failures.flat();
  if (failed.some((messageId) => messageId === undefined))
    throw new Error('some packages could not be read; see the log');
  return { batchItemFailures: [...new Set(failed)].map((itemIdentifier = '') => ({ itemIdentifier })) };
}

/** One task for all the hints of a key: what they are about is the same object. */
interface ExtractTask {
  readonly hint: Hint;
  readonly messageIds: readonly (string | undefined)[];
}

function coalesced(hints: readonly ReceivedHint[]): ExtractTask[] {
  return [...Map.groupBy(hints, ({ key }) => key)].map(([key, same]) => ({
    hint: { key, ...(same.some(({ force }) => force) ? { force: true } : {}) },
    messageIds: same.map(({ messageId }) => messageId),
  }));
}

/** @returns the messages to deliver again. */
async function followTask(
  ports: ExtractPorts,
  { hint, messageIds }: ExtractTask,
): Promise<readonly (string | undefined)[]> {
  const { key, force = false } = hint;
  const signal = AbortSignal.timeout(extractLimits.readMillisecondsMax);
  try {
    report(key, await extractPackage(ports, key, { force, signal }));
    return [];
  } catch (error) {
    logger.error('a package could not be read; its hint is delivered again', { key, error: error as Error });
    return messageIds;
  }
}

function report(key: string, extraction: Extraction): void {
  if (extraction.outcome === 'removed') logger.info('removed', { key });
  if (extraction.outcome !== 'written') return;
  const { row } = extraction;
  if (row.state === 'rejected') logger.warn('rejected', { key, reason: row.reason });
  else logger.info('indexed', { key, warnings: row.warnings });
  count(row.state === 'rejected' ? 'PackagesRejected' : 'PackagesIndexed', 1);
}

/** What publishing takes: the world, the formats to publish, and the page to keep beside them, if any. */
interface PublishPorts extends SummarizePorts {
  readonly formats: readonly IndexFormatName[];
  readonly page?: PageTemplate | undefined;
}

/** Rows changed: the index of each of their repositories is replaced. What failed, and all behind it, is delivered again. */
export async function publishIndexes(ports: PublishPorts, event: DynamoDBStreamEvent): Promise<DynamoDBBatchResponse> {
  const failed = await pMap(changesOf(event), (changed) => publishIndex(ports, changed), {
    concurrency: lambdaLimits.summarizeConcurrentMax,
  });
  publishMetrics();
  return { batchItemFailures: failed.flat().map((itemIdentifier) => ({ itemIdentifier })) };
}

/** What the records of one repository tell. */
interface ChangedRepository {
  readonly repository: Repository;
  readonly changes: Changes;
  /** Of the first of them. */
  readonly sequenceNumber: string;
}

function changesOf({ Records: records }: DynamoDBStreamEvent): readonly ChangedRepository[] {
  const told = records.map(({ dynamodb }) => ({
    ...changeOfKeys((dynamodb?.Keys ?? {}) as Record<string, { S?: string }>),
    sequenceNumber: dynamodb?.SequenceNumber ?? '',
  }));
  return [...Map.groupBy(told, ({ repository }) => repository)].map(([repository, changes]) => ({
    repository,
    changes: changes.some(({ file }) => file === undefined) ? 'all' : new Set(changes.flatMap(({ file = [] }) => file)),
    sequenceNumber: changes[0]?.sequenceNumber ?? '',
  }));
}

/** @returns where the stream is to be taken up again; nothing where all is well. */
async function publishIndex(
  ports: PublishPorts,
  { repository, changes, sequenceNumber }: ChangedRepository,
): Promise<readonly string[]> {
  const begin = performance.now();
  try {
    const { formats, page } = ports;
    const publication = await summarizeRepository(ports, repository, { formats, page, changes });
    reportPublication(ports.clock, repository, publication, performance.now() - begin);
    return [];
  } catch (error) {
    logger.error('an index could not be published; its changes are delivered again', {
      repository,
      error: error as Error,
    });
    return [sequenceNumber];
  }
}

function reportPublication(clock: Clock, repository: Repository, publication: Publication, milliseconds: number): void {
  const { outcome } = publication;
  if (outcome === 'absent') return;
  if (outcome === 'deferred') {
    logger.info('the index is none to make changes in; a summary of all rows follows', { repository });
    return;
  }
  if (outcome === 'waiting') {
    const { missing } = publication;
    logger.warn('the index that was there is kept until every package has been read', { repository, missing });
    metrics.addMetric('PackagesMissing', MetricUnit.Count, missing);
    return;
  }
  if (publication.page === 'foreign')
    logger.warn('an index.html that is not ours is left alone: there is no package browser', { repository });
  // The end of waiting; only then, because one alarm watches all repositories: a 0 of this one must not hide what others miss.
  if (publication.isFirst) metrics.addMetric('PackagesMissing', MetricUnit.Count, 0);
  if (outcome === 'unchanged') return;
  const { summary, bytes, publishedAt } = publication;
  logger.info('published', { repository, records: summary.records, bytes, publishedAt });
  metrics.addMetric('Publications', MetricUnit.Count, 1);
  metrics.addMetric('SummaryRecords', MetricUnit.Count, summary.records);
  metrics.addMetric('SummaryBytes', MetricUnit.Bytes, bytes);
  metrics.addMetric('SummaryDuration', MetricUnit.Milliseconds, milliseconds);
  const now = clock.now().getTime();
  for (const uploaded of summary.uploads) {
    const latency = now - uploaded.getTime();
    if (latency <= lambdaLimits.uploadAgeMillisecondsMax)
      metrics.addMetric('UploadToIndexLatency', MetricUnit.Milliseconds, latency);
  }
}

/** What a reindex is asked for; `prefixes` and on are what one invocation hands to the next. */
export interface ReindexRequest {
  readonly prefix?: string;
  readonly force?: boolean;
  readonly prefixes?: readonly string[];
  readonly after?: ReindexPlace;
  readonly round?: number;
  readonly done?: ReindexCounts;
}

export interface ReindexCounts extends Pick<ReindexResult, 'repositories' | 'packages' | 'hints'> {
  /** False: a fresh invocation goes on. */
  readonly isComplete: boolean;
}

/** What comparing takes: the world, what to compare where nothing was asked for, and a way to go on with what is left. */
interface ComparePorts extends ReindexPorts {
  readonly prefixes: readonly string[];
  goOn(request: ReindexRequest): Promise<void>;
}

/** The bucket is compared with the table. Goes on in a fresh invocation of itself before the time runs out. */
export async function compareBucket(
  ports: ComparePorts,
  request: ReindexRequest,
  context: Pick<Context, 'getRemainingTimeInMillis'>,
): Promise<ReindexCounts> {
  const { prefix, force = false, round = 0, after } = request;
  const prefixes = request.prefixes ?? (prefix === undefined ? ports.prefixes : [prefix]);
  const isTimeUp = () => context.getRemainingTimeInMillis() < lambdaLimits.reindexReserveMilliseconds;
  let counts: ReindexCounts = request.done ?? { repositories: 0, packages: 0, hints: 0, isComplete: false };
  for (const [index, at] of prefixes.entries()) {
    const resumed = index === 0 && after !== undefined ? { after } : {};
    const result = await reindexBucket(ports, { prefix: at, force, isTimeUp, onReport: reportConsistency, ...resumed });
    counts = added(counts, result);
    const { stoppedAt } = result;
    const rest = prefixes.slice(stoppedAt === undefined ? index + 1 : index);
    const isMoreToDo = stoppedAt !== undefined || (rest.length > 0 && isTimeUp());
    if (!isMoreToDo) continue;
    const place = stoppedAt === undefined ? {} : { after: stoppedAt };
    publishMetrics();
    await goOn(ports, { force, prefixes: rest, round: round + 1, done: counts, ...place });
    return counts;
  }
  publishMetrics();
  logger.info('reindexed', { ...counts });
  return { ...counts, isComplete: true };
}

/** Zeros are told as well: they are how a finding that was mended leaves the dashboard. */
function reportConsistency(repository: Repository, report: ConsistencyReport | undefined): void {
  if (report === undefined) {
    logger.warn('a repository has too much to check whether its packages fit together', { repository });
    return;
  }
  const found = countFindings(report);
  logger.info('checked', { repository, packages: report.packages, ...found });
  metrics.addMetric('MissingDependencies', MetricUnit.Count, found.missingDependencies);
  metrics.addMetric('MissingLibraries', MetricUnit.Count, found.missingLibraries);
  metrics.addMetric('DuplicateNames', MetricUnit.Count, found.duplicateNames);
  metrics.addMetric('DuplicatePaths', MetricUnit.Count, found.duplicatePaths);
}

function added(counts: ReindexCounts, result: ReindexResult): ReindexCounts {
  return {
    repositories: counts.repositories + result.repositories,
    packages: counts.packages + result.packages,
    hints: counts.hints + result.hints,
    isComplete: false,
  };
}

async function goOn(ports: ComparePorts, request: ReindexRequest): Promise<void> {
  const { round = 0, after } = request;
  if (round >= lambdaLimits.reindexRoundsMax)
    throw new Error(
      `expected a reindex to end within ${lambdaLimits.reindexRoundsMax} invocations; ` +
        `give each part of the bucket a reindex of its own, by its prefix (this one came to ${JSON.stringify(after)})`,
    );
  logger.info('the time is running out: a fresh invocation goes on', { round, after });
  await ports.goOn(request);
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

/** One that is misspelt must not count as one that is not wanted: its index would be removed. */
function formats(): readonly IndexFormatName[] {
  const wanted = setting('FORMATS').split(',');
  const known = indexFormatNames.filter((name) => wanted.includes(name));
  if (known.length !== wanted.length)
    throw new Error(`expected FORMATS to be some of ${indexFormatNames}, found ${wanted}; deploy again`);
  return known;
}

/** Everything in the bucket where none is set. */
function configuredPrefixes(): readonly string[] {
  const prefixes = JSON.parse(process.env.PREFIXES || '[]') as readonly string[];
  return prefixes.length === 0 ? [''] : prefixes.map((prefix) => `${prefix}/`);
}

function count(name: string, value: number): void {
  if (value > 0) metrics.addMetric(name, MetricUnit.Count, value);
}

function publishMetrics(): void {
  if (metrics.hasStoredMetrics()) metrics.publishStoredMetrics();
}

function once<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
