/**
 * GET of a path: a file, a directory's own index.html (in a repository: its package browser), or the page that lists a directory; at the
 * root, the front page.
 */

import { isIndexKey } from '../keys.ts';
import { isOurPage, pageContentType, pageFile, pageMarkBytes } from '../page/page.ts';
import { ObjectChanged } from '../ports.ts';
import { answered, foundAt, movedTo, notFound, Refusal } from './answer.ts';
import { renderDirectoryPage } from './directory-page.ts';
import { sendFile } from './files.ts';
import { pathOf, showFrontPage, showSearch } from './front-page.ts';
import { pageFrame, wayUp } from './page-frame.ts';
import { encodedPath, type RequestTarget } from './request-target.ts';
import type { ServedDirectory, ServedFile } from './served-tree.ts';
import type { ServedRequest, Site } from './site.ts';

/** An object that is replaced between the request for its facts and the one for its bytes is opened again, so many times in all. */
const triesMax = 3;

/** `GET /All/`, `GET /All/x-1.0.tgz` */
export async function browse(request: ServedRequest, site: Site): Promise<Response> {
  for (let tries = 1; ; tries += 1)
    try {
      return (await answerAtRoot(request, site)) ?? (await answerWithFile(request, site));
    } catch (error) {
      if (!(error instanceof ObjectChanged)) throw error;
      if (tries === triesMax) throw new Refusal(503, 'The file is being replaced: try again in a few seconds.');
    }
}

/**
 * The front page, a search, or, where there is one repository only, the way to it. Undefined for everything else: other paths, the list of
 * files, an index.html of the root, and a root that is a repository itself.
 */
async function answerAtRoot(request: ServedRequest, site: Site): Promise<Response | undefined> {
  const { parts, repeatedSlash } = request.env.target;
  const { search, repositories, list } = request.req.query();
  if (parts.length > 0 || repeatedSlash || list !== undefined) return undefined;
  if (search !== undefined) return await showSearch(request, site, search);
  if (repositories === undefined && (await openFile(request, site, [pageFile])) !== undefined) return undefined;
  const overviews = await answered(() => site.operations.overview());
  if (repositories === undefined) {
    if (overviews.some(({ repository }) => repository === '')) return undefined;
    const [only, ...others] = overviews;
    if (only !== undefined && others.length === 0) return foundAt(pathOf(only.repository));
  }
  return await showFrontPage(request, site, overviews, await readmeOf(request, site));
}

async function answerWithFile(request: ServedRequest, site: Site): Promise<Response> {
  const { parts, trailingSlash, repeatedSlash } = request.env.target;
  const opened = await openBelow(request, site, parts);
  if (opened === undefined) throw notFound();

  if (opened.kind === 'file') {
    if (trailingSlash) throw notFound();
    if (repeatedSlash) return movedToCanonical(request.env.target, false);
    return await sendAnyFile(request, opened, parts.at(-1) ?? '', site);
  }
  // A client that asks for an index would read the page of a directory as one.
  if (!trailingSlash && isIndexKey(parts.join('/'))) throw notFound();
  const isAtItsPath = (trailingSlash || parts.length === 0) && !repeatedSlash;
  if (!isAtItsPath) return movedToCanonical(request.env.target, true);

  // `?list` asks for the list of a directory that has an index.html.
  const wantsList = request.req.query('list') !== undefined;
  const page = wantsList ? undefined : await openFile(request, site, [...parts, pageFile]);
  return page === undefined
    ? await showDirectory(request, opened, site)
    : await sendAnyFile(request, page, pageFile, site);
}

/** What a package browser may do is said in the page itself, by the hashes of its script and style; but not who may frame it. */
const browserPolicy = { 'Content-Security-Policy': "frame-ancestors 'none'" };

async function sendAnyFile(request: ServedRequest, file: ServedFile, name: string, site: Site): Promise<Response> {
  if (isIndexKey(name)) return await sendFile(request, file, name, linkUp(request.env.target.parts.length - 1), site);
  const isBrowser = name === pageFile && (await isPackageBrowser(file));
  return await sendFile(request, file, name, isBrowser ? browserPolicy : {}, site);
}

/** The package browser reads it: a page that is elsewhere, in a bucket, has no front page above it. */
function linkUp(depth: number): Readonly<Record<string, string>> {
  return { Link: `<${wayUp(depth)}/?repositories>; rel="up"` };
}

async function isPackageBrowser(file: ServedFile): Promise<boolean> {
  return isOurPage(await file.head(pageMarkBytes));
}

/**
 * `/All` → `/All/`, so that relative links lead below it; `/All//x.tgz` → `/All/x.tgz`, which pkg_add asks for when it is
 * given http://host/All/x: it adds a slash to the one that is there.
 */
function movedToCanonical({ parts, query }: RequestTarget, isDirectory: boolean): Response {
  return movedTo(encodedPath(parts, isDirectory) + (query === undefined ? '' : `?${query}`));
}

async function showDirectory(request: ServedRequest, directory: ServedDirectory, site: Site): Promise<Response> {
  const { parts } = request.env.target;
  request.env.afterwards(site.pagesUnderWay.take());
  const entries = await directory.entries(site.limits);
  const path = parts.length === 0 ? '/' : `/${parts.join('/')}/`;
  const readme = await readmeOf(request, site);
  const frame = await pageFrame({ title: path, depth: parts.length, tab: 'Files', site });
  const page = await renderDirectoryPage({ path, entries, readme, frame });
  const headers = { 'Content-Type': pageContentType, 'Cache-Control': 'no-cache' };
  return request.body(page, 200, { ...headers, 'Content-Security-Policy': frame.policy });
}

/** The text of the directory's README.txt, or as much of it as a page shows; undefined without one. */
async function readmeOf(request: ServedRequest, site: Site): Promise<string | undefined> {
  const readme = await openFile(request, site, [...request.env.target.parts, 'README.txt']);
  if (readme === undefined) return undefined;
  const { readmeBytesMax } = site.limits;
  const text = Buffer.from(await readme.head(readmeBytesMax)).toString();
  const rest = readme.size > readmeBytesMax ? '\n[the rest is in README.txt]' : '';
  return text + rest;
}

async function openFile(request: ServedRequest, site: Site, parts: readonly string[]): Promise<ServedFile | undefined> {
  const opened = await openBelow(request, site, parts);
  return opened?.kind === 'file' ? opened : undefined;
}

/** Closed again once the answer is sent. */
async function openBelow(
  { env }: ServedRequest,
  { tree }: Site,
  parts: readonly string[],
): Promise<ServedFile | ServedDirectory | undefined> {
  const opened = await tree.open(parts);
  if (opened?.kind === 'file') env.afterwards(() => opened.close());
  return opened;
}
