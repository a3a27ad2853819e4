/** What happened since `serve` started: counts, and the last publications with their times. */

import type { Extraction } from '../extract.ts';
import { splitKey } from '../keys.ts';
import type { Clock, ObjectKey, Repository } from '../ports.ts';
import type { Publication } from '../summarize.ts';
import { Metrics } from './metrics.ts';

export const activityLimits = {
  /** Publications that are remembered: an hour of one a minute, and what a small chart can show. */
  publicationsMax: 60,
  /** Changes that are timed at once: more is an adoption, whose times say nothing about uploads. */
  timedChangesMax: 10_000,
} as const;

export interface ActivityCounts {
  /** By PUT, not by copying into the directory. */
  readonly uploads: number;
  readonly indexed: number;
  readonly rejected: number;
  readonly removed: number;
  readonly publications: number;
}

/** An index that was replaced. */
export interface PastPublication {
  readonly repository: Repository;
  readonly at: Date;
  readonly packages: number;
  /** Of all formats. */
  readonly bytes: number;
  /** To build and put it. */
  readonly milliseconds: number;
  /** From an upload (or the first event of a file) to this publication, for the changes that it was the first to show. */
  readonly latency:
    | { readonly changes: number; readonly medianMilliseconds: number; readonly maxMilliseconds: number }
    | undefined;
}

/** A change that is in a row, but in no index yet. */
interface WaitingChange {
  /** Milliseconds since 1970. */
  readonly heardAt: number;
  readonly extractedAt: number;
}

export class Activity {
  readonly startedAt: Date;
  readonly metrics = new Metrics();
  readonly #clock: Clock;
  readonly #counts = { uploads: 0, indexed: 0, rejected: 0, removed: 0, publications: 0 };
  readonly #publications: PastPublication[] = [];
  /** The time of the first event of each key that has not been extracted since. */
  readonly #heardAt = new Map<ObjectKey, number>();
  readonly #waiting = new Map<Repository, WaitingChange[]>();

  constructor(clock: Clock) {
    this.#clock = clock;
    this.startedAt = clock.now();
  }

  get counts(): ActivityCounts {
    return { ...this.#counts };
  }

  /** The latest first. */
  get publications(): readonly PastPublication[] {
    return this.#publications;
  }

  uploaded(key: ObjectKey): void {
    this.#counts.uploads += 1;
    this.heard(key);
  }

  /** The key has just changed. */
  heard(key: ObjectKey): void {
    if (this.#heardAt.has(key) || this.#heardAt.size >= activityLimits.timedChangesMax) return;
    this.#heardAt.set(key, this.#now());
  }

  extracted(key: ObjectKey, extraction: Extraction): void {
    const heardAt = this.#heardAt.get(key);
    this.#heardAt.delete(key);
    if (extraction.outcome === 'unchanged') return;
    if (extraction.outcome === 'removed') this.#counts.removed += 1;
    else this.#counts[extraction.row.state] += 1;
    const { repository } = splitKey(key);
    const waiting = this.#waiting.get(repository) ?? [];
    this.#waiting.set(repository, waiting);
    if (heardAt !== undefined && waiting.length < activityLimits.timedChangesMax)
      waiting.push({ heardAt, extractedAt: this.#now() });
  }

  /** @param startedAt before the rows were read: the changes of before are in the index now. */
  summarized(repository: Repository, publication: Publication, startedAt: Date): void {
    // A later publication will show the changes.
    if (['waiting', 'deferred', 'held-back'].includes(publication.outcome)) return;
    const waiting = this.#waiting.get(repository) ?? [];
    const isShown = ({ extractedAt }: WaitingChange) => extractedAt <= startedAt.getTime();
    const later = waiting.filter((change) => !isShown(change));
    if (later.length > 0) this.#waiting.set(repository, later);
    else this.#waiting.delete(repository);
    if (publication.outcome !== 'published') return;

    const now = this.#now();
    const latencies = waiting.filter(isShown).map(({ heardAt }) => now - heardAt);
    this.metrics.published(now - startedAt.getTime(), latencies);
    this.#counts.publications += 1;
    this.#publications.unshift({
      repository,
      at: new Date(now),
      packages: publication.summary.records,
      bytes: publication.bytes,
      milliseconds: now - startedAt.getTime(),
      latency: latencyOf(latencies),
    });
    this.#publications.splice(activityLimits.publicationsMax);
  }

  #now(): number {
    return this.#clock.now().getTime();
  }
}

function latencyOf(milliseconds: readonly number[]): PastPublication['latency'] {
  const sorted = milliseconds.toSorted((a, b) => a - b);
  const middle = sorted[Math.floor(sorted.length / 2)];
  if (middle === undefined) return undefined;
  return { changes: sorted.length, medianMilliseconds: middle, maxMilliseconds: sorted.at(-1) ?? middle };
}
