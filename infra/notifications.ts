/** What the bucket tells the queue: which events, for which keys. Used by the template and, on an existing bucket, by the script that merges. */

import { packageSuffixes } from '../functions/keys.ts';

/**
 * Every way in which an object appears or goes. Expiry by a lifecycle rule is no ObjectRemoved (S3 user guide, "Supported event
 * types").
 */
export const bucketEvents = ['s3:ObjectCreated:*', 's3:ObjectRemoved:*', 's3:LifecycleExpiration:*'] as const;

/** Keys that begin with `prefix` (with its trailing `/`; undefined: any) and end in `suffix`. */
export interface KeyFilter {
  readonly prefix: string | undefined;
  readonly suffix: string;
}

/**
 * One filter per package suffix and prefix. No two overlap, which S3 demands of rules for the same event: the suffixes end
 * differently, and no prefix lies in another (options.ts sees to that). The index's own names match none.
 */
export function keyFilters(prefixes: readonly string[]): readonly KeyFilter[] {
  const starts = prefixes.length === 0 ? [undefined] : prefixes.map((prefix) => `${prefix}/`);
  return starts.flatMap((prefix) => packageSuffixes.map((suffix) => ({ prefix, suffix })));
}
