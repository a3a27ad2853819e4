/**
 * What the store says of a repository's indexes: which are ours, what they hold, and when they were published. An index has this in its
 * metadata, so that nothing has to be read to know that it is right.
 */

import { hash } from 'node:crypto';
import { indexFiles, joinKey } from '../keys.ts';
import type { ObjectFacts, ObjectStore, Repository } from '../ports.ts';
import { architecturesMetadata, encodeCounts } from './architecture-counts.ts';
import { fileSumMetadata } from './file-sum.ts';
import { lastSecond } from './gzip-index.ts';
import { type IndexFormat, type IndexFormatName, indexFormats } from './index-formats.ts';
import type { Summary } from './summary.ts';

/** By the names of their files. */
export type Heads = ReadonlyMap<string, ObjectFacts>;

/** The index whose header describes its blocks. */
export const gzFile = 'pkg_summary.gz';

const digestMetadata = 'blocks-sha256';
/** A hash, since a repository may have any characters, and metadata of S3 may not. */
const repositoryMetadata = 'repository-sha256';
const publishedMetadata = 'published';
/** The date of the index that it replaced. */
const replacedMetadata = 'replaced';

/** How many records the rules have taken out of the index, and the hash of these rules. A change of rules arrives in several publications. */
const ruledOutMetadata = 'ruled-out';

/** Records that rules of one fingerprint have taken out of an index, since the operator last confirmed anything. */
export interface RuledOutSum {
  readonly records: number;
  readonly rules: string;
}

export async function headIndexes(objects: Pick<ObjectStore, 'head'>, repository: Repository): Promise<Heads> {
  const heads = new Map<string, ObjectFacts>();
  for (const file of indexFiles) {
    const head = await objects.head(joinKey(repository, file));
    if (head !== undefined) heads.set(file, head);
  }
  return heads;
}

export function wantedFormats(formats: readonly IndexFormatName[]): readonly IndexFormat[] {
  return indexFormats.filter(({ name }) => formats.includes(name));
}

/**
 * The digest of the summary that the index holds; undefined where it is not an index that we made of this repository. A copy has the
 * metadata of its original (`aws s3 sync`), and is of the packages there.
 */
export function digestIn(head: ObjectFacts | undefined, repository: Repository): string | undefined {
  return head?.metadata[repositoryMetadata] === hash('sha256', repository) ? head.metadata[digestMetadata] : undefined;
}

/** The index that the next one is compared with. */
export function firstIndex(heads: Heads): { readonly file: string; readonly head: ObjectFacts } | undefined {
  const gz = heads.get(gzFile);
  const [[file, head] = []] = gz === undefined ? heads : [[gzFile, gz] as const];
  return file === undefined || head === undefined ? undefined : { file, head };
}

/** Whether an index is there, and is not ours. */
export function isForeign(heads: Heads, repository: Repository): boolean {
  const first = firstIndex(heads);
  return first !== undefined && digestIn(first.head, repository) === undefined;
}

/** 0 where other rules did it. */
export function ruledOutBefore(heads: Heads, rules: string): number {
  const [records, hashOfRules] = (firstIndex(heads)?.head.metadata[ruledOutMetadata] ?? '').split(' ');
  return hashOfRules === hash('sha256', rules) ? Number(records) || 0 : 0;
}

export function metadataOf(
  summary: Summary,
  repository: Repository,
  publishedAt: Date,
  replaced: ObjectFacts | undefined,
  ruledOut: string | undefined,
): Readonly<Record<string, string>> {
  return {
    [digestMetadata]: summary.digest,
    [fileSumMetadata]: summary.fileSum,
    [architecturesMetadata]: encodeCounts(summary.architectures),
    [repositoryMetadata]: hash('sha256', repository),
    [publishedMetadata]: publishedAt.toISOString(),
    ...(replaced !== undefined && isPossible(replaced.lastModified.getTime())
      ? { [replacedMetadata]: replaced.lastModified.toISOString() }
      : {}),
    ...(ruledOut === undefined ? {} : { [ruledOutMetadata]: ruledOut }),
  };
}

/** What the metadata of the next index say of `sum`; by default what those of the index that is there say. */
export function ruledOutText(heads: Heads, sum: RuledOutSum | 'none' | undefined): string | undefined {
  if (sum === undefined) return firstIndex(heads)?.head.metadata[ruledOutMetadata];
  return sum === 'none' ? undefined : `${sum.records} ${hash('sha256', sum.rules)}`;
}

/** Whether exactly the wanted formats are there, and each holds the summary. */
export function holds(
  heads: Heads,
  repository: Repository,
  formats: readonly IndexFormatName[],
  summary: Summary,
): boolean {
  return indexFiles.every((file) => {
    const isWanted = wantedFormats(formats).some((format) => format.file === file);
    const head = heads.get(file);
    return isWanted ? isOf(head, repository, summary) : head === undefined;
  });
}

/**
 * Whether the index holds the summary, and is dated later than the one that it replaced. A store that dates objects itself may give two
 * publications the same second if our clock jumps; clients that have the first would not download the second.
 */
export function isOf(head: ObjectFacts | undefined, repository: Repository, summary: Summary): boolean {
  if (head === undefined || digestIn(head, repository) !== summary.digest) return false;
  if (head.metadata[fileSumMetadata] !== summary.fileSum) return false;
  if (head.metadata[architecturesMetadata] !== encodeCounts(summary.architectures)) return false;
  const replaced = Date.parse(head.metadata[replacedMetadata] ?? '');
  return Number.isNaN(replaced) || head.lastModified.getTime() > replaced;
}

/** When this index was published by us; undefined where its metadata do not say. */
export function publishedAt(head: ObjectFacts | undefined): Date | undefined {
  const published = Date.parse(head?.metadata[publishedMetadata] ?? '');
  return Number.isNaN(published) ? undefined : new Date(published);
}

/** The time of the last publication in milliseconds; 0 where there is none. */
export function lastPublication(heads: Heads): number {
  const times = [...heads.values()].flatMap((head) => [
    head.lastModified.getTime(),
    publishedAt(head)?.getTime() ?? Number.NaN,
  ]);
  return Math.max(0, ...times.filter(isPossible));
}

/** The next publication is dated later, and its header must hold that. A file may have any date (`touch -d 2200-01-01`). */
function isPossible(milliseconds: number): boolean {
  return milliseconds < 1_000 * lastSecond;
}
