import { joinKey } from './keys.ts';
import type { Clock, DelayedHintQueue, Repository, RetryTable } from './ports.ts';

/** Requesting a publication again that failed. */
export const retryLimits = {
  /** The wait after the first failure doubles with each further one … */
  waitMillisecondsMin: 15_000,
  /** … up to this: the alarm expects a failure in every quarter of an hour, and SQS delays a message by 15 minutes at most. */
  waitMillisecondsMax: 600_000,
  /** How far the clocks of two functions may differ. */
  clockSkewMilliseconds: 5_000,
} as const;

export interface RetryPorts {
  readonly hints: DelayedHintQueue;
  readonly retries: RetryTable;
  readonly clock: Clock;
}

/**
 * The publication of a repository failed: requests a summary of all its rows after a wait, so that the failed changes can be
 * acknowledged and other repositories need not wait for this one. A request that is on its way already is enough, since the run that it
 * causes begins after this failure.
 *
 * @returns when the repository is summarized again
 * @throws any error of the ports: the caller must not acknowledge the changes then.
 */
export async function retrySummary({ hints, retries, clock }: RetryPorts, repository: Repository): Promise<Date> {
  const now = clock.now().getTime();
  const pending = await retries.retry(repository);
  if (pending !== undefined && pending.at.getTime() > now + retryLimits.clockSkewMilliseconds) return pending.at;
  const failures = (pending?.failures ?? 0) + 1;
  const { waitMillisecondsMin, waitMillisecondsMax } = retryLimits;
  const wait = Math.min(waitMillisecondsMin * 2 ** (failures - 1), waitMillisecondsMax);
  await hints.sendAfter([{ key: summaryKey(repository) }], wait);
  const at = new Date(now + wait);
  // Last: if this process dies before, the next failure sends another request.
  await retries.setRetry(repository, { failures, at });
  return at;
}

/** A hint of ours with an index's key requests a summary of all rows. */
function summaryKey(repository: Repository): string {
  return joinKey(repository, 'pkg_summary.gz');
}
