/**
 * Checks the packages of a repository against each other: what one needs and none provides, and what exists twice. The report
 * never stops a publication. Runs in a browser too.
 */

import { allValues, lastValue, type RecordFields } from '../record/record-fields.ts';
import { type PatternProblem, parsePackageName } from '../version/pattern.ts';
import { compareArchitectures, type ForeignArchitecture } from './architectures.ts';
import { complete, type InSteps, type Resolutions, resolveDependencies } from './dependencies.ts';
import { type DependencyCycle, findDependencyCycles } from './dependency-cycles.ts';

/** The parts of a record that refer to other packages. */
export interface PackageFacts {
  /** PKGNAME. */
  readonly name: string;
  /** FILE_NAME. */
  readonly file: string;
  /** PKGPATH; empty if the record has none. */
  readonly path: string;
  /** Every MACHINE_ARCH; a record should have one, or none. */
  readonly architectures: readonly string[];
  /** Patterns. */
  readonly depends: readonly string[];
  /** Paths of shared libraries. */
  readonly requires: readonly string[];
  readonly provides: readonly string[];
}

/** A pattern that no package of the repository matches. */
interface MissingDependency {
  readonly pattern: string;
  /** Set if the pattern itself is the reason. */
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
  /** The MACHINE_ARCH of most packages; undefined if no record has one. */
  readonly architecture: string | undefined;
  /** Each stops `pkgin update` for everyone. */
  readonly foreignArchitectures: readonly ForeignArchitecture[];
  /** No package of a cycle can be installed. */
  readonly dependencyCycles: readonly DependencyCycle[];
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

export function factsOf(fields: RecordFields): PackageFacts {
  return {
    name: lastValue(fields, 'PKGNAME'),
    file: lastValue(fields, 'FILE_NAME'),
    path: lastValue(fields, 'PKGPATH'),
    architectures: allValues(fields, 'MACHINE_ARCH'),
    depends: allValues(fields, 'DEPENDS'),
    requires: allValues(fields, 'REQUIRES'),
    provides: allValues(fields, 'PROVIDES'),
  };
}

/** 27,699 packages with 184,792 dependencies take about half a second. */
export function checkConsistency(packages: readonly PackageFacts[], resolutions?: Resolutions): ConsistencyReport {
  return complete(checkInSteps(packages, resolutions));
}

/** @param known if the dependencies have been resolved already. */
export function* checkInSteps(packages: readonly PackageFacts[], known?: Resolutions): InSteps<ConsistencyReport> {
  const resolutions = known ?? (yield* resolveDependencies(packages));
  const { architecture, foreign } = compareArchitectures(packages);
  yield;
  const dependencyCycles = yield* findDependencyCycles(packages, resolutions);
  const missingDependencies = yield* findMissingDependencies(packages, resolutions);
  const { missingLibraries, systemLibraries } = yield* checkLibraries(packages);
  const sameName = yield* groups(packages, ({ name }) => name);
  const duplicatePaths = yield* findDuplicatePaths(packages);
  return {
    packages: packages.length,
    architecture,
    foreignArchitectures: foreign,
    dependencyCycles,
    missingDependencies,
    missingLibraries,
    systemLibraries,
    duplicateNames: sameName.map(([name, same]) => ({ name, files: same.map(({ file }) => file) })),
    duplicatePaths,
  };
}

function* findMissingDependencies(
  packages: readonly PackageFacts[],
  resolutions: Resolutions,
): InSteps<MissingDependency[]> {
  const missing: MissingDependency[] = [];
  for (const [pattern, neededBy] of yield* users(packages, ({ depends }) => depends)) {
    const { name, problem } = resolutions.get(pattern) ?? {};
    if (name === undefined) missing.push({ pattern, problem, neededBy });
  }
  return missing;
}

function* checkLibraries(packages: readonly PackageFacts[]): InSteps<{
  readonly missingLibraries: readonly MissingLibrary[];
  readonly systemLibraries: number;
}> {
  const provided = new Set(packages.flatMap(({ provides }) => provides));
  const isBelowPrefix = prefixTest(libraryPrefixes(provided));
  const missingLibraries: MissingLibrary[] = [];
  let systemLibraries = 0;
  for (const [library, neededBy] of yield* users(packages, ({ requires }) => requires)) {
    if (provided.has(library)) continue;
    if (isBelowPrefix(library)) missingLibraries.push({ library, neededBy });
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

/** @returns whether a text starts with one of the prefixes; a search in a sorted list, because there may be many of both. */
function prefixTest(prefixes: readonly string[]): (text: string) => boolean {
  // Sorted, the prefixes that start with another one follow it directly; without them a text can only start with the last one before it.
  const sorted: string[] = [];
  for (const prefix of [...prefixes].sort()) {
    const before = sorted.at(-1);
    if (before === undefined || !prefix.startsWith(before)) sorted.push(prefix);
  }
  return (text) => {
    let low = 0;
    let high = sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((sorted[middle] ?? '') <= text) low = middle + 1;
      else high = middle;
    }
    const candidate = sorted[low - 1];
    return candidate !== undefined && text.startsWith(candidate);
  };
}

function* findDuplicatePaths(packages: readonly PackageFacts[]): InSteps<ConsistencyReport['duplicatePaths']> {
  const withPath = packages.filter(({ path }) => path !== '');
  const samePackage = yield* groups(withPath, ({ path, name }) => `${path}\n${parsePackageName(name).base ?? name}`);
  return samePackage.flatMap(([, [first, ...others]]) => {
    const names = [...new Set([first, ...others].flatMap((each) => each?.name ?? []))];
    // Files that share their whole PKGNAME are reported as that.
    return first === undefined || names.length === 1 ? [] : [{ path: first.path, names }];
  });
}

/** Each thing used → its users, each once; in the order of first use. */
function* users(
  packages: readonly PackageFacts[],
  used: (facts: PackageFacts) => readonly string[],
): InSteps<Map<string, string[]>> {
  const names = new Map<string, string[]>();
  for (const facts of packages) {
    yield;
    for (const one of used(facts)) {
      const neededBy = names.get(one);
      if (neededBy === undefined) names.set(one, [facts.name]);
      else if (neededBy.at(-1) !== facts.name) neededBy.push(facts.name);
    }
  }
  return names;
}

/** The keys that more than one package has. */
function* groups(
  packages: readonly PackageFacts[],
  keyOf: (facts: PackageFacts) => string,
): InSteps<[string, readonly PackageFacts[]][]> {
  const grouped = new Map<string, PackageFacts[]>();
  for (const facts of packages) {
    yield;
    const key = keyOf(facts);
    const same = grouped.get(key);
    if (same === undefined) grouped.set(key, [facts]);
    else same.push(facts);
  }
  return [...grouped].filter(([, same]) => same.length > 1);
}
