/** Our rules in the notification configuration of an existing bucket: read, merge, write back. */

import {
  GetBucketNotificationConfigurationCommand,
  type NotificationConfiguration,
  PutBucketNotificationConfigurationCommand,
  type QueueConfiguration,
  type S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { CannotRun } from '../../functions/failures.ts';
import type { Clock } from '../../functions/ports.ts';
import { count } from '../../functions/wording.ts';
import { deploymentLimits } from '../../infra/limits.ts';
import {
  type AnyRule,
  countOurs,
  type Merge,
  mergeRules,
  type RuleOwner,
  rulesOf,
  withoutOurs,
} from './notification-rules.ts';

export const notificationLimits = {
  /** S3 tests the queue of a new rule, and the queue's policy may need a minute to take effect. */
  destinationTriesMax: 7,
  destinationRetryMilliseconds: 10_000,
} as const;

export async function readNotifications(s3: S3Client, bucket: string): Promise<NotificationConfiguration> {
  const { $metadata: _, ...configuration } = await s3.send(
    new GetBucketNotificationConfigurationCommand({ Bucket: bucket }),
  );
  return configuration;
}

/** @throws {CannotRun} where the rules cannot be merged. Nothing has been changed then. */
export function expectMerge(bucket: string, merge: Merge): Merge & { readonly outcome: 'unchanged' | 'merged' } {
  if (merge.outcome === 'too-many') {
    throw new CannotRun(
      `${bucket} would have ${merge.rules} notification rules; S3 allows ${deploymentLimits.notificationRulesMax}. ` +
        'Use fewer prefixes, or remove rules. Nothing was changed.',
    );
  }
  if (merge.outcome !== 'overlap') return merge;
  const pairs = merge.overlaps.map(
    ({ ours, theirs }) => `  existing  ${describeRule(theirs)}\n  ours      ${describeRule(ours)}`,
  );
  throw new CannotRun(
    `${bucket} has a notification rule that overlaps with ours; S3 allows only one rule for an event and a key:\n` +
      `${pairs.join('\n')}\n` +
      'Watch other prefixes (--prefix), or narrow the existing rule: ' +
      'docs/deploying.md, "Conflicting rules". Nothing was changed.',
  );
}

/** `images → arn:…: s3:ObjectCreated:*, keys images/*.tgz` */
export function describeRule({ id, destination, events, prefix, suffix }: AnyRule): string {
  return `${id ?? '(no name)'} → ${destination}: ${events.join(', ')}, keys ${prefix}*${suffix}`;
}

/**
 * Merges our rules into the bucket's. S3 has no conditional write for them, so this reads them again afterwards.
 * @throws {CannotRun} for rules that overlap, and where another program changed the rules at the same time.
 */
export async function writeOurRules(
  { s3, clock }: { readonly s3: S3Client; readonly clock: Clock },
  bucket: string,
  owner: RuleOwner,
  wanted: readonly QueueConfiguration[],
): Promise<'unchanged' | 'written'> {
  const merge = expectMerge(bucket, mergeRules(await readNotifications(s3, bucket), owner, wanted));
  if (merge.outcome === 'unchanged') return 'unchanged';
  await putUntilReachable({ s3, clock }, bucket, merge.configuration);
  const now = mergeRules(await readNotifications(s3, bucket), owner, wanted);
  if (now.outcome === 'unchanged') return 'written';
  throw new CannotRun(
    `another program changed the notification rules of ${bucket} at the same time; check them, and deploy again.`,
  );
}

/** @returns how many rules were removed; 0 for a bucket that is gone. */
export async function removeOurRules(s3: S3Client, bucket: string, owner: RuleOwner): Promise<number> {
  const current = await readNotifications(s3, bucket).catch((error: unknown) => {
    if (error instanceof S3ServiceException && error.name === 'NoSuchBucket') return {};
    throw error;
  });
  const ours = countOurs(current, owner);
  if (ours === 0) return 0;
  await s3.send(
    new PutBucketNotificationConfigurationCommand({
      Bucket: bucket,
      NotificationConfiguration: withoutOurs(current, owner),
      // The destinations of other rules may be gone.
      SkipDestinationValidation: true,
    }),
  );
  return ours;
}

/** S3 tests the queue first, and a queue's new policy may need a minute to take effect (SQS guide). */
async function putUntilReachable(
  { s3, clock }: { readonly s3: S3Client; readonly clock: Clock },
  bucket: string,
  configuration: NotificationConfiguration,
): Promise<void> {
  const { destinationTriesMax, destinationRetryMilliseconds } = notificationLimits;
  for (let tries = 1; ; tries += 1) {
    try {
      await s3.send(
        new PutBucketNotificationConfigurationCommand({ Bucket: bucket, NotificationConfiguration: configuration }),
      );
      return;
    } catch (error) {
      const isUnreachable =
        error instanceof S3ServiceException && /validate the following destination/i.test(error.message);
      if (!isUnreachable) throw error;
      if (tries === destinationTriesMax) {
        throw new CannotRun(
          `S3 could not reach a destination of the ${count(rulesOf(configuration).length, 'notification rule')} of ${bucket} (${error.message}). ` +
            'S3 tests the destinations of all rules, including older ones: remove rules whose queue, topic or function is gone, and deploy again.',
        );
      }
    }
    await clock.sleep(destinationRetryMilliseconds);
  }
}
