/** Which package each dependency pattern of a repository selects. Runs in a browser too. */

import { patternLimits } from '../version/limits.ts';
import { PackageNames, type Resolution } from '../version/package-names.ts';
import { StepBudget } from '../version/step-budget.ts';

/** Limits for all patterns of a repository, on which anyone who may upload a package has influence. */
export const dependencyLimits = {
  /** About 2 s. The 26,711 patterns of 27,699 real packages take 1.8 million steps, 0.1 s. */
  stepsMax: 200_000_000,
  /** What each pattern may take at first. 99 % of the real ones need at most 215 steps, the most expensive one 4,341. */
  firstSteps: 500,
  /** More for those that need more, in each further round. */
  growthFactor: 10,
} as const;

/** Pattern → what it selects. */
export type Resolutions = ReadonlyMap<string, Resolution>;

/** A computation in small steps: it yields between them, so that a server can answer requests meanwhile. */
export type InSteps<Result> = Generator<void, Result>;

/** Takes all steps at once. */
export function complete<Result>(steps: InSteps<Result>): Result {
  for (let step = steps.next(); ; step = steps.next()) if (step.done === true) return step.value;
}

/**
 * Resolves cheap patterns first, so that a few expensive ones cannot keep all others from being resolved. A pattern that takes more
 * than `patternLimits.stepsMax` steps, or for which none are left, has the problem `too-complicated`.
 */
export function* resolveDependencies(
  packages: readonly { readonly name: string; readonly depends: readonly string[] }[],
  stepsMax: number = dependencyLimits.stepsMax,
): InSteps<Resolutions> {
  yield;
  const names = new PackageNames(packages.map(({ name }) => name));
  const resolutions = new Map<string, Resolution>();
  for (const { depends } of packages) {
    yield;
    for (const pattern of depends) resolutions.set(pattern, tooComplicated);
  }
  let stepsLeft = stepsMax;
  let waiting = [...resolutions.keys()];
  for (let steps: number = dependencyLimits.firstSteps; waiting.length > 0 && stepsLeft > 0; ) {
    const expensive: string[] = [];
    for (const pattern of waiting) {
      if (stepsLeft <= 0) break;
      yield;
      const budget = new StepBudget(Math.min(steps, stepsLeft));
      const resolution = names.resolve(pattern, budget);
      stepsLeft -= budget.steps;
      resolutions.set(pattern, resolution);
      if (resolution.problem === 'too-complicated') expensive.push(pattern);
    }
    if (steps === patternLimits.stepsMax) break;
    steps = Math.min(steps * dependencyLimits.growthFactor, patternLimits.stepsMax);
    waiting = expensive;
  }
  return resolutions;
}

const tooComplicated: Resolution = { name: undefined, problem: 'too-complicated' };
