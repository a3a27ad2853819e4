/** A package as the list shows it. */

import { allValues, lastValue, type RecordFields } from '../../record/record-fields.ts';

export type ListedPackage = ReturnType<typeof listedPackage>;

/** @param isDuplicate whether an earlier package has the same PKGNAME. */
export function listedPackage(fields: RecordFields, isDuplicate: boolean) {
  const name = lastValue(fields, 'PKGNAME');
  const file = lastValue(fields, 'FILE_NAME');
  const libraries = allValues(fields, 'PROVIDES').map((path) => path.slice(path.lastIndexOf('/') + 1));
  return {
    /** What its URL has. */
    key: isDuplicate ? file : name,
    /** PKGNAME. */
    name,
    ...splitName(name),
    file,
    comment: lastValue(fields, 'COMMENT'),
    /** Separated by blanks, as in the record. */
    categories: lastValue(fields, 'CATEGORIES'),
    /** Names of the shared libraries that it provides, without their directories. */
    libraries: [...new Set(libraries)],
    /** Of the file, bytes; 0 where the record does not say. */
    size: bytesOf(lastValue(fields, 'FILE_SIZE')),
    /** Milliseconds since 1970; 0 where the record does not say. */
    built: parseBuildDate(lastValue(fields, 'BUILD_DATE')),
  } as const;
}

/** `py313-foo-bar-1.0nb2` → `py313-foo-bar` and `1.0nb2`. */
export function splitName(name: string) {
  const dash = name.lastIndexOf('-');
  return dash === -1 ? { base: name, version: '' } : { base: name.slice(0, dash), version: name.slice(dash + 1) };
}

export function categoriesOf({ categories }: Pick<ListedPackage, 'categories'>): string[] {
  return categories.split(/[ \t]+/).filter((category) => category !== '');
}

/** After it a year has more than four digits, and dates no longer sort as texts. */
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
