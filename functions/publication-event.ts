/** What programs receive about a publication: by a web hook, by a command, and on AWS by a topic. docs/json.md describes it. */

import type { Repository } from './ports.ts';
import type { Publication } from './summarize.ts';

export const eventLimits = {
  /** Names in each list. Three lists of 255-byte names stay below the 256 KiB of a message of Amazon SNS. */
  namesMax: 250,
} as const;

export interface PublicationEvent {
  readonly repository: Repository;
  /** Later publications of a repository have higher ones: the seconds since 1970 of the index's Last-Modified. */
  readonly sequence: number;
  /** ISO 8601, UTC. */
  readonly published: string;
  /** In the index. */
  readonly packages: number;
  /** File names, the first ones; null where the index that was replaced is not one of ours. */
  readonly added: readonly string[] | null;
  readonly removed: readonly string[] | null;
  readonly changed: readonly string[] | null;
  readonly totals: { readonly added: number; readonly removed: number; readonly changed: number } | null;
}

export function publicationEvent(
  repository: Repository,
  { publishedAt, summary, difference }: Publication & { readonly outcome: 'published' },
): PublicationEvent {
  const first = (names: readonly string[] | undefined) => names?.slice(0, eventLimits.namesMax) ?? null;
  return {
    repository,
    sequence: publishedAt.getTime() / 1_000,
    published: publishedAt.toISOString(),
    packages: summary.records,
    added: first(difference?.added),
    removed: first(difference?.removed),
    changed: first(difference?.changed),
    totals: difference
      ? {
          added: difference.added.length,
          removed: difference.removed.length,
          changed: difference.changed.length,
        }
      : null,
  };
}
