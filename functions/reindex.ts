import { isIndexKey, isPackageKey, joinKey, splitKey } from './keys.ts';
import { reindexLimits } from './limits.ts';
import type { ETag, Hint, HintQueue, ObjectStore, RecordTable, Repository } from './ports.ts';

export interface ReindexPorts {
  readonly objects: ObjectStore;
  readonly records: RecordTable;
  readonly hints: HintQueue;
}

export interface ReindexOptions {
  /** Only keys that begin with this. */
  readonly prefix?: string;
  /** Send a hint for every package, not only for those that differ. */
  readonly force?: boolean;
}

export interface ReindexCounts {
  readonly repositories: number;
  /** Packages listed. */
  readonly packages: number;
  /** Hints sent: packages without a row that has their ETag, and rows without a package. */
  readonly hints: number;
}

/**
 * Compare the bucket with the table, and send a hint for every key that differs. It changes nothing itself, so it can run at any
 * time; it is how lost events are made good, and how an existing bucket is adopted. Every repository's index is asked to be
 * looked at, too.
 */
export async function reindex(
  ports: ReindexPorts,
  { prefix = '', force = false }: ReindexOptions = {},
): Promise<ReindexCounts> {
  const listed = await listPackages(ports.objects, prefix);
  for await (const repository of ports.records.repositories()) {
    const isConcerned = joinKey(repository, '').startsWith(prefix) || prefix.startsWith(joinKey(repository, ''));
    if (isConcerned && !listed.has(repository)) listed.set(repository, new Map());
  }
  let packages = 0;
  let hints = 0;
  for (const [repository, etags] of listed) {
    packages += etags.size;
    for await (const batch of differences(ports.records, repository, etags, { prefix, force })) {
      await ports.hints.send(batch);
      hints += batch.length;
    }
    await ports.records.requestSummary(repository);
  }
  return { repositories: listed.size, packages, hints };
}

/** The packages below `prefix` by repository; a repository with an index and no package is there, empty. */
async function listPackages(objects: ObjectStore, prefix: string): Promise<Map<Repository, Map<string, ETag>>> {
  const listed = new Map<Repository, Map<string, ETag>>();
  for await (const { key, etag } of objects.list(prefix)) {
    const isPackage = isPackageKey(key);
    if (!isPackage && !isIndexKey(key)) continue;
    const { repository, file } = splitKey(key);
    const etags = listed.get(repository) ?? new Map<string, ETag>();
    listed.set(repository, etags);
    if (isPackage) etags.set(file, etag);
  }
  return listed;
}

async function* differences(
  records: RecordTable,
  repository: Repository,
  etags: ReadonlyMap<string, ETag>,
  { prefix, force }: Required<ReindexOptions>,
): AsyncGenerator<Hint[]> {
  const unseen = new Map(etags);
  let batch: Hint[] = [];
  const take = (file: string) => batch.push({ key: joinKey(repository, file), ...(force ? { force } : {}) });
  for await (const row of records.rows(repository)) {
    const etag = unseen.get(row.file);
    unseen.delete(row.file);
    const differs = etag !== row.etag;
    if ((differs || force) && joinKey(repository, row.file).startsWith(prefix)) take(row.file);
    if (batch.length >= reindexLimits.hintsPerSendMax) {
      yield batch;
      batch = [];
    }
  }
  for (const file of unseen.keys()) take(file);
  if (batch.length > 0) yield batch;
}
