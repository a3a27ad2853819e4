/**
 * The ports: what the steps (extract, summarize, reindex) use of the outside world. Types only.
 *
 * Each port has several adapters (functions/adapters/) and one contract suite (test/adapters/*.contract.ts), which runs over all
 * of them.
 */

import type { SignatureProblem, SignedBy } from './trust/signature-finding.ts';

/** `/`-separated path of an object in its bucket, without a leading `/`; valid UTF-8. `All/x-1.0.tgz`. */
export type ObjectKey = string;

/** The key prefix that holds packages and one summary, without a trailing `/`; the empty string is the bucket's root. */
export type Repository = string;

/** An opaque version of an object's content. It is *not* a hash of it: compare it, never interpret it. */
export type ETag = string;

export interface ObjectFacts {
  readonly etag: ETag;
  /** Bytes. */
  readonly size: number;
  readonly lastModified: Date;
  /** What the writer attached to the object; names in lower case. Empty where there is none, or where it was lost. */
  readonly metadata: Readonly<Record<string, string>>;
}

export interface ListedObject {
  readonly key: ObjectKey;
  readonly etag: ETag;
  /** Bytes. */
  readonly size: number;
}

/** The bytes of an object, or pieces of it in order. */
export type ObjectBody = Uint8Array | readonly Uint8Array[];

/** A put takes effect only where this holds. */
export type PutCondition = { readonly ifMatch: ETag } | { readonly ifNoneMatch: '*' };

export interface PutOptions {
  readonly condition: PutCondition;
  readonly metadata: Readonly<Record<string, string>>;
  readonly contentType: string;
  /** For a store that sends it to clients itself (S3). */
  readonly cacheControl?: string;
  /** Last-Modified in whole seconds. A directory uses it, so that two puts never have the same; S3 sets its own. */
  readonly lastModified: Date;
}

/** `lost-race`: the condition did not hold, since something else wrote first. Start again. */
export type PutOutcome = { readonly outcome: 'stored'; readonly etag: ETag } | { readonly outcome: 'lost-race' };

/** Thrown by `readRange`: the object has another ETag now, or is gone. Start again. */
export class ObjectChanged extends Error {
  override readonly name = 'ObjectChanged';
  constructor(key: ObjectKey) {
    super(`${key} changed or vanished while it was being read`);
  }
}

/**
 * A bucket, or a directory. Reads and listings see every write that ended before.
 *
 * `signal` aborts a request that waits for a store on the network: the call then throws. A local store may ignore it.
 */
