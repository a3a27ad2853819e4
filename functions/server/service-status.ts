/** What `GET /-/status` answers; docs/json.md describes it. Runs in a browser too: the operations view reads it. */

import type { StoreAbilities } from '../adapters/store/abilities.ts';
import type { ConsistencyReport } from '../check/consistency.ts';
import type { FindingCounts } from '../check/findings.ts';
import type { HoldBackReason } from '../ports.ts';

/** Of `POST /-/events`: how many events named a package, how many did not matter, and how many were not understood. */
export interface EventCounts {
  readonly hints: number;
  readonly ignored: number;
  readonly unknown: number;
}

/** Times are in ISO 8601, UTC. */
export interface ServiceStatus {
  readonly startedAt: string;
  readonly uptimeSeconds: number;
  /** Of the whole process, resident. */
  readonly memoryBytes: number;
  /** Since the start. */
  readonly counts: {
    readonly uploads: number;
    readonly indexed: number;
    readonly rejected: number;
    readonly removed: number;
    readonly publications: number;
  };
  readonly queue: {
    /** Keys that are waiting or being read. */
    readonly pending: number;
    /** Repositories whose index is waiting or being published. */
    readonly publications: number;
    readonly deadLetters: readonly {
      readonly key: string;
      readonly message: string;
      readonly tries: number;
      readonly at: string;
    }[];
  };
  /** Directories that are compared every few seconds, because they cannot be watched; by reason. */
  readonly polled: readonly {
    readonly directories: number;
    /** `no inotify watch is left` */
    readonly reason: string;
    /** What to change; null where nothing helps. */
    readonly setting: string | null;
  }[];
  /** What the store can do; absent for a directory. */
  readonly store?: StoreAbilities;
  /** Since the start; absent where nobody may send events. */
  readonly events?: EventCounts;
  /** The latest first. */
  readonly publications: readonly {
    readonly repository: string;
    readonly at: string;
    readonly packages: number;
    readonly bytes: number;
    readonly milliseconds: number;
    readonly latency: {
      readonly changes: number;
      readonly medianMilliseconds: number;
      readonly maxMilliseconds: number;
    } | null;
  }[];
  /** Of all repositories, including those that are not listed. */
  readonly totals: {
    readonly repositories: number;
    readonly packages: number;
    readonly packageBytes: number;
    readonly rejected: number;
    readonly pending: number;
    readonly warnings: number;
    readonly findings: number;
    readonly deadLetters: number;
  };
  /** The first ones. */
  readonly repositories: readonly ServedRepository[];
}

export interface ServedRepository {
  readonly repository: string;
  readonly packages: number;
  readonly packageBytes: number;
  /** Of the lists of rejected and pending packages, which have the first ones only. */
  readonly totals: { readonly rejected: number; readonly pending: number };
  readonly rejected: readonly { readonly file: string; readonly code: string; readonly message: string }[];
  /** Code → how many packages have it. */
  readonly warnings: Readonly<Record<string, number>>;
  /** Keys. */
  readonly pending: readonly string[];
  readonly indexes: readonly { readonly file: string; readonly published: string; readonly bytes: number }[];
  readonly isAdopted: boolean;
  /** A publication that did not take place: it would have dropped many records. */
  readonly heldBack: {
    readonly reason: HoldBackReason;
    readonly from: number;
    readonly to: number;
    readonly files: readonly string[];
    readonly since: string;
  } | null;
  /** Names of indexes, or of the page, that cannot be published because a directory has that name. */
  readonly obstructed: readonly string[];
  /** When this status was made. The server knows of no change since. */
  readonly at: string;
  /** Null where the repository is too large to check. */
  readonly findings: FindingCounts | null;
  /** The first findings of each kind, each with the first of its packages. */
  readonly report: ConsistencyReport | null;
}

/** The body of `POST /-/retry` … */
export type RetryRequest = { readonly key: string } | { readonly all: true };

/** … and its answer. */
export interface RetryAnswer {
  /** How many packages are read again. */
  readonly retried: number;
}

/** The body of `POST /-/adopt`: the repository of which something is held back … */
export interface AdoptRequest {
  readonly repository: string;
}

/** … and its answer. */
export interface AdoptAnswer {
  readonly adopted: true;
}
