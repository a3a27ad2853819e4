/** Everything that the page shows of one package. */

import { allValues, lastValue } from '../../record/record-fields.ts';
import { type WarningCode, warningRemedies, warningsOf } from '../../record/warnings.ts';
import type { Catalogue } from './catalogue.ts';
import { bytesOf, categoriesOf, type ListedPackage, splitName } from './listed-package.ts';
import type { Relations } from './relations.ts';

/** Enough of a package to show a link to it. */
export type PackageLink = Pick<ListedPackage, 'key' | 'name' | 'comment'>;

/** Long lists are cut: thousands of packages need perl. */
export interface PackageLinks {
  readonly count: number;
  readonly links: readonly PackageLink[];
}

/** A page of links. For more there is the search. */
const linksMax = 500;

/** Variables that are shown as they are, under these names. */
const shownVariables = {
  PREV_PKGPATH: 'Earlier source',
  OPSYS: 'System',
  OS_VERSION: 'System version',
  MACHINE_ARCH: 'Architecture',
  BUILD_DATE: 'Built',
  PKGTOOLS_VERSION: 'Package tools',
  FILE_NAME: 'File',
} as const;

export type PackageDetails = Extract<ReturnType<typeof packageDetails>, { readonly outcome: 'found' }>;

/** @param key a package's key, or its name without the version, which stands for the newest. */
export function packageDetails(catalogue: Catalogue, relations: Relations, key: string) {
  const index = catalogue.indexOf(key) ?? catalogue.newestOf(key);
  const listed = catalogue.packages[index ?? -1];
  if (index === undefined || listed === undefined) {
    const newest = catalogue.newestOf(splitName(key).base);
    return { outcome: 'missing', newest: newest === undefined ? undefined : packageLink(catalogue, newest) } as const;
  }
  const fields = catalogue.fields(index);
  const links = (places: readonly number[]) => packageLinks(catalogue, places);
  const words = (variable: string) =>
    lastValue(fields, variable)
      .split(/[ \t]+/)
      .filter(Boolean);
  const needed = relations.everythingNeeded(index);
  const newest = catalogue.newestOf(listed.base) ?? index;
  return {
    outcome: 'found',
    listed,
    /** What clients that ask for the package without a version get instead of this one; undefined where they get this one. */
    newer: catalogue.packages[newest]?.name === listed.name ? undefined : packageLink(catalogue, newest),
    categories: categoriesOf(listed),
    description: allValues(fields, 'DESCRIPTION').join('\n').trim(),
    /** As the record has it: anything. */
    homepage: lastValue(fields, 'HOMEPAGE'),
    licence: lastValue(fields, 'LICENSE'),
    path: lastValue(fields, 'PKGPATH'),
    options: words('PKG_OPTIONS'),
    /** Bytes; 0 where the record does not say. */
    installedSize: bytesOf(lastValue(fields, 'SIZE_PKG')),
    facts: Object.entries(shownVariables)
      .map(([variable, name]) => [name, lastValue(fields, variable)] as const)
      .filter(([, value]) => value !== ''),
    depends: allValues(fields, 'DEPENDS').map((pattern) => {
      const place = relations.satisfying(pattern);
      const satisfiedBy = place === undefined ? undefined : packageLink(catalogue, place);
      return { pattern, satisfiedBy, problem: relations.problemOf(pattern) };
    }),
    neededBy: links(relations.neededBy(index)),
    /** What a client that has nothing yet downloads besides. */
    everythingNeeded: {
      packages: needed.size,
      bytes: [...needed].reduce((sum, place) => sum + (catalogue.packages[place]?.size ?? 0), 0),
    },
    requires: [...new Set(allValues(fields, 'REQUIRES'))].map((library) => {
      return { library, isMissing: relations.isMissing(library), providers: links(relations.providers(library)) };
    }),
    provides: [...new Set(allValues(fields, 'PROVIDES'))].map((library) => {
      return { library, consumers: links(relations.consumers(library)) };
    }),
    conflicts: allValues(fields, 'CONFLICTS').map((pattern) => {
      return { pattern, matching: links(relations.matching(pattern).filter((place) => place !== index)) };
    }),
    supersedes: allValues(fields, 'SUPERSEDES'),
    warnings: warningCodes(relations, { name: listed.name, file: listed.file, text: catalogue.text(index) }).map(
      (code) => {
        return { code, remedy: warningRemedies[code] };
      },
    ),
  } as const;
}

/** Includes the warning that depends on the other packages of the repository. */
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
