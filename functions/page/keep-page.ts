/**
 * Keeps a repository's index.html, the package browser, in step with its index. A part of summarize.
 *
 * The page's metadata has the page's version and a sum of the files that it lists; the index's metadata has the sum of its files.
 * So comparing the two shows whether the page is right. Replacing a package does not change its page.
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
import { isOurPage, type PageTemplate, pageContentType, pageFile, pageMarkBytes } from './page.ts';

/** What happened to the page. */
export type KeptPage =
  | 'put'
  /** It has this version, and lists what is in the index. */
  | 'current'
  /** It is not ours: it is never changed. */
  | 'foreign'
  /** There is no page to apply these changes to: it needs a summary of all rows. */
  | 'deferred'
  /** The option is off; the page was not read. */
  | 'unwanted';

const versionMetadata = 'page-version';

export interface PagePlace {
  readonly repository: Repository;
  readonly template: PageTemplate;
  /** As it was before the rows were read: so an older list never replaces a newer one. */
  readonly page: ObjectFacts | undefined;
}

export async function headPage(objects: ObjectStore, repository: Repository): Promise<ObjectFacts | undefined> {
  return objects.head(joinKey(repository, pageFile));
}

/** @returns `lost-race` where the page changed since it was read. */
export async function keepPage(
  { objects, clock }: { readonly objects: ObjectStore; readonly clock: Clock },
  { repository, template, page }: PagePlace,
  summary: Summary,
): Promise<Exclude<KeptPage, 'unwanted'> | 'lost-race'> {
  const key = joinKey(repository, pageFile);
  const metadata = { [versionMetadata]: template.version, [fileSumMetadata]: summary.fileSum };
  if (Object.entries(metadata).every(([name, value]) => page?.metadata[name] === value)) return 'current';
  try {
    if (page !== undefined && !(await isOurs(objects, key, page))) return 'foreign';
    const body = await makePage(objects, { repository, template, page }, summary);
    if (body === undefined) return 'deferred';
    const { outcome } = await objects.put(key, body, {
      condition: page === undefined ? { ifNoneMatch: '*' } : { ifMatch: page.etag },
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

/** A page that was copied here, or lost its metadata, has our mark in its content. */
async function isOurs(objects: ObjectStore, key: ObjectKey, { etag, metadata }: ObjectFacts): Promise<boolean> {
  return versionMetadata in metadata || isOurPage(await objects.readRange(key, etag, 0, pageMarkBytes));
}

/** @returns undefined where only the changed files are known, and the page differs from the index in other files too. */
async function makePage(
  objects: ObjectStore,
  { repository, template, page }: PagePlace,
  { files, fileSum }: Summary,
): Promise<Uint8Array | undefined> {
  if (files.known === 'all') return template.render(files.files);
  const listed = page?.metadata[fileSumMetadata];
  if (page?.metadata[versionMetadata] !== template.version || listed === undefined) return undefined;
  const old = await objects.readRange(joinKey(repository, pageFile), page.etag, 0, page.size);
  const spliced = template.splice(old, files.presence);
  if (spliced.outcome !== 'spliced') return undefined;
  return changedSum(listed, spliced.entered, spliced.left) === fileSum ? spliced.page : undefined;
}
