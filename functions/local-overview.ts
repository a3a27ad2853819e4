/** Makes a repository's overview from counts, one row and the heads of its indexes: no listing, and no record but one. */

import { indexFiles, joinKey } from './keys.ts';
import type { LocalStores } from './local.ts';
import { latin1 } from './package/formats.ts';
import type { Repository, Row } from './ports.ts';
import { lastValue, readFields } from './record/record-fields.ts';
import { branchOf, type RepositoryOverview } from './server/overview.ts';

export type CountedRepository = Omit<RepositoryOverview, 'findings'>;

/** @returns undefined where it is empty. */
export async function countRepository(
  { objects, records }: LocalStores,
  repository: Repository,
): Promise<CountedRepository | undefined> {
  const { indexed, rejected } = records.countRows(repository);
  const heads = await Promise.all(indexFiles.map((file) => objects.head(joinKey(repository, file))));
  const indexes = heads.filter((head) => head !== undefined);
  if (indexed + rejected + indexes.length === 0) return undefined;
  const newest = Math.max(...indexes.map(({ lastModified }) => lastModified.getTime()));
  return {
    repository,
    packages: indexed,
    rejected,
    architecture: architectureOf(records.firstIndexed(repository)),
    branch: branchOf(repository),
    indexBytes: indexes.reduce((sum, { size }) => sum + size, 0),
    published: indexes.length === 0 ? undefined : new Date(newest),
  };
}

function architectureOf(row: Row | undefined): string {
  return row?.state === 'indexed' ? lastValue(readFields(latin1(row.record)), 'MACHINE_ARCH') : '';
}
