import type { Context, DynamoDBBatchResponse, DynamoDBStreamEvent } from 'aws-lambda';
import pMap from 'p-map';
import { changeOfKeys } from '../adapters/aws/dynamodb-records.ts';
import { compareTotals } from '../check/architectures.ts';
import type { ArchitectureCounts } from '../index/architecture-counts.ts';
import { heldBackSentence } from '../index/hold-back.ts';
import type { IndexFormatName } from '../index/index-formats.ts';
import type { PageTemplate } from '../page/page.ts';
import type { Changes, Clock, Repository } from '../ports.ts';
import { type PublicationEvent, publicationEvent } from '../publication-event.ts';
import { type RetryPorts, retrySummary } from '../retry-summary.ts';
import { type Publication, type SummarizePorts, summarize } from '../summarize.ts';
import { count, logger, measureBytes, measureMilliseconds, publishMetrics } from './telemetry.ts';

export const publishLimits = {
  /** Repositories that one invocation summarizes at the same time: each holds its indexes in memory. */
  summarizeConcurrentMax: 2,
  /** With less time left, no further repository is started: all rows of 27,000 packages take 8 s, and S3 may be slow. */
  reserveMilliseconds: 90_000,
  /** A package older than this at its publication was not waiting for us: its bucket is being adopted. */
  uploadAgeMillisecondsMax: 86_400_000,
  /** Repositories that one line of the log names. */
  namedMax: 10,
} as const;

/** What to publish, beside the ports of summarize. */
interface PublishPorts extends SummarizePorts, RetryPorts {
  readonly formats: readonly IndexFormatName[];
  /** The page to keep beside each index, if any. */
  readonly page?: PageTemplate | undefined;
  /** Percent of its records that a publication may drop. */
  readonly maxShrink?: number | undefined;
  /** Gets a message for each publication. A publication neither waits for it for long, nor fails with it. */
  readonly topic?: { notify(event: PublicationEvent): Promise<void> } | undefined;
}

/** The part of Lambda's context that tells how much time is left. */
type Remaining = Pick<Context, 'getRemainingTimeInMillis'>;

/**
 * Summarizes each repository whose rows changed.
 * @returns the first change of each repository that there was no time for. The stream delivers everything from the earliest of them
 *   again. One that failed is not among them, so that it does not hold up the others: it is requested again by a hint.
 */
export async function publishIndexes(
  ports: PublishPorts,
  event: DynamoDBStreamEvent,
  context: Remaining,
): Promise<DynamoDBBatchResponse> {
  const late: Repository[] = [];
  const publish = async (changed: ChangedRepository) => {
    if (context.getRemainingTimeInMillis() >= publishLimits.reserveMilliseconds) return publishIndex(ports, changed);
    late.push(changed.repository);
    return [changed.sequenceNumber];
  };
  // In the order of their first changes: if time runs out, the last ones remain, and the stream continues with them.
  const failed = await pMap(changesOf(event), publish, { concurrency: publishLimits.summarizeConcurrentMax });
  if (late.length > 0)
    logger.warn('no time left for some repositories; the next invocation publishes them', {
      repositories: late.length,
      first: late.slice(0, publishLimits.namedMax),
    });
  publishMetrics();
  return { batchItemFailures: failed.flat().map((itemIdentifier) => ({ itemIdentifier })) };
}

/** What the records of one repository say. */
interface ChangedRepository {
  readonly repository: Repository;
  readonly changes: Changes;
  /** Of its first record. */
  readonly sequenceNumber: string;
}

function changesOf({ Records: records }: DynamoDBStreamEvent): readonly ChangedRepository[] {
  const changes = records.map(({ dynamodb }) => ({
    ...changeOfKeys((dynamodb?.Keys ?? {}) as Record<string, { S?: string }>),
    sequenceNumber: dynamodb?.SequenceNumber ?? '',
  }));
  return [...Map.groupBy(changes, ({ repository }) => repository)].map(([repository, own]) => ({
    repository,
    changes: own.some(({ file }) => file === undefined) ? 'all' : new Set(own.flatMap(({ file = [] }) => file)),
    sequenceNumber: own[0]?.sequenceNumber ?? '',
  }));
}

