/**
 * Checks the packages of a repository against each other: what one needs and none provides, and what exists twice. The report
 * never stops a publication. Runs in a browser too.
 */

import { allValues, lastValue, type RecordFields } from '../record/record-fields.ts';
import { PackageNames } from '../version/package-names.ts';
import { compilePattern, type PatternProblem, parsePackageName } from '../version/pattern.ts';

/** The parts of a record that refer to other packages. */
export interface PackageFacts {
  /** PKGNAME. */
  readonly name: string;
  /** FILE_NAME. */
  readonly file: string;
  /** PKGPATH; empty if the record has none. */
  readonly path: string;
  /** Patterns. */
  readonly depends: readonly string[];
  /** Paths of shared libraries. */
  readonly requires: readonly string[];
  readonly provides: readonly string[];
}

/** A pattern that no package of the repository matches. */
interface MissingDependency {
  readonly pattern: string;
  /** Set if no package of any repository can match. */
  readonly problem: PatternProblem | undefined;
  /** PKGNAMEs, in the order of the records; never empty. */
  readonly neededBy: readonly string[];
}

/** A shared library that no package of the repository provides, below a prefix where its packages install libraries. */
interface MissingLibrary {
  readonly library: string;
  /** PKGNAMEs, in the order of the records; never empty. */
  readonly neededBy: readonly string[];
}

export interface ConsistencyReport {
  readonly packages: number;
  readonly missingDependencies: readonly MissingDependency[];
  readonly missingLibraries: readonly MissingLibrary[];
  /** Distinct required libraries outside the prefixes of packages: presumably those of the base system. */
  readonly systemLibraries: number;
  /** Of several files with one PKGNAME a client sees only one. */
  readonly duplicateNames: readonly { readonly name: string; readonly files: readonly string[] }[];
  /**
   * Packages of one PKGPATH that differ only in their version: an update left one behind. Packages that share their PKGPATH
   * under different names (py312-x and py313-x, both of devel/py-x) are intended, and no finding.
   */
  readonly duplicatePaths: readonly { readonly path: string; readonly names: readonly string[] }[];
}

/** Finds the package that a pattern selects, such as PackageNames. */
export interface DependencyResolver {
  best(pattern: string): string | undefined;
}

export function factsOf(fields: RecordFields): PackageFacts {
  return {
    name: lastValue(fields, 'PKGNAME'),
    file: lastValue(fields, 'FILE_NAME'),
    path: lastValue(fields, 'PKGPATH'),
    depends: allValues(fields, 'DEPENDS'),
    requires: allValues(fields, 'REQUIRES'),
    provides: allValues(fields, 'PROVIDES'),
  };
}

/** 27,699 packages with 184,792 dependencies take about half a second. */
export function checkConsistency(
  packages: readonly PackageFacts[],
  resolver: DependencyResolver = new PackageNames(packages.map(({ name }) => name)),
): ConsistencyReport {
  const { missingLibraries, systemLibraries } = checkLibraries(packages);
  return {
    packages: packages.length,
    missingDependencies: findMissingDependencies(packages, resolver),
    missingLibraries,
    systemLibraries,
    duplicateNames: groups(packages, ({ name }) => name).map(([name, same]) => ({
      name,
      files: same.map(({ file }) => file),
    })),
    duplicatePaths: findDuplicatePaths(packages),
  };
}

/** Whether there is nothing to report. */
export function isConsistent(report: ConsistencyReport): boolean {
  const { missingDependencies, missingLibraries, duplicateNames, duplicatePaths } = report;
  return [missingDependencies, missingLibraries, duplicateNames, duplicatePaths].every(({ length }) => length === 0);
}

function findMissingDependencies(packages: readonly PackageFacts[], resolver: DependencyResolver): MissingDependency[] {
  const missing: MissingDependency[] = [];
  for (const [pattern, neededBy] of users(packages, ({ depends }) => depends)) {
    if (resolver.best(pattern) !== undefined) continue;
    missing.push({ pattern, problem: compilePattern(pattern).problem, neededBy });
  }
  return missing;
}

function checkLibraries(packages: readonly PackageFacts[]): {
  readonly missingLibraries: readonly MissingLibrary[];
  readonly systemLibraries: number;
} {
  const provided = new Set(packages.flatMap(({ provides }) => provides));
  const prefixes = libraryPrefixes(provided);
  const missingLibraries: MissingLibrary[] = [];
  let systemLibraries = 0;
  for (const [library, neededBy] of users(packages, ({ requires }) => requires)) {
    if (provided.has(library)) continue;
    if (prefixes.some((prefix) => library.startsWith(prefix))) missingLibraries.push({ library, neededBy });
    else systemLibraries += 1;
  }
  return { missingLibraries, systemLibraries };
}

/**
 * The prefixes below which packages install libraries: `/usr/pkg/` of `/usr/pkg/lib/libx.so`. Packages also require libraries
 * of the base system, and no record says which these are: only a library below one of these prefixes must come from a package.
 * The prefixes of the base system are never among them, even if a package installs there.
 */
export function libraryPrefixes(libraries: Iterable<string>): string[] {
  const prefixes = new Set<string>();
  for (const library of libraries) {
    const [prefix] = /^\/.*?(?<=\/)(?=lib(?:32|64|exec)?\/)/.exec(library) ?? [];
    if (prefix !== undefined && prefix !== '/' && prefix !== '/usr/') prefixes.add(prefix);
  }
  return [...prefixes];
}

function findDuplicatePaths(packages: readonly PackageFacts[]): ConsistencyReport['duplicatePaths'] {
  const withPath = packages.filter(({ path }) => path !== '');
  const samePackage = groups(withPath, ({ path, name }) => `${path}\n${parsePackageName(name).base ?? name}`);
  return samePackage.flatMap(([, [first, ...others]]) => {
    const names = [...new Set([first, ...others].flatMap((each) => each?.name ?? []))];
    // Files that share their whole PKGNAME are reported as that.
    return first === undefined || names.length === 1 ? [] : [{ path: first.path, names }];
  });
}

/** Each thing used → its users, each once; in the order of first use. */
function users(
  packages: readonly PackageFacts[],
  used: (facts: PackageFacts) => readonly string[],
): Map<string, string[]> {
  const names = new Map<string, string[]>();
  for (const facts of packages) {
    for (const one of used(facts)) {
      const neededBy = names.get(one);
      if (neededBy === undefined) names.set(one, [facts.name]);
      else if (neededBy.at(-1) !== facts.name) neededBy.push(facts.name);
    }
  }
  return names;
}

/** The keys that more than one package has. */
function groups(
  packages: readonly PackageFacts[],
  keyOf: (facts: PackageFacts) => string,
): [string, readonly PackageFacts[]][] {
  const grouped = Map.groupBy(packages, keyOf);
  return [...grouped].filter(([, same]) => same.length > 1);
}
