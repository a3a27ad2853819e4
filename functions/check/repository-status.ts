/** What is known of every repository: from the table, and from a look at the bucket. The same on one machine and on AWS. */

import { isIndexKey, isPackageKey, joinKey, plusAliasOf, splitKey } from '../keys.ts';
import { obstructedFiles } from '../obstruction.ts';
import type { ETag, ObjectKey, ObjectStore, RecordTable, Repository } from '../ports.ts';
import { findDuplicates, packageNameOf } from '../record/hazards.ts';
import type { ConsistencyReport } from './consistency.ts';
import { RepositoryFacts } from './repository-facts.ts';

export interface RepositoryStatus {
  readonly repository: Repository;
  /** In the index, or about to be. */
  readonly packages: number;
  /** Bytes of these packages. */
  readonly packageBytes: number;
  readonly rejected: readonly { readonly file: string; readonly code: string; readonly message: string }[];
  /** Code → how many packages have it. */
  readonly warnings: Readonly<Record<string, number>>;
  /** Keys whose row does not say what is there: uploads that wait, or could not be read. */
  readonly pending: readonly ObjectKey[];
  /** Each index that is there, and when it was published; the latest first. */
  readonly indexes: readonly { readonly file: string; readonly published: Date; readonly bytes: number }[];
  /** An index that was there before serves on, until no package is pending. */
  readonly isAdopted: boolean;
  /** Names of indexes, or of the page, that cannot be published because a directory has that name. */
  readonly obstructed: readonly string[];
  /** How its packages fit together; undefined where there is too much to keep. */
  readonly consistency: ConsistencyReport | undefined;
}

export type Pause = () => Promise<void> | undefined;

interface Found {
  readonly etags: Map<string, ETag>;
  readonly indexes: ObjectKey[];
}

/** @param prefixes of the keys that are watched, each with its trailing `/`; none: every key. */
export async function repositoryStatuses(
  objects: ObjectStore,
  records: RecordTable,
  prefixes: readonly string[] = [],
): Promise<RepositoryStatus[]> {
  const watched = prefixes.length === 0 ? [''] : prefixes;
  const found = await findRepositories(objects, watched);
  for await (const repository of records.repositories()) {
    const isWatched = watched.some((prefix) => joinKey(repository, '').startsWith(prefix));
    if (isWatched && !found.has(repository)) found.set(repository, nothing);
  }
  const statuses: RepositoryStatus[] = [];
  for (const [repository, there] of [...found].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const status = await statusOf(objects, records, repository, there);
    if (isInUse(status)) statuses.push(status);
  }
  return statuses;
}

/**
 * Of one repository.
 * @param pause called after each row, and awaited where it returns a promise: so a server can answer others meanwhile.
 */
export async function repositoryStatus(
  objects: ObjectStore,
  records: RecordTable,
  repository: Repository,
  pause?: Pause,
): Promise<RepositoryStatus> {
  const found = await findRepositories(objects, [joinKey(repository, '')]);
  return await statusOf(objects, records, repository, found.get(repository) ?? nothing, pause);
}

/** Whether there is anything in it. What the table remembers of one that is gone is not worth a line. */
export function isInUse({ packages, rejected, pending, indexes }: RepositoryStatus): boolean {
  return packages + rejected.length + pending.length + indexes.length > 0;
}

const nothing: Found = { etags: new Map(), indexes: [] };

async function findRepositories(objects: ObjectStore, prefixes: readonly string[]): Promise<Map<Repository, Found>> {
  const found = new Map<Repository, Found>();
  for (const prefix of prefixes) {
    for await (const { key, etag } of objects.list(prefix)) {
      if (!isPackageKey(key) && !isIndexKey(key)) continue;
      const { repository, file } = splitKey(key);
      const there = found.get(repository) ?? { etags: new Map<string, ETag>(), indexes: [] };
      found.set(repository, there);
      if (isIndexKey(key)) there.indexes.push(key);
      else there.etags.set(file, etag);
    }
  }
  return found;
}

async function statusOf(
  objects: ObjectStore,
  records: RecordTable,
  repository: Repository,
  { etags, indexes }: Found,
  pause?: Pause,
): Promise<RepositoryStatus> {
  const rejected: { file: string; code: string; message: string }[] = [];
  const warnings: Record<string, number> = {};
  const names: { file: string; name: string }[] = [];
  const unseen = new Map(etags);
  const pending: ObjectKey[] = [];
  const facts = new RepositoryFacts();
  let packageBytes = 0;
  for await (const row of records.rows(repository)) {
    await pause?.();
    facts.add(row);
    if (unseen.get(row.file) !== row.etag) pending.push(joinKey(repository, row.file));
    unseen.delete(row.file);
    if (row.state === 'rejected') {
      rejected.push({ file: row.file, ...row.reason });
      continue;
    }
    packageBytes += row.size;
    names.push({ file: row.file, name: packageNameOf(row.record) });
    for (const code of row.warnings) warnings[code] = (warnings[code] ?? 0) + 1;
  }
  // A copy of a package with a + in its name, under the key that S3 reads from its URL, has no row of its own.
  const aliases = new Set([...etags.keys()].map(plusAliasOf));
  for (const file of unseen.keys()) if (!aliases.has(file)) pending.push(joinKey(repository, file));
  const duplicates = findDuplicates(names).size;
  if (duplicates > 0) warnings['duplicate-pkgname'] = duplicates;
  return {
    repository,
    packages: names.length,
    packageBytes,
    rejected,
    warnings,
    pending,
    indexes: await lookAt(objects, indexes),
    isAdopted: await records.isAdopted(repository),
    obstructed: await obstructedFiles(objects, repository),
    consistency: facts.check(),
  };
}

async function lookAt(objects: ObjectStore, indexes: readonly ObjectKey[]): Promise<RepositoryStatus['indexes']> {
  const heads: { file: string; published: Date; bytes: number }[] = [];
  for (const key of indexes) {
    const head = await objects.head(key);
    if (head !== undefined) heads.push({ file: splitKey(key).file, published: head.lastModified, bytes: head.size });
  }
  return heads.sort((a, b) => b.published.getTime() - a.published.getTime());
}
