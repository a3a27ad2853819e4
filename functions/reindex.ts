import type { ConsistencyReport } from './check/consistency.ts';
import { RepositoryFacts } from './check/repository-facts.ts';
import { compareByBytes, isIndexKey, isPackageKey, joinKey, splitKey } from './keys.ts';
import type { ETag, Hint, HintQueue, ObjectStore, RecordTable, Repository, Row } from './ports.ts';

/** Comparing a bucket with the table. */
export const reindexLimits = {
  /** Hints handed to the queue at a time: bounds what is in memory, and what is sent again if sending fails. */
  hintsPerSendMax: 500,
} as const;

export interface ReindexPorts {
  readonly objects: Pick<ObjectStore, 'list'>;
  readonly records: RecordTable;
  readonly hints: HintQueue;
}

/** How far a reindex came: everything up to and with this file, or the whole repository where none is named. */
export interface ReindexPlace {
  readonly repository: Repository;
  readonly file?: string;
}

export interface ReindexOptions {
  /** Only keys that begin with this. */
  readonly prefix?: string;
  /** Send a hint for every package, not only for those that differ. */
  readonly force?: boolean;
  /** Look for packages that differ, and leave the indexes alone. */
  readonly onlyPackages?: boolean;
  /** Where one that was stopped goes on. */
  readonly after?: ReindexPlace;
  /** Asked after each batch of hints: whether to stop here, to go on later. */
  readonly isTimeUp?: () => boolean;
  /**
   * Told how the packages of each repository fit together, as its rows are now: they are read anyway. `report` is undefined where
   * there was too much to keep. Without it nothing is kept of them.
   */
  readonly onReport?: (repository: Repository, report: ConsistencyReport | undefined) => void;
}

export interface ReindexResult {
  readonly repositories: number;
  /** Packages listed. */
  readonly packages: number;
  /** Hints sent: packages without a row that has their ETag, and rows without a package. */
  readonly hints: number;
  /** Where it stopped, if it did. */
  readonly stoppedAt?: ReindexPlace;
}

/**
 * Compare the bucket with the table, and send a hint for every key that differs. It changes nothing itself, so it can run at any
 * time; it is how lost events are made good, and how an existing bucket is adopted. Every repository's index is asked to be
 * looked at, too.
 */
export async function reindex(ports: ReindexPorts, options: ReindexOptions = {}): Promise<ReindexResult> {
  const { prefix = '', force = false, onlyPackages = false, after, isTimeUp = () => false, onReport } = options;
  const listed = await listRepositories(ports, prefix);
  const repositories = [...listed.keys()].sort(compareByBytes).filter((repository) => isAhead(repository, after));
  const result = { repositories: 0, packages: 0, hints: 0 };
  for (const repository of repositories) {
    const etags = listed.get(repository) ?? new Map<string, ETag>();
    const resumed = repository === after?.repository ? after.file : undefined;
    if (resumed === undefined) {
      result.repositories += 1;
      result.packages += etags.size;
    }
    const facts = onReport === undefined ? undefined : new RepositoryFacts();
    const rows = seenBy(facts, ports.records.rows(repository));
    const differing = differences(rows, repository, etags, { prefix, force, after: resumed });
    for await (const files of inBatches(differing)) {
      await ports.hints.send(
        files.map((file): Hint => ({ key: joinKey(repository, file), ...(force ? { force } : {}) })),
      );
      result.hints += files.length;
      const last = files.at(-1);
      if (last !== undefined && isTimeUp()) return { ...result, stoppedAt: { repository, file: last } };
    }
    if (facts !== undefined) onReport?.(repository, facts.check());
    if (!onlyPackages) await ports.records.requestSummary(repository);
    if (repository !== repositories.at(-1) && isTimeUp()) return { ...result, stoppedAt: { repository } };
  }
  return result;
}

function isAhead(repository: Repository, after: ReindexPlace | undefined): boolean {
  if (after === undefined) return true;
  const order = compareByBytes(repository, after.repository);
  return order > 0 || (order === 0 && after.file !== undefined);
}

/** The packages below `prefix` by repository; one that has an index, or is in the table, is there without a package, too. */
async function listRepositories(
  { objects, records }: ReindexPorts,
  prefix: string,
): Promise<Map<Repository, Map<string, ETag>>> {
  const listed = new Map<Repository, Map<string, ETag>>();
  for await (const { key, etag } of objects.list(prefix)) {
    const isPackage = isPackageKey(key);
    if (!isPackage && !isIndexKey(key)) continue;
    const { repository, file } = splitKey(key);
    const etags = listed.get(repository) ?? new Map<string, ETag>();
    listed.set(repository, etags);
    if (isPackage) etags.set(file, etag);
  }
  for await (const repository of records.repositories()) {
    const isConcerned = joinKey(repository, '').startsWith(prefix) || splitKey(prefix).repository === repository;
    if (isConcerned && !listed.has(repository)) listed.set(repository, new Map());
  }
  return listed;
}

/** The rows as they pass; one that is passed over by what follows is seen, too. */
async function* seenBy(facts: RepositoryFacts | undefined, rows: AsyncIterable<Row>): AsyncGenerator<Row> {
  for await (const row of rows) {
    facts?.add(row);
    yield row;
  }
}

/** Files behind `after` whose package and row differ (or all, with `force`), in order: rows and packages side by side. */
async function* differences(
  rows: AsyncIterable<Row>,
  repository: Repository,
  etags: ReadonlyMap<string, ETag>,
  options: { readonly prefix: string; readonly force: boolean; readonly after: string | undefined },
): AsyncGenerator<string> {
  const { prefix, force, after } = options;
  const isConcerned = (file: string) =>
    joinKey(repository, file).startsWith(prefix) && (after === undefined || compareByBytes(file, after) > 0);
  const files = [...etags.keys()].filter(isConcerned).sort(compareByBytes);
  let next = 0;
  for await (const { file, etag } of rows) {
    if (!isConcerned(file)) continue;
    for (let ahead = files[next]; ahead !== undefined && compareByBytes(ahead, file) < 0; ahead = files[next]) {
      yield ahead;
      next += 1;
    }
    if (files[next] === file) next += 1;
    if (force || etags.get(file) !== etag) yield file;
  }
  yield* files.slice(next);
}

async function* inBatches(files: AsyncIterable<string>): AsyncGenerator<string[]> {
  let batch: string[] = [];
  for await (const file of files) {
    batch.push(file);
    if (batch.length < reindexLimits.hintsPerSendMax) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
