/**
 * The pages that we serve, bundled from their sources when they are first needed, and kept in node_modules/.cache from one start to the
 * next. A bundle of ours (for Lambda, for npm) holds the finished pages instead of this file: scripts/embedded-pages.ts.
 */

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { type BundledPage, bundlePage, type PageName, root } from './page-bundler.ts';

/** The package browser, with a place for its list of links. */
export async function packagesPage(): Promise<string> {
  return (await page('packages')).html;
}

/** The operations view, with its Content-Security-Policy. */
export async function operationsPage(): Promise<Pick<BundledPage, 'html' | 'policy'>> {
  return page('operations');
}

/** What is around a page that the server renders, with places for `{{title}}` and `{{content}}`; and its Content-Security-Policy. */
export async function sitePage(): Promise<Pick<BundledPage, 'html' | 'policy'>> {
  return page('site');
}

const pages = new Map<PageName, Promise<BundledPage>>();

function page(name: PageName): Promise<BundledPage> {
  const made = pages.get(name) ?? loadPage(name);
  pages.set(name, made);
  return made;
}

interface CachedPage extends BundledPage {
  /** Of the sources' contents. */
  readonly digest: string;
}

/** What a page depends on besides its own sources. */
const tools = [relative(root, join(import.meta.dirname, 'page-bundler.ts')), 'node_modules/esbuild/package.json'];

/** @param cache the directory that keeps it. @returns the page of the sources as they are now. */
export async function loadPage(
  name: PageName,
  cache: string = join(root, 'node_modules/.cache/pkgsrc-indexer'),
): Promise<BundledPage> {
  const file = join(cache, `${name}-page.json`);
  const cached = readCached(file);
  if (cached !== undefined && cached.digest === digestOf(cached.sources)) return cached;
  const begin = Date.now();
  const bundled = await bundlePage(name);
  // A source that was edited meanwhile may not be what went into the page.
  const isSettled = bundled.sources.every((source) => statSync(join(root, source)).mtimeMs < begin);
  if (isSettled) writeCached(cache, file, { ...bundled, digest: digestOf(bundled.sources) });
  return bundled;
}

function digestOf(sources: readonly string[]): string {
  const digest = createHash('sha256');
  for (const source of [...sources, ...tools]) {
    const path = join(root, source);
    const content = existsSync(path) ? readFileSync(path) : 'removed';
    digest.update(`${source}\n${content.length}\n`).update(content);
  }
  return digest.digest('hex');
}

function readCached(file: string): CachedPage | undefined {
  try {
    const cached: Partial<CachedPage> = JSON.parse(readFileSync(file, 'utf8'));
    return cached.sources === undefined ? undefined : (cached as CachedPage);
  } catch {
    // Nothing is kept yet, or it is damaged.
    return undefined;
  }
}

/** Atomic, because several processes may start at the same time. Where nothing can be written, every start bundles. */
function writeCached(cache: string, file: string, page: CachedPage): void {
  const temporary = `${file}.${process.pid}`;
  try {
    mkdirSync(cache, { recursive: true });
    writeFileSync(temporary, JSON.stringify(page));
    renameSync(temporary, file);
  } catch {
    if (existsSync(temporary)) rmSync(temporary);
  }
}
