/** Our rules in the notification configuration of a bucket that is not ours alone: read, merge, write back. */

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
import { commandLimits } from './limits.ts';
import {
  type AnyRule,
  countOurs,
  type Merge,
  mergeRules,
  type RuleOwner,
  rulesOf,
  withoutOurs,
} from './notification-rules.ts';

export async function readNotifications(s3: S3Client, bucket: string): Promise<NotificationConfiguration> {
  const { $metadata: _, ...configuration } = await s3.send(
    new GetBucketNotificationConfigurationCommand({ Bucket: bucket }),
  );
  return configuration;
}

/** The merge, or the reason why there is none. @throws {CannotRun} nothing has been changed then. */
export function expectMerge(bucket: string, merge: Merge): Merge & { readonly outcome: 'unchanged' | 'merged' } {
  if (merge.outcome === 'too-many') {
    throw new CannotRun(
      `${bucket} would have ${merge.rules} notification rules, and S3 takes ${deploymentLimits.notificationRulesMax}: ` +
        'give fewer prefixes, or remove rules that are not needed. Nothing was changed.',
    );
  }
  if (merge.outcome !== 'overlap') return merge;
  const pairs = merge.overlaps.map(
    ({ ours, theirs }) => `  there is    ${describeRule(theirs)}\n  wanted is   ${describeRule(ours)}`,
  );
  throw new CannotRun(
    `${bucket} has a notification rule that overlaps with ours, and S3 takes only one for an event and a key:\n` +
      `${pairs.join('\n')}\n` +
      'Watch other prefixes (--prefix), or narrow the rule that is there: ' +
      'docs/deploying.md, "A rule is in the way". Nothing was changed.',
  );
}

/** `images → arn:…: s3:ObjectCreated:*, keys images/*.tgz` */
export function describeRule({ id, destination, events, prefix, suffix }: AnyRule): string {
  return `${id ?? 'a rule without a name'} → ${destination}: ${events.join(', ')}, keys ${prefix}*${suffix}`;
}

/**
 * Merges and writes. S3 knows no conditional write here: so it looks again afterwards whether all that others have is still there.
 * @throws {CannotRun} for rules that overlap, and where the bucket does not hold what was written.
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
    `somebody else changed the notification rules of ${bucket} at the same time; look at them, and deploy again.`,
  );
}

/** @returns how many rules were removed. A bucket that is gone has none. */
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
      // Other people's destinations may be gone: that must not keep ours in place.
      SkipDestinationValidation: true,
    }),
  );
  return ours;
}

/** S3 sends the queue a test message first, and a queue's new policy may take a minute to be known everywhere (SQS guide). */
async function putUntilReachable(
  { s3, clock }: { readonly s3: S3Client; readonly clock: Clock },
  bucket: string,
  configuration: NotificationConfiguration,
): Promise<void> {
  const { destinationTriesMax, destinationRetryMilliseconds } = commandLimits;
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
            'It tests all of them, also those that were there before: remove the rules whose queue, topic or function is gone, and deploy again.',
        );
      }
    }
    await clock.sleep(destinationRetryMilliseconds);
  }
}
