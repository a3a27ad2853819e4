/** Whether a deployed stack indexes a bucket: the bucket's notification rules say so. */

import { GetBucketNotificationConfigurationCommand, type S3Client } from '@aws-sdk/client-s3';
import { packageSuffixes } from '../../keys.ts';
import type { StoreAddress } from './store-address.ts';
import { StoreFailure } from './store-failure.ts';

/** An SQS queue of AWS. MinIO's ARNs look alike: `arn:minio:sqs::ID:webhook`. */
const queueArn = /^arn:aws[\w-]*:sqs:[\w-]+:\d{12}:(.+)$/;

/**
 * The name of a stack's queue that gets the events of packages here (infra/notifications.ts). Undefined also where the store has no
 * notifications, or does not show them to us.
 */
export async function indexingQueue(client: S3Client, { bucket, prefix }: StoreAddress): Promise<string | undefined> {
  try {
    const command = new GetBucketNotificationConfigurationCommand({ Bucket: bucket });
    const { QueueConfigurations: rules = [] } = await client.send(command);
    for (const { QueueArn: arn = '', Filter: filter } of rules) {
      const filtered = (name: string) =>
        (filter?.Key?.FilterRules ?? []).find((rule) => rule.Name?.toLowerCase() === name)?.Value ?? '';
      const [, queue] = queueArn.exec(arn) ?? [];
      const start = filtered('prefix');
      const isOverlap = start.startsWith(prefix) || prefix.startsWith(start);
      if (queue !== undefined && isOverlap && packageSuffixes.some((suffix) => suffix === filtered('suffix')))
        return queue;
    }
    return undefined;
  } catch (error) {
    // 404, 405, 501 …, or 403: the key need not see them.
    if (error instanceof StoreFailure && error.status !== undefined) return undefined;
    throw error;
  }
}
