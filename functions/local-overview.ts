/** What the front page shows of all repositories, without a listing and without reading all rows of any. */

import { compareTotals } from './check/architectures.ts';
import { architecturesMetadata, decodeCounts } from './index/architecture-counts.ts';
import { indexFiles, joinKey } from './keys.ts';
import type { LocalStores } from './local.ts';
import type { ObjectFacts, Repository } from './ports.ts';
import { lastValue, readFields } from './record/record-fields.ts';
import { recordText } from './record/record-text.ts';
import { branchOf, type RepositoryOverview } from './server/overview.ts';
import type { FoundPackage } from './server/site.ts';

export type CountedRepository = Omit<RepositoryOverview, 'findings'>;

/** From counts, and the heads of its indexes. @returns undefined where it is empty. */
export async function countRepository(
  { objects, records }: LocalStores,
  repository: Repository,
): Promise<CountedRepository | undefined> {
  const { indexed, rejected } = records.countRows(repository);
  const heads = await Promise.all(indexFiles.map((file) => objects.head(joinKey(repository, file))));
  const indexes = heads.filter((head) => head !== undefined);
  if (indexed + rejected + indexes.length === 0) return undefined;
  const { heldBack } = await records.state(repository);
  const newest = Math.max(...indexes.map(({ lastModified }) => lastModified.getTime()));
  return {
    repository,
    packages: indexed,
    rejected,
    isHeldBack: heldBack !== undefined,
    ...architecturesOf(indexes),
    branch: branchOf(repository),
    indexBytes: indexes.reduce((sum, { size }) => sum + size, 0),
    published: indexes.length === 0 ? undefined : new Date(newest),
  };
}

/** As the index says. */
function architecturesOf(indexes: readonly ObjectFacts[]): Pick<CountedRepository, 'architecture' | 'foreignPackages'> {
  const [counts] = indexes.flatMap(({ metadata }) => decodeCounts(metadata[architecturesMetadata]) ?? []);
  const { architecture = '', foreign } = compareTotals(
    counts === undefined || counts === 'too-many' ? new Map() : counts,
  );
  return { architecture, foreignPackages: foreign.reduce((sum, { packages }) => sum + packages, 0) };
}

export const searchLimits = {
  /** Packages of one search: what a person may read through. */
  foundMax: 200,
} as const;

/** @param text words that all have to be in the name of the file. */
export async function findPackages(
  { records }: Pick<LocalStores, 'records'>,
  text: string,
): Promise<{ readonly found: readonly FoundPackage[]; readonly isAll: boolean }> {
  const words = text.split(/\s+/).filter((word) => word !== '');
  if (words.length === 0) return { found: [], isAll: true };
  const files = records.findFiles(words, searchLimits.foundMax + 1);
  const found: FoundPackage[] = [];
  for (const { repository, file } of files.slice(0, searchLimits.foundMax)) {
    const row = await records.row(repository, file);
    // A rejected package is in no index.
    if (row?.state !== 'indexed') continue;
    const fields = readFields(recordText(row.record));
    found.push({ repository, name: lastValue(fields, 'PKGNAME'), comment: lastValue(fields, 'COMMENT') });
  }
  return { found, isAll: files.length <= searchLimits.foundMax };
}
