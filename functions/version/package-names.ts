/** All package names of a repository, sorted, so that a pattern is tried only on names that start with its prefix. */

import { patternLimits } from './limits.ts';
import {
  comparePreference,
  compilePattern,
  type PackageName,
  type Pattern,
  type PatternProblem,
  parsePackageName,
  preferredOf,
} from './pattern.ts';
import { StepBudget, TooManySteps } from './step-budget.ts';

/** What a pattern selects: a name, no name, or no name because of a problem. */
export interface Resolution {
  readonly name: string | undefined;
  readonly problem: PatternProblem | undefined;
}

export class PackageNames {
  readonly #sorted: readonly string[];
  /** Those that a pattern was tried on. */
  readonly #parsed: PackageName[];

  /** Sorts the names by code units; a repeated name counts once. */
  constructor(names: Iterable<string>) {
    this.#sorted = [...new Set(names)].sort();
    this.#parsed = new Array(this.#sorted.length);
  }

  /** The names that match the pattern, the best first. None if the pattern takes more than `stepsMax` steps. */
  matching(pattern: string | Pattern): string[] {
    try {
      const found = new Set(this.#accepted(compiled(pattern), new StepBudget(patternLimits.stepsMax)));
      return [...found].sort((left, right) => comparePreference(right, left)).map(({ text }) => text);
    } catch (error) {
      if (error instanceof TooManySteps) return [];
      throw error;
    }
  }

  /** The name that pkg_install prefers among those that match the pattern; undefined if there is none. */
  best(pattern: string | Pattern): string | undefined {
    return this.resolve(pattern).name;
  }

  /** The same with the reason if there is none. */
  resolve(pattern: string | Pattern, budget: StepBudget = new StepBudget(patternLimits.stepsMax)): Resolution {
    const all = compiled(pattern);
    try {
      return { name: preferredOf(this.#accepted(all, budget), budget)?.text, problem: all.problem };
    } catch (error) {
      if (error instanceof TooManySteps) return { name: undefined, problem: 'too-complicated' };
      throw error;
    }
  }

  /** Yields a name once for every matcher that accepts it. */
  *#accepted(pattern: Pattern, budget: StepBudget): Generator<PackageName> {
    for (const { prefix, accepts } of pattern.matchers(budget)) {
      for (let index = this.#firstNotBefore(prefix); index < this.#sorted.length; index += 1) {
        const text = this.#sorted[index];
        budget.spend(1);
        if (!text?.startsWith(prefix)) break;
        const name = this.#parsed[index] ?? parsePackageName(text);
        this.#parsed[index] = name;
        if (accepts(name, budget)) yield name;
      }
    }
  }

  #firstNotBefore(text: string): number {
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const name = this.#sorted[middle];
      if (name !== undefined && name < text) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function compiled(pattern: string | Pattern): Pattern {
  return typeof pattern === 'string' ? compilePattern(pattern) : pattern;
}
