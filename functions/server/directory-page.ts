/**
 * The page of a directory: for people, and for pkg_add, which finds packages by its links.
 *
 * pkg_add's reader (pkgsrc net/libfetch/files/http.c, parse_index and common.c, fetch_add_entry) wants `<a href="…">` with
 * double quotes, keeps the links without a slash, and takes a percent-encoded name. It knows no character references, so a
 * link holds none.
 */

import { opendir, stat } from 'node:fs/promises';
import { html, raw } from 'hono/html';
import { thousands } from '../wording.ts';
import { Refusal } from './answer.ts';
import { codeOf, isAbsence, modificationDate, realPathInside } from './open-served.ts';
import type { PageFrame } from './page-frame.ts';
import { isServedName } from './request-target.ts';
import type { ServerLimits } from './server-limits.ts';

export interface DirectoryEntry {
  readonly kind: 'file' | 'directory';
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  readonly lastModified: Date;
}

export interface DirectoryPage {
  /** Of the directory, as it is read: `/All/`. */
  readonly path: string;
  readonly entries: readonly DirectoryEntry[];
  /** The text of its README.txt. */
  readonly readme: string | undefined;
  readonly frame: Pick<PageFrame, 'before' | 'after'>;
}

/** Rows that are rendered before the event loop gets its turn. */
const rowsAtATime = 1_000;

/** UTF-8. */
export async function renderDirectoryPage({
  path,
  entries,
  readme,
  frame,
}: DirectoryPage): Promise<Uint8Array<ArrayBuffer>> {
  const pieces = [Buffer.from(frame.before + pageHead(path, readme))];
  for (let start = 0; start < entries.length; start += rowsAtATime) {
    const rows = entries.slice(start, start + rowsAtATime).map(entryRow);
    pieces.push(Buffer.from(rows.join('')));
    await new Promise(setImmediate);
  }
  pieces.push(Buffer.from(`</tbody>\n</table>\n</section>\n${frame.after}`));
  return Buffer.concat(pieces);
}

function pageHead(title: string, readme: string | undefined): unknown {
  const introduction = readme === undefined ? '' : html`<pre>${readme}</pre>`;
  const parentRow = title === '/' ? '' : html`<tr><td><a href="../">../</a></td><td></td><td></td></tr>`;
  return html`<h1>${title}</h1>
${introduction}
<section class="card scroll" aria-label="Files" tabindex="0">
<table class="table files">
<thead><tr><th>Name</th><th>Bytes</th><th>Changed (UTC)</th></tr></thead>
<tbody>
${parentRow}
`;
}

/** A name may hold characters that reverse the direction of the text: bdi keeps that inside the name. */
function entryRow({ kind, name, size, lastModified }: DirectoryEntry): unknown {
  const slash = kind === 'directory' ? '/' : '';
  const bytes = kind === 'directory' ? '' : thousands(size);
  const changed = lastModified.toISOString().slice(0, 16).replace('T', ' ');
  const href = raw(encodeURIComponent(name) + slash);
  return html`<tr><td><a href="${href}"><bdi>${name}</bdi>${slash}</a></td><td>${bytes}</td><td>${changed}</td></tr>\n`;
}

/**
 * The entries that are served, directories first, by name. One that vanishes meanwhile is left out.
 * @param root of everything that is served, with all symbolic links resolved
 * @param realPath of the directory, below it
 * @throws {Refusal} 503 where there are more than a page can show
 */
export async function readDirectoryEntries(
  root: string,
  realPath: string,
  limits: ServerLimits,
): Promise<DirectoryEntry[]> {
  const found = await servedNames(realPath, limits);
  const entries: DirectoryEntry[] = [];
  // In batches, so that a directory of any size leaves the event loop free in between.
  for (let start = 0; start < found.length; start += limits.pageBatchEntries) {
    const batch = found.slice(start, start + limits.pageBatchEntries);
    const described = await Promise.all(batch.map((name) => entryOf(root, realPath, name)));
    for (const entry of described) if (entry !== undefined) entries.push(entry);
  }
  return entries.sort(byKindAndName);
}

interface FoundName {
  readonly name: string;
  readonly isLink: boolean;
}

async function servedNames(realPath: string, { pageEntriesMax }: ServerLimits): Promise<FoundName[]> {
  const found: FoundName[] = [];
  // A name that is not UTF-8 has no URL. Node decodes it to a name that does not exist, so entryOf leaves it out.
  for await (const entry of await opendir(realPath, { bufferSize: 512 })) {
    const { name } = entry;
    if (!isServedName(name)) continue;
    if (found.length >= pageEntriesMax)
      throw new Refusal(503, `This directory has too many entries for one page: the limit is ${pageEntriesMax}.`);
    found.push({ name, isLink: entry.isSymbolicLink() });
  }
  return found;
}

async function entryOf(
  root: string,
  directory: string,
  { name, isLink }: FoundName,
): Promise<DirectoryEntry | undefined> {
  const path = `${directory === '/' ? '' : directory}/${name}`;
  try {
    const target = isLink ? await realPathInside(root, path) : path;
    if (target === undefined) return undefined;
    const stats = await stat(target, { bigint: true });
    if (!stats.isFile() && !stats.isDirectory()) return undefined;
    const kind = stats.isFile() ? 'file' : 'directory';
    return { kind, name, size: Number(stats.size), lastModified: modificationDate(stats.mtimeNs) };
  } catch (error) {
    // A link may lead to where the server has no permission.
    if (isAbsence(error) || codeOf(error) === 'EACCES') return undefined;
    throw error;
  }
}

function byKindAndName(one: DirectoryEntry, other: DirectoryEntry): number {
  if (one.kind !== other.kind) return one.kind === 'directory' ? -1 : 1;
  return one.name < other.name ? -1 : 1;
}
