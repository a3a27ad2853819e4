/**
 * Which packages match a dependency pattern, and which of them is the best, as in pkg_install (lib/opattern.c, 1.6 of 2012:
 * pkg_match, pkg_order; lib/dewey.c: dewey_match).
 *
 * Braces are expanded first. Each alternative then is one of
 * - a range, if it has a `<` or `>`: `name>=1.0`, `name>1<2`. The name is literal and is compared with what comes before the
 *   last `-` of a PKGNAME. Only a lower bound may be followed by an upper one; `==` and `!=` are not patterns, although
 *   dewey.c implements them;
 * - otherwise a name or a glob: `name-1.0`, `name-[0-9]*`. In both cases a version may follow: `name` matches `name` and
 *   `name-[0-9]*`.
 *
 * Patterns and names are compared character by character. Where names are not ASCII, pass each byte as one character
 * (Latin-1), as in the records: then `?` and the order of names are as in C.
 */

import { expandBraces } from './braces.ts';
import { compareParsed, type Order, parseVersion, type Version } from './dewey.ts';
import { compileGlob, isGlob } from './glob.ts';
import { patternLimits } from './limits.ts';
import { type StepBudget, unlimited } from './step-budget.ts';

/** A PKGNAME, split at its last `-`. */
export interface PackageName {
  readonly text: string;
  /** The part before the `-`; undefined if there is no `-`. */
  readonly base: string | undefined;
  /** The part after it; an empty version if there is no `-`. */
  readonly version: Version;
}

/**
 * Why a pattern matches nothing. pkg_install exits when it reads one with unbalanced braces, and overflows its buffers or runs for
 * very long in the other cases. Only PackageNames finds `too-complicated`: it depends on the names.
 */
export type PatternProblem = 'unbalanced-braces' | 'too-many-alternatives' | 'too-long' | 'too-complicated';

export interface Pattern {
  readonly text: string;
  /** Set if the pattern is malformed or exceeds `patternLimits`; it then matches nothing. */
  readonly problem: PatternProblem | undefined;
  /**
   * A name matches if one of these accepts it. Each is compiled when it is needed.
   * @throws {TooManySteps}
   */
  matchers(budget?: StepBudget): Iterable<Matcher>;
}

interface Matcher {
  /** Every accepted name starts with this, so only a few names of a sorted list need to be tried. */
  readonly prefix: string;
  /** @throws {TooManySteps} */
  accepts(name: PackageName, budget?: StepBudget): boolean;
}

export function parsePackageName(text: string): PackageName {
  const dash = text.lastIndexOf('-');
  return dash === -1
    ? { text, base: undefined, version: parseVersion('') }
    : { text, base: text.slice(0, dash), version: parseVersion(text.slice(dash + 1)) };
}

/** Never throws: `problem` says why a pattern is invalid. */
export function compilePattern(text: string): Pattern {
  if (text.length > patternLimits.patternCharactersMax) return { text, problem: 'too-long', matchers: () => [] };
  const expansion = expandBraces(text);
  if (expansion.outcome !== 'expanded') return { text, problem: expansion.outcome, matchers: () => [] };
  const { alternatives } = expansion;
  return { text, problem: undefined, matchers: (budget = unlimited) => matchersOfAll(text, alternatives, budget) };
}

function* matchersOfAll(text: string, alternatives: Iterable<string>, budget: StepBudget): Generator<Matcher> {
  for (const alternative of alternatives) {
    budget.spend(text.length);
    yield* matchersOf(alternative, budget);
  }
}

/**
 * The greatest by `comparePreference`, whatever their order; undefined if there are none.
 * @throws {TooManySteps}
 */
export function preferredOf(
  candidates: Iterable<PackageName>,
  budget: StepBudget = unlimited,
): PackageName | undefined {
  let preferred: PackageName | undefined;
  for (const candidate of candidates) {
    budget.spend(Math.max(candidate.version.components.length, preferred?.version.components.length ?? 0));
    if (preferred === undefined || comparePreference(candidate, preferred) > 0) preferred = candidate;
  }
  return preferred;
}

/**
 * pkg_order for two names that match: 1 if `left` is preferred. The greater version wins; of equal versions, the name that
 * sorts first (the pkg_order of pbulk differs here: it takes the last). A name without a `-` loses to any name with one.
 */
export function comparePreference(left: PackageName, right: PackageName): Order {
  const hasVersion = Number(left.base !== undefined) - Number(right.base !== undefined);
  if (hasVersion !== 0) return hasVersion > 0 ? 1 : -1;
  const order = compareParsed(left.version, right.version);
  if (order !== 0) return order;
  if (left.text === right.text) return 0;
  return left.text < right.text ? 1 : -1;
}

/** The matchers of an alternative, which has no braces. */
function matchersOf(alternative: string, budget: StepBudget): Matcher[] {
  const operator = alternative.search(/[<>]/);
  if (operator !== -1) return [rangeMatcher(alternative.slice(0, operator), alternative.slice(operator))];
  const exact: Matcher = { prefix: alternative, accepts: ({ text }) => text === alternative };
  const withVersion = globMatcher(`${alternative}-[0-9]*`, budget);
  return isGlob(alternative) ? [globMatcher(alternative, budget), exact, withVersion] : [exact, withVersion];
}

function globMatcher(pattern: string, budget: StepBudget): Matcher {
  const glob = compileGlob(pattern, budget);
  return { prefix: glob.prefix, accepts: ({ text }, matchBudget) => glob.matches(text, matchBudget) };
}

/** `bounds` is the part after the name: `>=1.0<2`. */
function rangeMatcher(name: string, bounds: string): Matcher {
  let tests: readonly ((version: Version) => boolean)[] | undefined;
  return {
    prefix: `${name}-`,
    accepts({ base, version }, budget = unlimited) {
      if (base !== name) return false;
      budget.spend(version.components.length + bounds.length);
      // Most alternatives and most patterns never get here, and parsing a version takes longer than comparing two.
      tests ??= boundsOf(bounds, budget).map(boundTest);
      return tests.every((test) => test(version));
    },
  };
}

/** One bound, or a lower and an upper one. */
function boundsOf(bounds: string, budget: StepBudget): string[] {
  budget.spend(stepsPerVersionCharacter * bounds.length);
  const upperStart = bounds.startsWith('>') ? bounds.indexOf('<') : -1;
  return upperStart === -1 ? [bounds] : [bounds.slice(0, upperStart), bounds.slice(upperStart)];
}

/** Parsing a version takes so much longer than a step of matching. */
const stepsPerVersionCharacter = 15;

/** `bound` is an operator and a version. Further operators in it are skipped, like all characters without a meaning. */
function boundTest(bound: string): (version: Version) => boolean {
  const orEqual = bound.charAt(1) === '=';
  const wanted: Order = bound.startsWith('<') ? -1 : 1;
  const limit = parseVersion(bound.slice(orEqual ? 2 : 1));
  return (version) => {
    const order = compareParsed(version, limit);
    return order === wanted || (orEqual && order === 0);
  };
}
