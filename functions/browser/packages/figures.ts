/** What the page shows of the repository as a whole. */

import { warningRemedies } from '../../record/warnings.ts';
import type { Catalogue } from './catalogue.ts';
import { categoriesOf } from './listed-package.ts';
import { packageLinks, warningCodes } from './package-details.ts';
import type { Relations } from './relations.ts';

export type Figures = ReturnType<typeof figuresOf>;

export function figuresOf(catalogue: Catalogue, relations: Relations) {
  const { packages } = catalogue;
  const { report } = relations;
  const linksByName = (names: readonly string[]) =>
    packageLinks(
      catalogue,
      names.flatMap((name) => catalogue.indexOf(name) ?? []),
    );
  return {
    packages: packages.length,
    /** Of all files. */
    bytes: packages.reduce((sum, { size }) => sum + size, 0),
    /** The largest first. */
    categories: categoryFigures(catalogue),
    /** Without gaps, the earliest first. */
    builds: buildFigures(packages.map(({ built }) => built)),
    /** `SunOS 5.11 x86_64`, the most frequent first. */
    platforms: catalogue.platforms,
    missingDependencies: report.missingDependencies.map(({ neededBy, ...missing }) => {
      return { ...missing, neededBy: linksByName(neededBy) };
    }),
    missingLibraries: report.missingLibraries.map(({ library, neededBy }) => {
      return { library, neededBy: linksByName(neededBy) };
    }),
    systemLibraries: report.systemLibraries,
    duplicateNames: report.duplicateNames,
    duplicatePaths: report.duplicatePaths.map(({ path, names }) => ({ path, packages: linksByName(names) })),
    ...warningFigures(catalogue, relations),
  } as const;
}

function categoryFigures({ packages }: Catalogue) {
  const members = packages.flatMap((listed) =>
    [...new Set(categoriesOf(listed))].map((name) => ({ name, bytes: listed.size })),
  );
  const figures = [...Map.groupBy(members, ({ name }) => name)].map(([name, found]) => {
    return { name, packages: found.length, bytes: found.reduce((sum, { bytes }) => sum + bytes, 0) };
  });
  return figures.sort((left, right) => right.packages - left.packages || (left.name < right.name ? -1 : 1));
}

/** Columns that a small chart has room for. */
const periodsMax = 60;

/** Characters of an ISO date that name the day, the month, the year. */
const periodLengths = [10, 7, 4] as const;

/**
 * How many packages were built in each period: by day where that gives few enough of them, otherwise by month, otherwise by year.
 * @param dates 0: not known.
 */
export function buildFigures(dates: readonly number[]) {
  const known = dates.filter((date) => date > 0);
  const first = known.reduce((least, date) => Math.min(least, date), Number.POSITIVE_INFINITY);
  const last = known.reduce((most, date) => Math.max(most, date), 0);
  if (known.length === 0) return [];
  for (const length of periodLengths) {
    const periods = periodsBetween(first, last, length);
    if (periods.length > periodsMax && length !== 4) continue;
    const counts = new Map(periods.map((period) => [period, 0]));
    for (const date of known) {
      const period = new Date(date).toISOString().slice(0, length);
      counts.set(period, (counts.get(period) ?? 0) + 1);
    }
    return [...counts].slice(-periodsMax).map(([period, packages]) => ({ period, packages }));
  }
  return [];
}

/** Stops soon after there are too many. */
function periodsBetween(first: number, last: number, length: (typeof periodLengths)[number]): string[] {
  const periods: string[] = [];
  const date = new Date(first);
  const end = new Date(last).toISOString().slice(0, length);
  while (periods.length <= periodsMax || length === 4) {
    const period = date.toISOString().slice(0, length);
    periods.push(period);
    if (period >= end) break;
    if (length === 10) date.setUTCDate(date.getUTCDate() + 1);
    else if (length === 7) date.setUTCMonth(date.getUTCMonth() + 1, 1);
    else date.setUTCFullYear(date.getUTCFullYear() + 1, 0, 1);
  }
  return periods;
}

function warningFigures(catalogue: Catalogue, relations: Relations) {
  const found = catalogue.facts.flatMap(({ name, file }, index) =>
    warningCodes(relations, { name, file, text: catalogue.text(index) }).map((code) => ({ code, index })),
  );
  return {
    packagesWithWarnings: new Set(found.map(({ index }) => index)).size,
    warnings: [...Map.groupBy(found, ({ code }) => code)].map(([code, places]) => {
      const packages = places.map(({ index }) => index);
      return { code, remedy: warningRemedies[code], packages: packageLinks(catalogue, packages) };
    }),
  };
}
