/** Conditional requests for a file: RFC 9110, section 13. */

import type { FileFacts } from './served-tree.ts';
import type { RequestHeaders } from './site.ts';

/** `failed` is a 412, `not-modified` a 304. */
export type Precondition = 'holds' | 'not-modified' | 'failed';

/** In the order of section 13.2.2, where the header with the ETag always wins over the one with the date. */
export function preconditionOf(headers: RequestHeaders, facts: FileFacts, now: Date): Precondition {
  const ifMatch = headers['if-match'];
  const unmodifiedSince = parseHttpDate(headers['if-unmodified-since'], now);
  if (ifMatch !== undefined) {
    if (!hasStrongMatch(ifMatch, facts.etag)) return 'failed';
  } else if (unmodifiedSince !== undefined && facts.lastModified > unmodifiedSince) return 'failed';

  const ifNoneMatch = headers['if-none-match'];
  const modifiedSince = parseHttpDate(headers['if-modified-since'], now);
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
  return isSettled && parseHttpDate(ifRange, now)?.getTime() === facts.lastModified.getTime();
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

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const month = `(?<month>${months.join('|')})`;
const time = '(?<hour>[01]\\d|2[0-3]):(?<minute>[0-5]\\d):(?<second>[0-5]\\d|60)';

/** The form in use, and the two obsolete ones that a server must understand: RFC 9110, section 5.6.7. */
const dateForms = [
  `[A-Z][a-z]{2}, (?<day>\\d\\d) ${month} (?<year>\\d{4}) ${time} GMT`,
  `[A-Z][a-z]+day, (?<day>\\d\\d)-${month}-(?<year>\\d\\d) ${time} GMT`,
  `[A-Z][a-z]{2} ${month} (?<day>[ \\d]\\d) ${time} (?<year>\\d{4})`,
].map((form) => new RegExp(`^${form}$`));

/** A date that cannot be read is no condition. */
function parseHttpDate(text: string | undefined, now: Date): Date | undefined {
  const parts = dateForms.map((form) => form.exec(text ?? '')?.groups).find((groups) => groups !== undefined);
  if (parts === undefined) return undefined;
  const { year = '', month = '', day = '', hour = '', minute = '', second = '' } = parts;
  const monthIndex = months.indexOf(month);
  const date = new Date(
    Date.UTC(fullYear(year, now), monthIndex, Number(day), Number(hour), Number(minute), Number(second)),
  );
  return date.getUTCMonth() === monthIndex ? date : undefined;
}

/** Two digits that seem to lie more than 50 years ahead are a year of the past. */
function fullYear(year: string, now: Date): number {
  if (year.length === 4) return Number(year);
  const thisYear = now.getUTCFullYear();
  const inThisCentury = thisYear - (thisYear % 100) + Number(year);
  return inThisCentury > thisYear + 50 ? inThisCentury - 100 : inThisCentury;
}
