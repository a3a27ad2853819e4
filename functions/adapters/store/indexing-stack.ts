/** Whether a deployed stack indexes a bucket: its notification rules say so. */

import { GetBucketNotificationConfigurationCommand, type S3Client } from '@aws-sdk/client-s3';
import { packageSuffixes } from '../../keys.ts';
import type { StoreAddress } from './store-address.ts';
import { StoreFailure } from './store-failure.ts';

/**
 * The name of the stack. A stack's rules are called `STACK.1`, `STACK.2` … and are about packages (scripts/aws/notification-rules.ts).
 * Undefined also where the store has no notifications, or keeps their rules from us.
 */
export async function indexingStack(client: S3Client, { bucket, prefix }: StoreAddress): Promise<string | undefined> {
  try {
    const command = new GetBucketNotificationConfigurationCommand({ Bucket: bucket });
    const { QueueConfigurations: rules = [] } = await client.send(command);
    for (const { Id: id = '', Filter: filter } of rules) {
      const values = (name: string) =>
        (filter?.Key?.FilterRules ?? []).find((rule) => rule.Name?.toLowerCase() === name)?.Value ?? '';
      const [, stack] = /^([A-Za-z][A-Za-z0-9-]*)\.\d+$/.exec(id) ?? [];
      const theirs = values('prefix');
      const isBelow = theirs.startsWith(prefix) || prefix.startsWith(theirs);
      if (stack !== undefined && isBelow && packageSuffixes.some((suffix) => suffix === values('suffix'))) return stack;
    }
    return undefined;
  } catch (error) {
    if (error instanceof StoreFailure && error.status !== undefined && error.status !== 503) return undefined;
    throw error;
  }
}
