/** All package names of a repository, sorted, so that a pattern is tried only on names that start with its prefix. */

import {
  comparePreference,
  compilePattern,
  type PackageName,
  type Pattern,
  parsePackageName,
  preferredOf,
} from './pattern.ts';

export class PackageNames {
  readonly #sorted: readonly PackageName[];

  /** Parses the names and sorts them by code units; a repeated name counts once. */
  constructor(names: Iterable<string>) {
    this.#sorted = [...new Set(names)].sort().map(parsePackageName);
  }

  /** The names that match the pattern, the best first. */
  matching(pattern: string | Pattern): string[] {
    const found = new Set(this.#accepted(pattern));
    return [...found].sort((left, right) => comparePreference(right, left)).map(({ text }) => text);
  }

  /** The name that pkg_install prefers among those that match the pattern; undefined if there is none. */
  best(pattern: string | Pattern): string | undefined {
    return preferredOf(this.#accepted(pattern))?.text;
  }

  /** Yields a name once for every matcher that accepts it. */
  *#accepted(pattern: string | Pattern): Generator<PackageName> {
    const { matchers } = typeof pattern === 'string' ? compilePattern(pattern) : pattern;
    for (const { prefix, accepts } of matchers) {
      for (let index = this.#firstNotBefore(prefix); index < this.#sorted.length; index += 1) {
        const name = this.#sorted[index];
        if (!name?.text.startsWith(prefix)) break;
        if (accepts(name)) yield name;
      }
    }
  }

  #firstNotBefore(text: string): number {
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const name = this.#sorted[middle];
      if (name !== undefined && name.text < text) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
