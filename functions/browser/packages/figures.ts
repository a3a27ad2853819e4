/** What the page shows of the repository as a whole. */

import { describeCycle } from '../../check/findings.ts';
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
    foreignArchitectures: report.foreignArchitectures.map(({ architecture, names }) => {
      return { architecture: architecture || '(empty)', packages: linksByName(names) };
    }),
    dependencyCycles: report.dependencyCycles.map((cycle) => {
      return { cycle: describeCycle(cycle), packages: linksByName(cycle.names) };
    }),
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

/** Characters of an ISO date that name the period, and the period's first day before that of `date`. */
const periodKinds = [
  { length: 10, before: (date: Date) => date.setUTCDate(date.getUTCDate() - 1) },
  { length: 7, before: (date: Date) => date.setUTCMonth(date.getUTCMonth() - 1, 1) },
  { length: 4, before: (date: Date) => date.setUTCFullYear(date.getUTCFullYear() - 1, 0, 1) },
] as const;

/**
 * How many packages were built in each period: by day where that gives few enough of them, otherwise by month, otherwise by year.
 * @param dates 0: not known.
 */
export function buildFigures(dates: readonly number[]) {
  const known = dates.filter((date) => date > 0);
  if (known.length === 0) return [];
  const [first, last] = known.reduce(
    ([least, most], date) => [Math.min(least, date), Math.max(most, date)],
    [Number.POSITIVE_INFINITY, 0],
  );
  for (const { length, before } of periodKinds) {
    const periodOf = (date: number) => new Date(date).toISOString().slice(0, length);
    const periods = [periodOf(last)];
    const date = new Date(last);
    while (periods.length < periodsMax && periods.at(-1) !== periodOf(first)) periods.push(periodOf(before(date)));
    if (periods.at(-1) !== periodOf(first) && length !== 4) continue;
    const counts = Map.groupBy(known, periodOf);
    return periods.toReversed().map((period) => ({ period, packages: counts.get(period)?.length ?? 0 }));
  }
  return [];
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
