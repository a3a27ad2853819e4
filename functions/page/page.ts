/**
 * `index.html` of a repository: a browser for its packages, in one file.
 *
 * All that it shows with JavaScript it reads from the index beside it, so that it is never out of step with it. The list of links
 * inside is for those without: it is the only part that differs between repositories and between publications.
 */

import { builtPage } from './built-page.ts';
import { renderListing } from './listing.ts';

export const pageFile = 'index.html';

export const pageContentType = 'text/html; charset=utf-8';

/** Stands in the built page where the list of links goes. */
const listingMark = '{{listing}}';

/**
 * A pure function of its argument and of the deployed version: a page that has other bytes is an older one, or lists other files.
 * @param files of the packages that are in the index, in its order; well-formed Unicode.
 * @throws {URIError} where a name holds a lone surrogate, which no key does.
 */
export function renderPage(files: readonly string[]): Uint8Array {
  const [before = '', after = ''] = builtPage.split(listingMark);
  return new TextEncoder().encode(before + renderListing(files) + after);
}
