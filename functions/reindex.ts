import type { ConsistencyReport } from './check/consistency.ts';
import { RepositoryFacts } from './check/repository-facts.ts';
import { compareByBytes, isIndexKey, isPackageKey, isUnusableKey, joinKey, plusAliasOf, splitKey } from './keys.ts';
import {
  aliasMetadata,
  type ETag,
  type Hint,
  type HintQueue,
  type ObjectKey,
  type ObjectStore,
  type RecordTable,
  type Repository,
  type Row,
  type RowTag,
} from './ports.ts';
import { type ComparedRules, defaultRules, fingerprintOf } from './record/rules.ts';

/** Comparing the bucket with the table. */
export const reindexLimits = {
  /** Hints per send: bounds the memory, and what is sent twice if sending fails. */
  hintsPerSendMax: 500,
} as const;

export interface ReindexPorts {
  readonly objects: Pick<ObjectStore, 'head' | 'list'>;
  readonly records: RecordTable;
  readonly hints: HintQueue;
}

/** How far a reindex came: up to and including this file; without a file, up to the end of this repository. */
export interface ReindexPlace {
  readonly repository: Repository;
  readonly file?: string;
}

export interface ReindexOptions {
  /** Only keys that begin with this. */
  readonly prefix?: string;
  /** Only the repository that the prefix is, and none below it. `objects` need not list those. */
  readonly onlyRepository?: boolean;
  /** Send a hint for every package, not only for those that differ. */
  readonly force?: boolean;
  /** Those of extract: a row of other rules differs. */
  readonly rules?: ComparedRules;
  /** Compare packages only, and request no summaries. */
  readonly onlyPackages?: boolean;
  /** Called with the key of each index that exists. */
  readonly onIndex?: (key: ObjectKey, etag: ETag) => void;
  /** Where to resume a reindex that stopped. */
  readonly after?: ReindexPlace;
  /** Called after each batch of hints: true stops the reindex there. */
  readonly isTimeUp?: () => boolean;
  /**
   * Called with the findings of each repository, as its rows are now. `report` is undefined where the repository is too large to
   * check. Without `onReport`, no facts are collected.
   */
  readonly onReport?: (repository: Repository, report: ConsistencyReport | undefined) => void;
}

interface UnusableKeys {
  readonly packages: number;
  readonly first: ObjectKey;
}

export interface ReindexResult {
  readonly repositories: number;
  /** Packages listed, without the aliases of packages with `+` in their names. */
  readonly packages: number;
  /** Hints sent: packages without a row that has their ETag and was made by the rules, and rows without a package. */
  readonly hints: number;
  /** Packages that cannot be indexed, because their keys have an empty part (`isUnusableKey`); absent if there are none. */
  readonly unusable?: UnusableKeys;
  /** Where it stopped, if it did. */
  readonly stoppedAt?: ReindexPlace;
}

/**
 * Compares the bucket with the table, sends a hint for every key that differs, and requests a summary of every repository. It
 * changes nothing itself, so it can run at any time: after lost events, or to adopt an existing bucket.
 */
export async function reindex(ports: ReindexPorts, options: ReindexOptions = {}): Promise<ReindexResult> {
  const { prefix = '', force = false, onlyPackages = false, after, isTimeUp = () => false, onReport } = options;
  const rules = fingerprintOf(options.rules ?? defaultRules);
  const { listed, unusable } = await listRepositories(ports, prefix, options);
  const repositories = [...listed.keys()].sort(compareByBytes).filter((repository) => isAhead(repository, after));
  const result = {
    repositories: 0,
    packages: 0,
    hints: 0,
    // A reindex that continues after a stop lists everything again.
    ...(unusable === undefined || after !== undefined ? {} : { unusable }),
  };
  for (const repository of repositories) {
    const etags = await withoutAliases(ports.objects, repository, listed.get(repository) ?? new Map());
    const resumed = repository === after?.repository ? after.file : undefined;
    if (resumed === undefined) {
      result.repositories += 1;
      result.packages += etags.size;
    }
    const facts = onReport === undefined ? undefined : new RepositoryFacts();
    const tags =
      facts === undefined
        ? ports.records.rowTags(repository, resumed)
        : collected(facts, ports.records.rows(repository));
    const differing = differences(tags, repository, etags, { prefix, force, rules, after: resumed });
    for await (const files of inBatches(differing)) {
      await ports.hints.send(
        files.map((file): Hint => ({ key: joinKey(repository, file), ...(force ? { force } : {}) })),
      );
      result.hints += files.length;
      const last = files.at(-1);
      if (last !== undefined && isTimeUp()) return { ...result, stoppedAt: { repository, file: last } };
    }
    // The summary first: a publication must not wait for the check, nor fail with it.
    if (!onlyPackages) await ports.records.requestSummary(repository);
    if (facts !== undefined) onReport?.(repository, await facts.check());
    if (repository !== repositories.at(-1) && isTimeUp()) return { ...result, stoppedAt: { repository } };
  }
  return result;
}

