/** Which events of which keys the bucket sends to the queue. The template uses it, and the deployment of an existing bucket. */

import { packageSuffixes } from '../functions/keys.ts';

/** Everything after which an object may have changed. Expiration by a lifecycle rule is no ObjectRemoved (S3 user guide, "Supported event types"). */
export const bucketEvents = ['s3:ObjectCreated:*', 's3:ObjectRemoved:*', 's3:LifecycleExpiration:*'] as const;

/** Keys that begin with `prefix` (with its trailing `/`; undefined: any) and end in `suffix`. */
export interface KeyFilter {
  readonly prefix: string | undefined;
  readonly suffix: string;
}

/**
 * One filter for each prefix and package suffix. No two overlap, as S3 demands of rules for the same event: the suffixes end
 * differently, and no prefix is inside another (options.ts). The names of indexes match none.
 */
export function keyFilters(prefixes: readonly string[]): readonly KeyFilter[] {
  const starts = prefixes.length === 0 ? [undefined] : prefixes.map((prefix) => `${prefix}/`);
  return starts.flatMap((prefix) => packageSuffixes.map((suffix) => ({ prefix, suffix })));
}
