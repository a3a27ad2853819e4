/** A package as the list shows it. */

import { lastValue, type RecordFields } from '../../record/record-fields.ts';

export interface ListedPackage {
  /** What its URL has: PKGNAME, or where an earlier package has the same one, FILE_NAME. */
  readonly key: string;
  /** PKGNAME; `base` and `version` are its parts. */
  readonly name: string;
  readonly base: string;
  readonly version: string;
  readonly comment: string;
  /** Separated by blanks, as in the record. */
  readonly categories: string;
  /** Of the file, bytes; 0 where the record does not say. */
  readonly size: number;
  /** Milliseconds since 1970; 0 where the record does not say. */
  readonly built: number;
}

export function listedPackage(fields: RecordFields, key: string): ListedPackage {
  const name = lastValue(fields, 'PKGNAME');
  const dash = name.lastIndexOf('-');
  return {
    key,
    name,
    base: dash === -1 ? name : name.slice(0, dash),
    version: dash === -1 ? '' : name.slice(dash + 1),
    comment: lastValue(fields, 'COMMENT'),
    categories: lastValue(fields, 'CATEGORIES'),
    size: bytesOf(lastValue(fields, 'FILE_SIZE')),
    built: parseBuildDate(lastValue(fields, 'BUILD_DATE')),
  };
}

export function categoriesOf({ categories }: Pick<ListedPackage, 'categories'>): string[] {
  return categories.split(/[ \t]+/).filter((category) => category !== '');
}

/** Beyond it a year has more than four digits, and dates no longer sort as texts. */
const endOfTime = Date.UTC(9999, 0);

/** 0 where it is no number of bytes. */
export function bytesOf(text: string): number {
  return /^[0-9]{1,15}$/.test(text) ? Number(text) : 0;
}

/** `2026-07-24 02:36:42 +0000`, as pkgsrc writes it; 0 where it is no date. */
export function parseBuildDate(text: string): number {
  const parts = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d(?::\d\d)?)(?: ?([+-]\d\d):?(\d\d))?/.exec(text);
  const [, date, time, zoneHours = '+00', zoneMinutes = '00'] = parts ?? [];
  const milliseconds = Date.parse(date === undefined ? text : `${date}T${time}${zoneHours}:${zoneMinutes}`);
  return milliseconds > 0 && milliseconds < endOfTime ? milliseconds : 0;
}
