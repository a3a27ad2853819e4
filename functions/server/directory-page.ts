/**
 * The page of a directory: for people, and for pkg_add, which finds packages by its links.
 *
 * pkg_add's reader (pkgsrc net/libfetch/files/http.c, parse_index and common.c, fetch_add_entry) wants `<a href="…">` with
 * double quotes, keeps the links without a slash, and takes a percent-encoded name. It knows no character references, so a
 * link holds none.
 */

import { html, raw } from 'hono/html';
import { thousands } from '../wording.ts';
import type { PageFrame } from './page-frame.ts';
import type { DirectoryEntry } from './served-tree.ts';

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
  const changed = lastModified?.toISOString().slice(0, 16).replace('T', ' ') ?? '';
  const href = raw(encodeURIComponent(name) + slash);
  return html`<tr><td><a href="${href}"><bdi>${name}</bdi>${slash}</a></td><td>${bytes}</td><td>${changed}</td></tr>\n`;
}