/** @returns the change to continue from; none after a success, or once a summary is requested for later. */
async function publishIndex(
  ports: PublishPorts,
  { repository, changes, sequenceNumber }: ChangedRepository,
): Promise<readonly string[]> {
  const start = performance.now();
  try {
    const { formats, page, maxShrink, topic } = ports;
    const describe = topic !== undefined;
    const publication = await summarize(ports, repository, { formats, page, changes, maxShrink, describe });
    if (changes === 'all') await ports.retries.setRetry(repository, undefined);
    report(ports.clock, repository, publication, performance.now() - start);
    if (publication.outcome === 'published') await notify(topic, publicationEvent(repository, publication));
    return [];
  } catch (error) {
    count('PublicationsFailed', 1);
    return (await retryLater(ports, repository, error as Error)) ? [] : [sequenceNumber];
  }
}

async function notify(topic: PublishPorts['topic'], event: PublicationEvent): Promise<void> {
  try {
    await topic?.notify(event);
  } catch (error) {
    const { repository, sequence } = event;
    logger.error('could not notify the topic of a publication', { repository, sequence, error: error as Error });
    count('NotificationsFailed', 1);
  }
}

/** @returns whether a summary is requested for later. */
async function retryLater(ports: RetryPorts, repository: Repository, error: Error): Promise<boolean> {
  try {
    const at = await retrySummary(ports, repository);
    logger.error('could not publish an index; will retry', { repository, at, error });
    return true;
  } catch (cause) {
    logger.error('could not publish an index, and could not request it again; the whole batch is retried', {
      repository,
      error,
      cause: cause as Error,
    });
    return false;
  }
}

function report(clock: Clock, repository: Repository, publication: Publication, milliseconds: number): void {
  const { outcome } = publication;
  if (outcome === 'absent') return;
  if (outcome === 'deferred') {
    logger.info('this index cannot be updated in part; asked for a summary of all rows', { repository });
    return;
  }
  if (outcome === 'waiting') {
    const { missing } = publication;
    logger.warn('the old index stays until every package has been read', { repository, missing });
    count('PackagesMissing', missing);
    return;
  }
  if (outcome === 'held-back') {
    logger.warn(heldBackSentence(publication.heldBack), { repository });
    count('PublicationsHeldBack', 1);
    return;
  }
  if (publication.page === 'foreign')
    logger.warn('index.html is not ours and stays: this repository has no package browser', { repository });
  // The end of waiting. At no other time, because one alarm watches all repositories: a 0 of one would hide what another misses.
  if (publication.isFirst) count('PackagesMissing', 0);
  if (outcome === 'unchanged') return;
  const { summary, bytes, publishedAt } = publication;
  const { records, architectures } = summary;
  const byArchitecture = architectures === 'too-many' ? architectures : Object.fromEntries(architectures);
  logger.info('published', { repository, records, architectures: byArchitecture, bytes, publishedAt });
  count('Publications', 1);
  count('SummaryRecords', records);
  reportArchitectures(repository, architectures);
  measureBytes('SummaryBytes', bytes);
  measureMilliseconds('SummaryDuration', milliseconds);
  const now = clock.now().getTime();
  for (const uploaded of summary.uploads) {
    const latency = now - uploaded.getTime();
    if (latency <= publishLimits.uploadAgeMillisecondsMax) measureMilliseconds('UploadToIndexLatency', latency);
  }
}

/** Counts a zero, too: the last package of another architecture may be gone. */
function reportArchitectures(repository: Repository, counts: ArchitectureCounts): void {
  if (counts === 'too-many') return;
  const { architecture, foreign } = compareTotals(counts);
  const packages = foreign.reduce((sum, each) => sum + each.packages, 0);
  count('ForeignArchitectures', packages);
  if (packages > 0)
    logger.warn(
      'packages of several architectures: pkgin update stops for everyone; check names them, --arch rejects them',
      {
        repository,
        architecture,
        foreign,
      },
    );
}
