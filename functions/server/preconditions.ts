/** Conditional requests for a file: RFC 9110, section 13. */

import type { FileFacts } from './open-served.ts';
import type { RequestHeaders } from './site.ts';

/** `failed` is a 412, `not-modified` a 304. */
export type Precondition = 'holds' | 'not-modified' | 'failed';

/** In the order of section 13.2.2, where the header with the ETag always wins over the one with the date. */
export function preconditionOf(headers: RequestHeaders, facts: FileFacts): Precondition {
  const ifMatch = headers['if-match'];
  const unmodifiedSince = parseHttpDate(headers['if-unmodified-since']);
  if (ifMatch !== undefined) {
    if (!hasStrongMatch(ifMatch, facts.etag)) return 'failed';
  } else if (unmodifiedSince !== undefined && facts.lastModified > unmodifiedSince) return 'failed';

  const ifNoneMatch = headers['if-none-match'];
  const modifiedSince = parseHttpDate(headers['if-modified-since']);
  if (ifNoneMatch !== undefined) return hasWeakMatch(ifNoneMatch, facts.etag) ? 'not-modified' : 'holds';
  return modifiedSince !== undefined && facts.lastModified <= modifiedSince ? 'not-modified' : 'holds';
}

/**
 * Whether a Range may be answered with a part: the file is still the one of which the client has the rest. A date is only
 * exact to the second, so it identifies only a file that has not changed within the last second (section 8.8.2.2).
 */
export function rangeStillHolds(ifRange: string | undefined, facts: FileFacts, now: Date): boolean {
  if (ifRange === undefined) return true;
  if (ifRange.includes('"')) return ifRange.trim() === facts.etag;
  const isSettled = facts.lastModified.getTime() + 1000 <= now.getTime();
  return isSettled && parseHttpDate(ifRange)?.getTime() === facts.lastModified.getTime();
}

/** For reading, a weak tag (`W/"…"`) of the same name will do. */
function hasWeakMatch(list: string, etag: string): boolean {
  return list.trim() === '*' || entityTags(list).some((tag) => tag.replace(/^W\//, '') === etag);
}

function hasStrongMatch(list: string, etag: string): boolean {
  return list.trim() === '*' || entityTags(list).includes(etag);
}

function entityTags(list: string): string[] {
  return list.match(/(?:W\/)?"[^"]*"/g) ?? [];
}

/** A date that cannot be read is no condition. */
function parseHttpDate(text: string | undefined): Date | undefined {
  if (text === undefined || !text.endsWith(' GMT')) return undefined;
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? undefined : date;
}
