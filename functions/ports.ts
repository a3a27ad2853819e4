/**
 * What the steps need of the world: types only, no code.
 *
 * A step (extract, summarize, reindex) sees nothing but these. Each port has several adapters (functions/adapters/) and
 * one contract suite (test/adapters/*.contract.ts) that is run over all of them.
 */

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
  /** What the writer attached to the object; names in lower case. Empty where none was, or where it is not known any more. */
  readonly metadata: Readonly<Record<string, string>>;
}

export interface ListedObject {
  readonly key: ObjectKey;
  readonly etag: ETag;
  /** Bytes. */
  readonly size: number;
}

/** The bytes of an object; or pieces of them, one behind the other. */
export type ObjectBody = Uint8Array | readonly Uint8Array[];

/** When a put takes effect; otherwise it has none. */
export type PutCondition = { readonly ifMatch: ETag } | { readonly ifNoneMatch: '*' };

export interface PutOptions {
  readonly condition: PutCondition;
  readonly metadata: Readonly<Record<string, string>>;
  readonly contentType: string;
  /** For a store that says it to clients itself (S3). */
  readonly cacheControl?: string;
  /** Last-Modified in whole seconds. A store that sets its own (S3) ignores it; a directory obeys, so that it never stands still. */
  readonly lastModified: Date;
}

/** `lost-race`: the condition did not hold, somebody else wrote first; look again. */
export type PutOutcome = { readonly outcome: 'stored'; readonly etag: ETag } | { readonly outcome: 'lost-race' };

/** Thrown by `readRange`: the object is not the one that was looked at any more. Look again. */
export class ObjectChanged extends Error {
  override readonly name = 'ObjectChanged';
  constructor(key: ObjectKey) {
    super(`${key} changed or vanished while it was being read`);
  }
}

/**
 * A bucket, or a directory that stands for one. Reads see the latest write; listings too.
 *
 * `signal` ends a request that waits for a store on the network: the call then throws. A store without a network may ignore it.
 */
export interface ObjectStore {
  /** Undefined where there is no such object. */
  head(key: ObjectKey, signal?: AbortSignal): Promise<ObjectFacts | undefined>;
  /**
   * Bytes `offset … offset + length - 1`, fewer where the object ends before.
   * @throws {ObjectChanged} where the object's ETag is not `etag` (any more).
   */
  readRange(key: ObjectKey, etag: ETag, offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array>;
  /** Replaces the object atomically: a reader sees the old one or the new one, whole. */
  put(key: ObjectKey, body: ObjectBody, options: PutOptions): Promise<PutOutcome>;
  /** Removes the object; one that is absent is no error. */
  delete(key: ObjectKey, signal?: AbortSignal): Promise<void>;
  /** All objects whose key begins with `prefix`, in no particular order. */
  list(prefix: string): AsyncIterable<ListedObject>;
}

interface RowFacts {
  readonly repository: Repository;
  /** The key's last part. */
  readonly file: string;
  /** Of the object that the row was read from. */
  readonly etag: ETag;
  /** Bytes. */
  readonly size: number;
  readonly lastModified: Date;
  readonly indexedAt: Date;
}

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
}

export type Row = IndexedRow | RejectedRow;

/** Of a repository: the files whose rows changed, or anything. */
export type Changes = 'all' | ReadonlySet<string>;

/** Told of a change by a table on this machine; without a file, of anything. */
export type OnChange = (repository: Repository, file: string | undefined) => void;

/** The table of rows, and of the repositories they are in. All of it is derived data: a reindex brings it back. */
export interface RecordTable {
  row(repository: Repository, file: string): Promise<Row | undefined>;
  /** Puts the row in the place of the one with the same repository and file. Tells the change stream, as every change of a row does. */
  putRow(row: Row): Promise<void>;
  /** A row that is absent is no error, and no change. */
  deleteRow(repository: Repository, file: string): Promise<void>;
  /** The repository's rows, by the bytes of `file`; consistent: every write that ended before the call is in it. */
  rows(repository: Repository): AsyncIterable<Row>;
  /** Every repository that has a row, or has been summarized. */
  repositories(): AsyncIterable<Repository>;
  /** Takes the repository's next run number: an atomic increment; the first is 1. */
  takeRun(repository: Repository): Promise<number>;
  /** The last run number that was taken; 0 where none was. */
  lastRun(repository: Repository): Promise<number>;
  /** Whether the rows have ever covered the whole repository (design: first publication over an existing index). */
  isAdopted(repository: Repository): Promise<boolean>;
  markAdopted(repository: Repository): Promise<void>;
  /** Has the change stream report that anything may have changed, so that all rows are held against the index. */
  requestSummary(repository: Repository): Promise<void>;
}

/** Objects that stand for a package under another key, for clients that cannot ask for its own (see `plusAliasOf`). */
export interface AliasKeeper {
  /** Makes the alias, or its absence, agree with what was seen at the key. An alias has `aliasMetadata` and is no package. */
  reconcile(key: ObjectKey, seen: ObjectFacts | undefined, signal?: AbortSignal): Promise<void>;
}

/** The metadata that marks an alias. */
export const aliasMetadata = 'alias-of';

/** "Something happened to this key." It carries no truth: whoever takes it looks for itself. */
export interface Hint {
  readonly key: ObjectKey;
  /** Read the package again even though its row is up to date (after a change of the reader). */
  readonly force?: boolean;
}

/** Delivers every hint at least once, in no order. */
export interface HintQueue {
  send(hints: readonly Hint[]): Promise<void>;
}

export interface Clock {
  now(): Date;
  /** Resolves after that time, or at once when `signal` aborts; never rejects. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}
