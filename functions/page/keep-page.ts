/**
 * A repository's index.html, kept in step with its index: the part of summarize that is about the package browser.
 *
 * The page tells by its metadata which version it is of and which files it lists, the index which files it has: so a look at both
 * says whether the page is right, whatever happened before. It is put where that is not so, and not for a package that is replaced.
 */

import { changedSum, fileSumMetadata } from '../index/file-sum.ts';
import type { Summary } from '../index/summary.ts';
import { joinKey } from '../keys.ts';
import {
  type Clock,
  ObjectChanged,
  type ObjectFacts,
  type ObjectKey,
  type ObjectStore,
  type Repository,
} from '../ports.ts';
import { isOurPage, pageContentType, pageFile, pageMarkBytes, type RepositoryPage } from './page.ts';

/** What became of the page. */
export type KeptPage =
  | 'put'
  /** It is of this version, and lists what is in the index. */
  | 'current'
  /** Somebody else's: it is left alone, for ever. */
  | 'foreign'
  /** There is none to make these changes in: it takes a summary of all rows. */
  | 'deferred'
  /** Nobody asked for one; it was not even looked at. */
  | 'unwanted';

const versionMetadata = 'page-version';

export interface PagePlace {
  readonly repository: Repository;
  /** What is to be there. */
  readonly page: RepositoryPage;
  /** As it was before the rows were read: so an older list never replaces a newer one. */
  readonly seen: ObjectFacts | undefined;
}

export async function headPage(objects: ObjectStore, repository: Repository): Promise<ObjectFacts | undefined> {
  return objects.head(joinKey(repository, pageFile));
}

/** @returns `lost-race` where the page is not the one that was seen any more. */
export async function keepPage(
  { objects, clock }: { readonly objects: ObjectStore; readonly clock: Clock },
  { repository, page, seen }: PagePlace,
  summary: Summary,
): Promise<Exclude<KeptPage, 'unwanted'> | 'lost-race'> {
  const key = joinKey(repository, pageFile);
  const metadata = { [versionMetadata]: page.version, [fileSumMetadata]: summary.fileSum };
  if (Object.entries(metadata).every(([name, value]) => seen?.metadata[name] === value)) return 'current';
  try {
    if (seen !== undefined && !(await isOurs(objects, key, seen))) return 'foreign';
    const body = await makePage(objects, { repository, page, seen }, summary);
    if (body === undefined) return 'deferred';
    const { outcome } = await objects.put(key, body, {
      condition: seen === undefined ? { ifNoneMatch: '*' } : { ifMatch: seen.etag },
      metadata,
      contentType: pageContentType,
      cacheControl: 'no-cache',
      lastModified: clock.now(),
    });
    return outcome === 'stored' ? 'put' : 'lost-race';
  } catch (error) {
    if (error instanceof ObjectChanged) return 'lost-race';
    throw error;
  }
}

/** One that was copied here, or whose metadata were lost, is known by what is in it. */
async function isOurs(objects: ObjectStore, key: ObjectKey, { etag, metadata }: ObjectFacts): Promise<boolean> {
  return versionMetadata in metadata || isOurPage(await objects.readRange(key, etag, 0, pageMarkBytes));
}

/** @returns undefined where only some files are known, and the page that is there is not right but for those. */
async function makePage(
  objects: ObjectStore,
  { repository, page, seen }: PagePlace,
  { files, fileSum }: Summary,
): Promise<Uint8Array | undefined> {
  if (files.known === 'all') return page.render(files.files);
  const listed = seen?.metadata[fileSumMetadata];
  if (seen?.metadata[versionMetadata] !== page.version || listed === undefined) return undefined;
  const old = await objects.readRange(joinKey(repository, pageFile), seen.etag, 0, seen.size);
  const spliced = page.splice(old, files.presence);
  if (spliced.outcome !== 'spliced') return undefined;
  return changedSum(listed, spliced.entered, spliced.left) === fileSum ? spliced.page : undefined;
}
