/** The status of a repository, from its rows and a listing of its files. The same on one machine and on AWS. */

import { isIndexKey, isPackageKey, joinKey, plusAliasOf, splitKey } from '../keys.ts';
import { obstructedFiles } from '../obstruction.ts';
import type { ETag, HeldBack, ObjectKey, ObjectStore, RecordTable, Repository } from '../ports.ts';
import { packageNameOf } from '../record/hazards.ts';
import type { ConsistencyReport } from './consistency.ts';
import { RepositoryFacts } from './repository-facts.ts';

export interface RepositoryStatus {
  readonly repository: Repository;
  /** In the index, or in the next one. */
  readonly packages: number;
  /** Of these packages; bytes. */
  readonly packageBytes: number;
  readonly rejected: readonly { readonly file: string; readonly code: string; readonly message: string }[];
  /** Code → how many packages have it. */
  readonly warnings: Readonly<Record<string, number>>;
  /** Keys whose row is not up to date: they are waiting, or could not be read. */
  readonly pending: readonly ObjectKey[];
  /** The latest first. */
  readonly indexes: readonly { readonly file: string; readonly published: Date; readonly bytes: number }[];
  /** False where an index that we did not make is kept until no package is pending. */
  readonly isAdopted: boolean;
  /** Undefined where nothing is. */
  readonly heldBack: Omit<HeldBack, 'index'> | undefined;
  /** Names of indexes, or of the page, that cannot be published because a directory has that name. */
  readonly obstructed: readonly string[];
  /** Undefined where the repository is too large to check. */
  readonly consistency: ConsistencyReport | undefined;
}

/** Called often during long work, which continues once the promise resolves; undefined: at once. */
type Pause = () => Promise<void> | undefined;

interface Found {
  readonly etags: Map<string, ETag>;
  readonly indexes: ObjectKey[];
}

/** @param prefixes only repositories below these, each with its trailing `/`; none: all. */
export async function repositoryStatuses(
  objects: ObjectStore,
  records: RecordTable,
  prefixes: readonly string[] = [],
): Promise<RepositoryStatus[]> {
  const wanted = prefixes.length === 0 ? [''] : prefixes;
  const found = await findRepositories(objects, wanted);
  for await (const repository of records.repositories()) {
    const isWanted = wanted.some((prefix) => joinKey(repository, '').startsWith(prefix));
    if (isWanted && !found.has(repository)) found.set(repository, nothing);
  }
  const statuses: RepositoryStatus[] = [];
  for (const [repository, there] of [...found].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const status = await statusOf(objects, records, repository, there);
    if (isInUse(status)) statuses.push(status);
  }
  return statuses;
}

export async function repositoryStatus(
  objects: ObjectStore,
  records: RecordTable,
  repository: Repository,
  pause?: Pause,
): Promise<RepositoryStatus> {
  const found = await findRepositories(objects, [joinKey(repository, '')]);
  return await statusOf(objects, records, repository, found.get(repository) ?? nothing, pause);
}

/** False for a repository that was removed: the table still knows it. */
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
  /** PKGNAME → how many packages have it. */
  const names = new Map<string, number>();
  const withoutRow = new Map(etags);
  const pending: ObjectKey[] = [];
  const facts = new RepositoryFacts();
  let packages = 0;
  let packageBytes = 0;
  for await (const row of records.rows(repository)) {
    const waiting = pause?.();
    if (waiting !== undefined) await waiting;
    facts.add(row);
    if (etags.get(row.file) !== row.etag) pending.push(joinKey(repository, row.file));
    withoutRow.delete(row.file);
    if (row.state === 'rejected') {
      rejected.push({ file: row.file, ...row.reason });
      continue;
    }
    packages += 1;
    packageBytes += row.size;
    const name = packageNameOf(row.record);
    names.set(name, (names.get(name) ?? 0) + 1);
    for (const code of row.warnings) warnings[code] = (warnings[code] ?? 0) + 1;
  }
  if (withoutRow.size > 0) {
    // Copies of packages with a + in their names, under the keys that S3 reads from their URLs.
    const aliases = new Set([...etags.keys()].map(plusAliasOf));
    for (const file of withoutRow.keys()) if (!aliases.has(file)) pending.push(joinKey(repository, file));
  }
  const duplicates = [...names.values()].filter((count) => count > 1);
  if (duplicates.length > 0) warnings['duplicate-pkgname'] = duplicates.reduce((sum, count) => sum + count);
  const { isAdopted, heldBack } = await records.state(repository);
  return {
    repository,
    packages,
    packageBytes,
    rejected,
    warnings,
    pending,
    indexes: await headIndexes(objects, indexes),
    isAdopted,
    heldBack: heldBack && withoutIndex(heldBack),
    obstructed: await obstructedFiles(objects, repository),
    consistency: await facts.check(pause),
  };
}

function withoutIndex({ index: _, ...heldBack }: HeldBack): Omit<HeldBack, 'index'> {
  return heldBack;
}

async function headIndexes(objects: ObjectStore, indexes: readonly ObjectKey[]): Promise<RepositoryStatus['indexes']> {
  const heads: { file: string; published: Date; bytes: number }[] = [];
  for (const key of indexes) {
    const head = await objects.head(key);
    if (head !== undefined) heads.push({ file: splitKey(key).file, published: head.lastModified, bytes: head.size });
  }
  return heads.sort((a, b) => b.published.getTime() - a.published.getTime());
}