function isAhead(repository: Repository, after: ReindexPlace | undefined): boolean {
  if (after === undefined) return true;
  const order = compareByBytes(repository, after.repository);
  return order > 0 || (order === 0 && after.file !== undefined);
}

interface Listing {
  /** The packages below the prefix by repository. Includes repositories without packages: those with an index or in the table. */
  readonly listed: ReadonlyMap<Repository, ReadonlyMap<string, ETag>>;
  readonly unusable: UnusableKeys | undefined;
}

async function listRepositories(
  { objects, records }: ReindexPorts,
  prefix: string,
  { onIndex, onlyRepository = false }: ReindexOptions,
): Promise<Listing> {
  const listed = new Map<Repository, Map<string, ETag>>();
  let unusable: UnusableKeys | undefined;
  for await (const { key, etag } of objects.list(prefix)) {
    if (isUnusableKey(key)) unusable = { packages: (unusable?.packages ?? 0) + 1, first: unusable?.first ?? key };
    const isPackage = isPackageKey(key);
    const isIndex = isIndexKey(key);
    if (isIndex) onIndex?.(key, etag);
    if (!isPackage && !isIndex) continue;
    const { repository, file } = splitKey(key);
    if (onlyRepository && joinKey(repository, '') !== prefix) continue;
    const etags = listed.get(repository) ?? new Map<string, ETag>();
    listed.set(repository, etags);
    if (isPackage) etags.set(file, etag);
  }
  const known = onlyRepository ? [splitKey(prefix).repository] : records.repositories();
  for await (const repository of known) {
    const isBelow = joinKey(repository, '').startsWith(prefix) || splitKey(prefix).repository === repository;
    if (isBelow && !listed.has(repository)) listed.set(repository, new Map());
  }
  return { listed, unusable };
}

/**
 * The packages without the aliases among them. Only metadata distinguish an alias from an uploaded package. An alias whose package
 * is gone stays: it needs a hint, so that extract removes it.
 */
async function withoutAliases(
  objects: ReindexPorts['objects'],
  repository: Repository,
  etags: ReadonlyMap<string, ETag>,
): Promise<ReadonlyMap<string, ETag>> {
  const aliases = new Set<string>();
  for (const file of etags.keys()) {
    const alias = plusAliasOf(file);
    if (alias === undefined || !etags.has(alias)) continue;
    const facts = await objects.head(joinKey(repository, alias));
    if (facts !== undefined && aliasMetadata in facts.metadata) aliases.add(alias);
  }
  if (aliases.size === 0) return etags;
  return new Map([...etags].filter(([file]) => !aliases.has(file)));
}

/** Passes the rows on, and adds each to the facts. */
async function* collected(facts: RepositoryFacts, rows: AsyncIterable<Row>): AsyncGenerator<RowTag> {
  for await (const row of rows) {
    facts.add(row);
    yield row;
  }
}

/** Files after `after` whose package and row differ (or all, with `force`), in order: merges the rows with the packages. */
async function* differences(
  tags: AsyncIterable<RowTag>,
  repository: Repository,
  etags: ReadonlyMap<string, ETag>,
  options: {
    readonly prefix: string;
    readonly force: boolean;
    /** Their fingerprint. */
    readonly rules: string;
    readonly after: string | undefined;
  },
): AsyncGenerator<string> {
  const { prefix, force, after } = options;
  const isAsked = (file: string) =>
    joinKey(repository, file).startsWith(prefix) && (after === undefined || compareByBytes(file, after) > 0);
  const files = [...etags.keys()].filter(isAsked).sort(compareByBytes);
  let next = 0;
  for await (const { file, etag, rules } of tags) {
    if (!isAsked(file)) continue;
    for (let ahead = files[next]; ahead !== undefined && compareByBytes(ahead, file) < 0; ahead = files[next]) {
      yield ahead;
      next += 1;
    }
    if (files[next] === file) next += 1;
    if (force || etags.get(file) !== etag || rules !== options.rules) yield file;
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
