/**
 * The page of a directory: for people, and for pkg_add, which finds packages by its links.
 *
 * pkg_add's reader (pkgsrc net/libfetch/files/http.c, parse_index and common.c, fetch_add_entry) wants `<a href="…">` with
 * double quotes, keeps the links without a slash, and takes a percent-encoded name. It knows no character references, so a
 * link holds none.
 */

import type { DirectoryEntry } from './directory-entries.ts';

export interface DirectoryPage {
  /** Of the directory, as it is read: `/All/`. */
  readonly path: string;
  readonly entries: readonly DirectoryEntry[];
  /** The text of its README.txt. */
  readonly readme: string | undefined;
}

/** As many rows are turned into bytes at a time, and the event loop gets its turn in between. */
const rowsAtATime = 1_000;

/** UTF-8. */
export async function renderDirectoryPage({ path, entries, readme }: DirectoryPage): Promise<Uint8Array> {
  const title = escapeHtml(path);
  const pieces = [Buffer.from(pageHead(title, readme) + (path === '/' ? '' : parentRow))];
  for (let start = 0; start < entries.length; start += rowsAtATime) {
    const rows = entries.slice(start, start + rowsAtATime).map(entryRow);
    pieces.push(Buffer.from(rows.join('')));
    await new Promise(setImmediate);
  }
  pieces.push(Buffer.from('</tbody>\n</table>\n'));
  return Buffer.concat(pieces);
}

function pageHead(title: string, readme: string | undefined): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
<style>
:root { color-scheme: light dark; font-family: system-ui, sans-serif }
pre { white-space: pre-wrap }
th { text-align: left }
th, td { padding: 0 1.5em 0 0 }
td { font-variant-numeric: tabular-nums; white-space: nowrap }
td + td, th + th { text-align: right }
</style>
<h1>${title}</h1>
${readme === undefined ? '' : `<pre>${escapeHtml(readme)}</pre>\n`}<table>
<thead><tr><th>Name</th><th>Bytes</th><th>Changed (UTC)</th></tr></thead>
<tbody>
`;
}

const parentRow = '<tr><td><a href="../">../</a></td><td></td><td></td></tr>\n';

/** A name may hold characters that turn the direction of the text around: bdi keeps that inside the name. */
function entryRow({ kind, name, size, lastModified }: DirectoryEntry): string {
  const slash = kind === 'directory' ? '/' : '';
  const bytes = kind === 'directory' ? '' : thousands(size);
  const changed = lastModified.toISOString().slice(0, 16).replace('T', ' ');
  const link = `<a href="${encodeURIComponent(name)}${slash}"><bdi>${escapeHtml(name)}</bdi>${slash}</a>`;
  return `<tr><td>${link}</td><td>${bytes}</td><td>${changed}</td></tr>\n`;
}

function thousands(bytes: number): string {
  return String(bytes).replace(/\B(?=(?:\d{3})+$)/g, ',');
}

const characterReferences: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => characterReferences[character] ?? character);
}
