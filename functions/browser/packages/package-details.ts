/** Everything that the page shows of one package. */

import { allValues, lastValue } from '../../record/record-fields.ts';
import { type WarningCode, warningRemedies, warningsOf } from '../../record/warnings.ts';
import type { PatternProblem } from '../../version/pattern.ts';
import type { Catalogue } from './catalogue.ts';
import { bytesOf, categoriesOf, type ListedPackage } from './listed-package.ts';
import type { Relations } from './relations.ts';

/** Enough of a package to show a link to it. */
export interface PackageLink {
  readonly key: string;
  readonly name: string;
  readonly comment: string;
}

/** Long lists are cut: thousands of packages need perl. */
export interface PackageLinks {
  readonly count: number;
  readonly links: readonly PackageLink[];
}

interface Dependency {
  readonly pattern: string;
  /** Undefined: missing from the repository. */
  readonly satisfiedBy: PackageLink | undefined;
  readonly problem: PatternProblem | undefined;
}

interface RequiredLibrary {
  readonly library: string;
  readonly status: 'provided' | 'missing' | 'system';
  readonly providers: PackageLinks;
}

interface ProvidedLibrary {
  readonly library: string;
  readonly consumers: PackageLinks;
}

interface Conflict {
  readonly pattern: string;
  readonly matching: PackageLinks;
}

interface PackageWarning {
  readonly code: WarningCode;
  readonly remedy: string;
}

export interface PackageDetails {
  readonly listed: ListedPackage;
  readonly file: string;
  readonly categories: readonly string[];
  readonly description: string;
  /** As the record has it: anything. */
  readonly homepage: string;
  readonly licence: string;
  readonly options: readonly string[];
  /** Bytes; 0 where the record does not say. */
  readonly installedSize: number;
  /** Variables that are shown as they are, with their names; only those that the record has. */
  readonly facts: readonly (readonly [name: string, value: string])[];
  readonly depends: readonly Dependency[];
  readonly neededBy: PackageLinks;
  /** What a client downloads besides, if it has nothing yet. */
  readonly everythingNeeded: { readonly packages: number; readonly bytes: number };
  readonly requires: readonly RequiredLibrary[];
  readonly provides: readonly ProvidedLibrary[];
  readonly conflicts: readonly Conflict[];
  readonly supersedes: readonly string[];
  readonly warnings: readonly PackageWarning[];
}

/** A page of links; the list that they lead to is the reader's to filter. */
const linksMax = 500;

const shownVariables = [
  ['PKGPATH', 'Source (PKGPATH)'],
  ['PREV_PKGPATH', 'Earlier source'],
  ['OPSYS', 'System'],
  ['OS_VERSION', 'System version'],
  ['MACHINE_ARCH', 'Architecture'],
  ['BUILD_DATE', 'Built'],
  ['PKGTOOLS_VERSION', 'Package tools'],
  ['FILE_NAME', 'File'],
] as const;

/** Undefined where the repository has no such package. */
export function packageDetails(catalogue: Catalogue, relations: Relations, key: string): PackageDetails | undefined {
  const index = catalogue.indexOf(key);
  const listed = index === undefined ? undefined : catalogue.packages[index];
  if (index === undefined || listed === undefined) return undefined;
  const text = catalogue.text(index);
  const fields = catalogue.fields(index);
  const links = (places: readonly number[]) => packageLinks(catalogue, places);
  const needed = relations.everythingNeeded(index);
  const file = lastValue(fields, 'FILE_NAME');
  return {
    listed,
    file,
    categories: categoriesOf(listed),
    description: allValues(fields, 'DESCRIPTION').join('\n').trim(),
    homepage: lastValue(fields, 'HOMEPAGE'),
    licence: lastValue(fields, 'LICENSE'),
    options: lastValue(fields, 'PKG_OPTIONS')
      .split(/[ \t]+/)
      .filter(Boolean),
    installedSize: bytesOf(lastValue(fields, 'SIZE_PKG')),
    facts: shownVariables.flatMap(([variable, name]) => {
      const value = lastValue(fields, variable);
      return value === '' ? [] : [[name, value] as const];
    }),
    depends: allValues(fields, 'DEPENDS').map((pattern) => {
      const place = relations.satisfying(pattern);
      const satisfiedBy = place === undefined ? undefined : packageLink(catalogue, place);
      return { pattern, satisfiedBy, problem: relations.problemOf(pattern) };
    }),
    neededBy: links(relations.neededBy(index)),
    everythingNeeded: {
      packages: needed.size,
      bytes: [...needed].reduce((sum, place) => sum + (catalogue.packages[place]?.size ?? 0), 0),
    },
    requires: [...new Set(allValues(fields, 'REQUIRES'))].map((library) => {
      const providers = relations.providers(library);
      const unprovided = relations.isMissing(library) ? 'missing' : 'system';
      return { library, status: providers.length > 0 ? 'provided' : unprovided, providers: links(providers) };
    }),
    provides: [...new Set(allValues(fields, 'PROVIDES'))].map((library) => ({
      library,
      consumers: links(relations.consumers(library)),
    })),
    conflicts: allValues(fields, 'CONFLICTS').map((pattern) => ({
      pattern,
      matching: links(relations.matching(pattern).filter((place) => place !== index)),
    })),
    supersedes: allValues(fields, 'SUPERSEDES'),
    warnings: warningCodes(relations, { name: listed.name, file, text }).map((code) => ({
      code,
      remedy: warningRemedies[code],
    })),
  };
}

/** With the one that is a fact about the repository. */
export function warningCodes(
  relations: Relations,
  facts: { readonly name: string; readonly file: string; readonly text: string },
): WarningCode[] {
  const codes = warningsOf(facts);
  return relations.isDuplicate(facts.name) ? [...codes, 'duplicate-pkgname'] : codes;
}

export function packageLinks(catalogue: Catalogue, places: readonly number[]): PackageLinks {
  return {
    count: places.length,
    links: places.slice(0, linksMax).flatMap((place) => packageLink(catalogue, place) ?? []),
  };
}

function packageLink({ packages }: Catalogue, place: number): PackageLink | undefined {
  const listed = packages[place];
  return listed && { key: listed.key, name: listed.name, comment: listed.comment };
}
