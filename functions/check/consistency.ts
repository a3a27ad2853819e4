/**
 * Whether the packages of a repository fit together: what one of them needs and none of them gives, and what is there twice.
 * A report, never a reason to keep anything from being published. Runs in a browser too.
 */

import { allValues, lastValue, type RecordFields } from '../record/record-fields.ts';
import { PackageNames } from '../version/package-names.ts';
import { compilePattern, type PatternProblem, parsePackageName } from '../version/pattern.ts';

/** What of a record has to do with other packages. */
export interface PackageFacts {
  /** PKGNAME. */
  readonly name: string;
  /** FILE_NAME. */
  readonly file: string;
  /** PKGPATH; the empty string where the record has none. */
  readonly path: string;
  /** Patterns. */
  readonly depends: readonly string[];
  /** Shared libraries, by their paths. */
  readonly requires: readonly string[];
  readonly provides: readonly string[];
}

/** A pattern that no package of the repository satisfies. */
interface MissingDependency {
  readonly pattern: string;
  /** Set where no package of any repository could. */
  readonly problem: PatternProblem | undefined;
  /** PKGNAMEs, in the order of the records; never empty. */
  readonly neededBy: readonly string[];
}

/** A shared library that no package of the repository provides, in a place where packages of the repository have theirs. */
interface MissingLibrary {
  readonly library: string;
  /** PKGNAMEs, in the order of the records; never empty. */
  readonly neededBy: readonly string[];
}

export interface ConsistencyReport {
  readonly packages: number;
  readonly missingDependencies: readonly MissingDependency[];
  readonly missingLibraries: readonly MissingLibrary[];
  /** Distinct libraries that are required and are nowhere near those of packages: the base system has them, as far as a record can tell. */
  readonly systemLibraries: number;
  /** Of several files with one PKGNAME a client sees one. */
  readonly duplicateNames: readonly { readonly name: string; readonly files: readonly string[] }[];
  /**
   * Packages of one PKGPATH that differ in their version alone: one is what an update left behind. Packages that share their
   * PKGPATH under different names (py312-x and py313-x, both of devel/py-x) are what pkgsrc means to build, and no finding.
   */
  readonly duplicatePaths: readonly { readonly path: string; readonly names: readonly string[] }[];
}

/** What decides which package a pattern stands for; PackageNames does. */
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
 * Where packages are installed, as far as their libraries tell: `/usr/pkg/` of `/usr/pkg/lib/libx.so`. Packages require the
 * libraries of the base system too, and no record says which those are: a library is taken for a package's only below one of
 * these. The base system's own places are never among them, even where a package installs there.
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

/** Who uses what, each user once; in the order of first use. */
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

/** Those keys that more than one package has. */
function groups(
  packages: readonly PackageFacts[],
  keyOf: (facts: PackageFacts) => string,
): [string, readonly PackageFacts[]][] {
  const grouped = Map.groupBy(packages, keyOf);
  return [...grouped].filter(([, same]) => same.length > 1);
}
