/** GET of a path: a file, a directory's own index.html (in a repository: its package browser), or the page that lists a directory. */

import { isOurPage, pageContentType, pageFile, pageMarkBytes } from '../page/page.ts';
import { type Answer, notFound, plainText } from './answer.ts';
import { type DirectoryEntry, readDirectoryEntries } from './directory-entries.ts';
import { renderDirectoryPage } from './directory-page.ts';
import { answerWithFile } from './downloads.ts';
import { encodedPath } from './request-key.ts';
import { type OpenFile, openServed } from './served-path.ts';
import type { ServedRequest, Site } from './served-request.ts';

/** The query that asks for the list of a directory that has an index.html. */
const listQuery = 'list';

/** `GET /All/`, `GET /All/x-1.0.tgz` */
export async function browse(request: ServedRequest, site: Site): Promise<Answer> {
  const { parts, trailingSlash, repeatedSlash } = request.target;
  const opened = await openServed(site.root, parts);
  if (opened === undefined) throw notFound();

  if (opened.kind === 'file') {
    const isAtItsPath = !trailingSlash && !repeatedSlash;
    if (isAtItsPath) return answerWithAnyFile(request, opened, parts.at(-1) ?? '');
    await opened.handle.close();
    if (trailingSlash) throw notFound();
    return movedTo(request, false);
  }
  const isAtItsPath = (trailingSlash || parts.length === 0) && !repeatedSlash;
  if (!isAtItsPath) return movedTo(request, true);

  const page = request.target.query === listQuery ? undefined : await openFile(site, [...parts, pageFile]);
  return page === undefined
    ? showDirectory(request, opened.realPath, site)
    : answerWithAnyFile(request, page, pageFile);
}

/** What a package browser may do is said in the page itself, by the hashes of its own script and style; but not who may frame it. */
const browserPolicy = { 'Content-Security-Policy': "frame-ancestors 'none'" };

async function answerWithAnyFile(request: ServedRequest, file: OpenFile, name: string): Promise<Answer> {
  const isBrowser = name === pageFile && (await isPackageBrowser(file));
  const answer = answerWithFile(request, file, name);
  return isBrowser ? { ...answer, headers: { ...answer.headers, ...browserPolicy } } : answer;
}

async function isPackageBrowser({ handle }: OpenFile): Promise<boolean> {
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(pageMarkBytes), 0, pageMarkBytes, 0);
    return isOurPage(buffer.subarray(0, bytesRead));
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/**
 * `/All` → `/All/`, so that relative links lead below it; `/All//x.tgz` → `/All/x.tgz`, which pkg_add asks for when it is
 * given http://host/All/x: it puts a slash behind the one that is there.
 */
function movedTo({ target }: ServedRequest, isDirectory: boolean): Answer {
  const query = target.query === undefined ? '' : `?${target.query}`;
  const location = encodedPath(target.parts, isDirectory) + query;
  return plainText(301, `It is at ${location}`, { Location: location });
}

async function showDirectory({ target }: ServedRequest, realPath: string, site: Site): Promise<Answer> {
  const release = site.pagePlaces.take();
  try {
    const entries = await readDirectoryEntries(site.root, realPath, site.limits);
    const headers = { 'Content-Type': pageContentType, 'Cache-Control': 'no-cache' };
    const bytes = await listOf(target.parts, entries, site);
    return { status: 200, headers, body: { kind: 'bytes', bytes }, release };
  } catch (error) {
    release();
    throw error;
  }
}

async function listOf(parts: readonly string[], entries: readonly DirectoryEntry[], site: Site): Promise<Uint8Array> {
  const path = parts.length === 0 ? '/' : `/${parts.join('/')}/`;
  return await renderDirectoryPage({ path, entries, readme: await readmeOf(parts, site) });
}

/** The text of the directory's README.txt, or as much of it as a page shows; undefined without one. */
async function readmeOf(parts: readonly string[], site: Site): Promise<string | undefined> {
  const readme = await openFile(site, [...parts, 'README.txt']);
  if (readme === undefined) return undefined;
  try {
    const { readmeBytesMax } = site.limits;
    const { buffer, bytesRead } = await readme.handle.read(Buffer.alloc(readmeBytesMax), 0, readmeBytesMax, 0);
    const rest = readme.size > readmeBytesMax ? '\n[the rest is in README.txt]' : '';
    return buffer.toString('utf8', 0, bytesRead) + rest;
  } finally {
    await readme.handle.close();
  }
}

/** A file of this directory that is served with it; undefined where there is none. */
async function openFile(site: Site, parts: readonly string[]): Promise<OpenFile | undefined> {
  const opened = await openServed(site.root, parts);
  return opened?.kind === 'file' ? opened : undefined;
}
