/** What the page shows of the repository as a whole. */

import { type WarningCode, warningRemedies } from '../../record/warnings.ts';
import type { PatternProblem } from '../../version/pattern.ts';
import type { Catalogue } from './catalogue.ts';
import { categoriesOf } from './listed-package.ts';
import { type PackageLinks, packageLinks, warningCodes } from './package-details.ts';
import type { Relations } from './relations.ts';

export interface CategoryFigures {
  readonly name: string;
  readonly packages: number;
  /** Of the files. */
  readonly bytes: number;
}

/** How many packages were built in a stretch of time. */
export interface BuildFigures {
  /** `2026-07`, `2026-07-24` or `2026`. */
  readonly period: string;
  readonly packages: number;
}

export interface Figures {
  readonly packages: number;
  /** Of all files. */
  readonly bytes: number;
  /** The largest first. */
  readonly categories: readonly CategoryFigures[];
  /** Without gaps, the earliest first. */
  readonly builds: readonly BuildFigures[];
  /** `SunOS 5.11 x86_64`, the most frequent first. */
  readonly platforms: readonly string[];
  readonly missingDependencies: readonly {
    readonly pattern: string;
    readonly problem: PatternProblem | undefined;
    readonly neededBy: PackageLinks;
  }[];
  readonly missingLibraries: readonly { readonly library: string; readonly neededBy: PackageLinks }[];
  readonly systemLibraries: number;
  readonly duplicateNames: readonly { readonly name: string; readonly files: readonly string[] }[];
  readonly duplicatePaths: readonly { readonly path: string; readonly packages: PackageLinks }[];
  readonly warnings: readonly {
    readonly code: WarningCode;
    readonly remedy: string;
    readonly packages: PackageLinks;
  }[];
}

export function figuresOf(catalogue: Catalogue, relations: Relations): Figures {
  const { packages } = catalogue;
  const { report } = relations;
  const linksByName = (names: readonly string[]) =>
    packageLinks(
      catalogue,
      names.flatMap((name) => catalogue.indexOf(name) ?? []),
    );
  return {
    packages: packages.length,
    bytes: packages.reduce((sum, { size }) => sum + size, 0),
    categories: categoryFigures(catalogue),
    builds: buildFigures(packages.map(({ built }) => built)),
    platforms: catalogue.platforms,
    missingDependencies: report.missingDependencies.map(({ pattern, problem, neededBy }) => ({
      pattern,
      problem,
      neededBy: linksByName(neededBy),
    })),
    missingLibraries: report.missingLibraries.map(({ library, neededBy }) => ({
      library,
      neededBy: linksByName(neededBy),
    })),
    systemLibraries: report.systemLibraries,
    duplicateNames: report.duplicateNames,
    duplicatePaths: report.duplicatePaths.map(({ path, names }) => ({ path, packages: linksByName(names) })),
    warnings: warningFigures(catalogue, relations),
  };
}

function categoryFigures({ packages }: Catalogue): CategoryFigures[] {
  const figures = new Map<string, { name: string; packages: number; bytes: number }>();
  for (const listed of packages) {
    for (const name of new Set(categoriesOf(listed))) {
      const known = figures.get(name) ?? { name, packages: 0, bytes: 0 };
      figures.set(name, known);
      known.packages += 1;
      known.bytes += listed.size;
    }
  }
  return [...figures.values()].sort(
    (left, right) => right.packages - left.packages || (left.name < right.name ? -1 : 1),
  );
}

/** Columns that a small chart has room for. */
const periodsMax = 60;

/** Characters of an ISO date that name the day, the month, the year. */
const periodLengths = [10, 7, 4] as const;

/** By day where that gives few enough periods, otherwise by month, otherwise by year. @param dates 0: not known. */
export function buildFigures(dates: readonly number[]): BuildFigures[] {
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

function warningFigures(catalogue: Catalogue, relations: Relations): Figures['warnings'] {
  const places = new Map<WarningCode, number[]>();
  for (const [index, { name, file }] of catalogue.facts.entries()) {
    for (const code of warningCodes(relations, { name, file, text: catalogue.text(index) })) {
      const known = places.get(code);
      if (known === undefined) places.set(code, [index]);
      else known.push(index);
    }
  }
  return [...places].map(([code, found]) => ({
    code,
    remedy: warningRemedies[code],
    packages: packageLinks(catalogue, found),
  }));
}