export interface ObjectStore {
  /** Undefined where there is no such object. */
  head(key: ObjectKey, signal?: AbortSignal): Promise<ObjectFacts | undefined>;
  /**
   * Bytes `offset … offset + length - 1`, fewer where the object ends before.
   * @throws {ObjectChanged} where the object's ETag is not `etag`.
   */
  readRange(key: ObjectKey, etag: ETag, offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array>;
  /** Replaces the object atomically: a reader sees the old one or the new one, whole. */
  put(key: ObjectKey, body: ObjectBody, options: PutOptions): Promise<PutOutcome>;
  /** Removes the object; one that is absent is no error. */
  delete(key: ObjectKey, signal?: AbortSignal): Promise<void>;
  /** All objects whose key begins with `prefix`, in any order. */
  list(prefix: string): AsyncIterable<ListedObject>;
  /** Whether a directory is in the place of this object, so that it cannot be put. Only a store in a file system has this. */
  isDirectory?(key: ObjectKey): Promise<boolean>;
}

interface RowFacts {
  readonly repository: Repository;
  /** The key's last part. */
  readonly file: string;
  /** Of the object that the row describes. */
  readonly etag: ETag;
  /** Bytes. */
  readonly size: number;
  readonly lastModified: Date;
  readonly indexedAt: Date;
  /** Fingerprint of the rules by which it was made (functions/record/rules.ts); empty in a row of an older version. */
  readonly rules: string;
  /** Absent where the rules do not verify signatures. */
  readonly signature?: SignatureCheck;
}

/** Who signed a package, or why that is not known (functions/trust/). */
export type SignatureCheck =
  | ({ readonly state: 'good' } & SignedBy)
  | { readonly state: 'problem'; readonly code: SignatureProblem; readonly message: string };

/** In the index. `record` is what `pkg_info -X` prints: bytes in no declared encoding, ending in one empty line. */
export interface IndexedRow extends RowFacts {
  readonly state: 'indexed';
  readonly record: Uint8Array;
  /** Codes of functions/record/hazards.ts. */
  readonly warnings: readonly string[];
}

/** Not in the index, because of `reason`. */
export interface RejectedRow extends RowFacts {
  readonly state: 'rejected';
  readonly reason: { readonly code: string; readonly message: string };
  /** What the rules reject; undefined where there is no record, since the package could not be read. */
  readonly record?: Uint8Array;
}

export type Row = IndexedRow | RejectedRow;

/** Which version of a package a row is of, and by which rules it was made. */
export type RowTag = Pick<Row, 'file' | 'etag' | 'rules'>;

/** What changed in a repository: the rows of these files, or anything. */
export type Changes = 'all' | ReadonlySet<string>;

/** Called by a table on this machine when a row changed; without a file: anything may have changed. */
export type OnChange = (repository: Repository, file: string | undefined) => void;

/**
 * Why a publication is held back: the rules changed; the index that is there is not ours; the rows have never covered it; or the operator
 * allows no publication that drops so many records (`--max-shrink`).
 */
export type HoldBackReason = 'rules' | 'foreign-index' | 'adoption' | 'max-shrink';

/** A publication that did not take place, since it would have dropped many records of the index that is there. */
export interface HeldBack {
  readonly reason: HoldBackReason;
  /** Records of the index that stays … */
  readonly from: number;
  /** … and of the one that was held back. */
  readonly to: number;
  /** The first of the files whose records would be missing. */
  readonly files: readonly string[];
  /** Of the index that stays. */
  readonly index: ETag;
  readonly since: Date;
}

/** What summarize knows of a repository. */
export interface RepositoryState {
  /** Whether the rows have covered the whole repository (docs/interleavings.md, "First publication over an index that is not ours"). */
  readonly isAdopted: boolean;
  readonly heldBack: HeldBack | undefined;
}

/** The table of rows, and the table of repositories. Both are derived data: a reindex rebuilds them. */
export interface RecordTable {
  row(repository: Repository, file: string): Promise<Row | undefined>;
  /** Replaces the row of the same repository and file. Like every change of a row, it enters the change stream. */
  putRow(row: Row): Promise<void>;
  /** A row that is absent is no error, and no change. */
  deleteRow(repository: Repository, file: string): Promise<void>;
  /** The repository's rows, by the bytes of `file`. Consistent: includes every write that ended before the call. */
  rows(repository: Repository): AsyncIterable<Row>;
  /** The same of each row, without its record: what reindex compares. With `after`, of the files behind that one only. */
  rowTags(repository: Repository, after?: string): AsyncIterable<RowTag>;
  /** Every repository that has a row, or has been summarized. */
  repositories(): AsyncIterable<Repository>;
  /** Increments the repository's run number, atomically, and returns it. The first is 1. */
  takeRun(repository: Repository): Promise<number>;
  /** The last run number that was taken; 0 where none was. */
  lastRun(repository: Repository): Promise<number>;
  state(repository: Repository): Promise<RepositoryState>;
  markAdopted(repository: Repository): Promise<void>;
  /**
   * Nothing is left of it: what comes back under its name has to be adopted again. Its next run number is still later than every one before.
   */
  forget(repository: Repository): Promise<void>;
  /** Undefined: nothing is held back. */
  setHeldBack(repository: Repository, heldBack: HeldBack | undefined): Promise<void>;
  /** Enters into the change stream that anything may have changed: summarize then reads all rows. */
  requestSummary(repository: Repository): Promise<void>;
}

/** Keeps copies of packages under other keys, for clients that cannot request the package's own key (see `plusAliasOf`). */
export interface AliasKeeper {
  /** Puts or deletes the key's alias, to match the package at the key. An alias has `aliasMetadata`, and is not a package. */
  reconcile(key: ObjectKey, object: ObjectFacts | undefined, signal?: AbortSignal): Promise<void>;
}

/** The metadata that marks an alias. */
export const aliasMetadata = 'alias-of';

/** A repository whose last publication failed. */
export interface Retry {
  /** In a row. */
  readonly failures: number;
  /** No summary that was requested because of them begins before. */
  readonly at: Date;
}

/** Which repositories could not be published. Derived data: without it, a failure is retried sooner. */
export interface RetryTable {
  retry(repository: Repository): Promise<Retry | undefined>;
  /** Undefined: it was published. */
  setRetry(repository: Repository, retry: Retry | undefined): Promise<void>;
}

/**
 * "Something happened to this key." It does not say what: extract checks the object itself. With the key of an index: a summary of all
 * rows is due.
 */
export interface Hint {
  readonly key: ObjectKey;
  /** Read the package again even if its row is up to date (after a change of the reader). */
  readonly force?: boolean;
}

/** Delivers every hint at least once, in any order. */
export interface HintQueue {
  send(hints: readonly Hint[]): Promise<void>;
}

export interface DelayedHintQueue extends HintQueue {
  /** As `send`, but none is delivered before that time has passed. At most 15 minutes, in whole seconds where the queue has no others. */
  sendAfter(hints: readonly Hint[], milliseconds: number): Promise<void>;
}

export interface Clock {
  now(): Date;
  /** Resolves after that time, or at once when `signal` aborts; never rejects. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}
