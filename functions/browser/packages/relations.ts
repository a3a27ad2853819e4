/** How the packages of a catalogue depend on each other. */

import { type ConsistencyReport, checkConsistency } from '../../check/consistency.ts';
import { complete, type Resolutions, resolveDependencies } from '../../check/dependencies.ts';
import { PackageNames } from '../../version/package-names.ts';
import type { PatternProblem } from '../../version/pattern.ts';
import type { Catalogue } from './catalogue.ts';

export class Relations {
  readonly report: ConsistencyReport;
  readonly #catalogue: Catalogue;
  readonly #names: PackageNames;
  readonly #resolutions: Resolutions;
  /** For each package, the places of those that need it, each once. */
  readonly #neededBy: readonly (readonly number[])[];
  readonly #duplicateNames: ReadonlySet<string>;
  readonly #missingLibraries: ReadonlySet<string>;
  readonly #providers: ReadonlyMap<string, readonly number[]>;
  readonly #consumers: ReadonlyMap<string, readonly number[]>;

  /** Of a whole catalogue: it takes no additions after this. */
  constructor(catalogue: Catalogue) {
    this.#catalogue = catalogue;
    this.#names = new PackageNames(catalogue.facts.map(({ name }) => name));
    this.#resolutions = complete(resolveDependencies(catalogue.facts));
    this.report = checkConsistency(catalogue.facts, this.#resolutions);
    this.#duplicateNames = new Set(this.report.duplicateNames.map(({ name }) => name));
    this.#missingLibraries = new Set(this.report.missingLibraries.map(({ library }) => library));
    this.#neededBy = this.#findUsers();
    this.#providers = placesOf(catalogue.facts.map(({ provides }) => provides));
    this.#consumers = placesOf(catalogue.facts.map(({ requires }) => requires));
  }

  /** The place of the package that a client installs for a dependency pattern; undefined if there is none. */
  satisfying(pattern: string): number | undefined {
    const name = this.#resolutions.get(pattern)?.name;
    return name === undefined ? undefined : this.#catalogue.indexOf(name);
  }

  /** Why no package matches a dependency pattern, if the pattern itself is the reason. */
  problemOf(pattern: string): PatternProblem | undefined {
    return this.#resolutions.get(pattern)?.problem;
  }

  /** The places of all packages that the pattern means, the best first. */
  matching(pattern: string): number[] {
    return this.#names.matching(pattern).flatMap((name) => this.#catalogue.indexOf(name) ?? []);
  }

  /** The places of the packages that a client installs together with this one; what is missing is left out. */
  everythingNeeded(index: number): Set<number> {
    const needed = new Set<number>();
    const waiting = [index];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      for (const dependency of this.#needs(next)) {
        if (dependency === index || needed.has(dependency)) continue;
        needed.add(dependency);
        waiting.push(dependency);
      }
    }
    return needed;
  }

  neededBy(index: number): readonly number[] {
    return this.#neededBy[index] ?? [];
  }

  providers(library: string): readonly number[] {
    return this.#providers.get(library) ?? [];
  }

  consumers(library: string): readonly number[] {
    return this.#consumers.get(library) ?? [];
  }

  isDuplicate(name: string): boolean {
    return this.#duplicateNames.has(name);
  }

  isMissing(library: string): boolean {
    return this.#missingLibraries.has(library);
  }

  #needs(index: number): number[] {
    const { depends = [] } = this.#catalogue.facts[index] ?? {};
    return depends.flatMap((pattern) => this.satisfying(pattern) ?? []);
  }

  #findUsers(): number[][] {
    const users: number[][] = this.#catalogue.packages.map(() => []);
    for (const index of this.#catalogue.packages.keys()) {
      for (const dependency of new Set(this.#needs(index))) {
        if (dependency !== index) users[dependency]?.push(index);
      }
    }
    return users;
  }
}

/** Where each value occurs, each place once. */
function placesOf(lists: readonly (readonly string[])[]): Map<string, number[]> {
  const found = lists.flatMap((values, index) => [...new Set(values)].map((value) => ({ value, index })));
  return new Map(
    [...Map.groupBy(found, ({ value }) => value)].map(([value, places]) => [value, places.map(({ index }) => index)]),
  );
}
