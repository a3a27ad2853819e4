/**
 * `index.html` of a repository: a browser for its packages, in one file.
 *
 * All that it shows with JavaScript it reads from the index beside it, so that it is never out of step with it. The list of links
 * inside is for those without: it is the only part that differs between repositories and between publications.
 */

import { hash } from 'node:crypto';
import { builtPage } from './built-page.ts';
import { type FilePresence, renderLinks, type SplicedLinks, spliceLinks } from './links.ts';

export const pageFile = 'index.html';

export const pageContentType = 'text/html; charset=utf-8';

/** Of the page without its list. */
export const pageVersion: string = hash('sha256', builtPage);

/** Says, near its beginning, that a page is one of ours, of whatever version. Whoever makes a page of his own out of one takes it out. */
const pageMark = '<meta name="generator" content="pkgsrc-indexer">';

/** So many of its first bytes tell whether a page is one of ours. */
export const pageMarkBytes = 256;

/** Stands in the built page where the links go. */
const linksMark = '{{links}}';
const linksStart = builtPage.indexOf(linksMark);
const before = Buffer.from(builtPage.slice(0, linksStart));
const after = Buffer.from(builtPage.slice(linksStart + linksMark.length));

export type SplicedPage =
  | ({ readonly page: Uint8Array } & Omit<SplicedLinks & { readonly outcome: 'spliced' }, 'links'>)
  /** The page lists what it should. */
  | { readonly outcome: 'unchanged' }
  /** The page is of another version, or none of ours: it takes all files to make it. */
  | { readonly outcome: 'unreadable' };

/** @param beginning its first `pageMarkBytes`, or all. */
export function isOurPage(beginning: Uint8Array): boolean {
  return Buffer.from(beginning.buffer, beginning.byteOffset, beginning.length).includes(pageMark);
}

/**
 * A pure function of its argument and of the deployed version: a page that has other bytes is of another version, or lists other
 * files.
 * @param files of the packages that are in the index, in its order; well-formed Unicode.
 * @throws {URIError} where a name holds a lone surrogate, which no key does.
 */
export function renderPage(files: Iterable<string>): Uint8Array {
  return Buffer.concat([before, ...renderLinks(files), after]);
}

/**
 * What `renderPage` gives for the files that the page lists once these have come and gone: the same bytes, in a millisecond
 * instead of the 30 that it takes to render 27,699 files.
 */
export function splicePage(page: Uint8Array, presence: FilePresence): SplicedPage {
  const bytes = Buffer.from(page.buffer, page.byteOffset, page.length);
  const linksEnd = bytes.length - after.length;
  const isOfThisVersion =
    linksEnd >= before.length &&
    bytes.subarray(0, before.length).equals(before) &&
    bytes.subarray(linksEnd).equals(after);
  if (!isOfThisVersion) return { outcome: 'unreadable' };
  const spliced = spliceLinks(bytes.subarray(before.length, linksEnd), presence);
  if (spliced.outcome !== 'spliced') return spliced;
  const { links, ...rest } = spliced;
  return { ...rest, page: Buffer.concat([before, links, after]) };
}
