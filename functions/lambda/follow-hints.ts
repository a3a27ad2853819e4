import type { SQSBatchResponse } from 'aws-lambda';
import pMap from 'p-map';
import { hintsFrom, type ReceivedHint } from '../events.ts';
import { type Extraction, type ExtractPorts, extract, extractLimits } from '../extract.ts';
import { isIndexKey, splitKey } from '../keys.ts';
import type { Hint, ObjectKey } from '../ports.ts';
import type { Rules } from '../record/rules.ts';
import { count, logger, publishMetrics } from './telemetry.ts';

export const followLimits = {
  /** Packages that one invocation reads at the same time: each holds a window of its package in memory. */
  extractConcurrentMax: 16,
} as const;

/** The ports of extract, and which packages are accepted. */
interface FollowPorts extends ExtractPorts {
  readonly rules: Rules;
}

/**
 * Extracts each package that the hints name (hints from the queue, or events straight from a bucket).
 * @returns the messages whose packages could not be read, for SQS to deliver again.
 * @throws where such a package came without a message: Lambda then retries the whole event.
 */
export async function followHints(ports: FollowPorts, event: unknown): Promise<SQSBatchResponse> {
  const { hints, unknown } = hintsFrom(event);
  for (const { description } of unknown) logger.warn('event ignored', { description });
  if (unknown.length > 0) count('UnknownEvents', unknown.length);
  if (hints.length > 0) count('HintsReceived', hints.length);
  const failures = await pMap(coalesced(hints), (task) => follow(ports, task), {
    concurrency: followLimits.extractConcurrentMax,
  });
  publishMetrics();
  const failed = failures.flat();
  if (failed.some((messageId) => messageId === undefined))
    throw new Error('some packages could not be read; see the log');
  return { batchItemFailures: [...new Set(failed)].map((itemIdentifier = '') => ({ itemIdentifier })) };
}

/** One task for all hints with the same key. */
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
async function follow(
  ports: FollowPorts,
  { hint: { key, force = false }, messageIds }: ExtractTask,
): Promise<readonly (string | undefined)[]> {
  const signal = AbortSignal.timeout(extractLimits.readMillisecondsMax);
  try {
    if (isIndexKey(key)) await ports.records.requestSummary(splitKey(key).repository);
    else report(key, await extract(ports, key, { force, rules: ports.rules, signal }));
    return [];
  } catch (error) {
    const timeout = signal.aborted ? { timeoutMilliseconds: extractLimits.readMillisecondsMax } : {};
    logger.error('could not follow a hint; will retry', { key, ...timeout, error: error as Error });
    return messageIds;
  }
}

function report(key: ObjectKey, extraction: Extraction): void {
  if (extraction.outcome === 'removed') logger.info('removed', { key });
  if (extraction.outcome !== 'written') return;
  const { row } = extraction;
  if (row.state === 'rejected') logger.warn('rejected', { key, reason: row.reason });
  else logger.info('indexed', { key, warnings: row.warnings });
  count(row.state === 'rejected' ? 'PackagesRejected' : 'PackagesIndexed', 1);
}
