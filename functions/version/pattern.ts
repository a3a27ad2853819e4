/**
 * Which packages a dependency pattern means, and which of them is the best, as pkg_install decides it (lib/opattern.c, 1.6
 * of 2012: pkg_match, pkg_order; lib/dewey.c: dewey_match).
 *
 * Braces are expanded first. Each alternative then is one of
 * - a range, if it has a `<` or `>`: `name>=1.0`, `name>1<2`. The name is literal and ends at the name's last `-`. Only a
 *   lower bound may be followed by an upper one; `==` and `!=` are not patterns, though dewey.c knows them;
 * - otherwise a name or a glob: `name-1.0`, `name-[0-9]*`. Whatever it is, it may also be followed by a version: `name`
 *   means `name` and `name-[0-9]*`.
 *
 * Patterns and names are compared character by character. Where names hold other than ASCII, pass each byte as one character
 * (Latin-1), as in the records: then `?` and the order of names are those of C.
 */

import { expandBraces } from './braces.ts';
import { compareParsed, type Order, parseVersion, type Version } from './dewey.ts';
import { compileGlob, isGlob } from './glob.ts';
import { patternLimits } from './limits.ts';

/** A PKGNAME, taken apart at its last `-`. */
export interface PackageName {
  readonly text: string;
  /** What is before the `-`; undefined where there is no `-`. */
  readonly base: string | undefined;
  /** Of what is behind it; where there is no `-`, an empty version. */
  readonly version: Version;
}

/** Why a pattern matches nothing. pkg_install gives up where it meets such a one (or, of the latter two, overflows). */
export type PatternProblem = 'unbalanced-braces' | 'too-many-alternatives' | 'too-long';

export interface Pattern {
  readonly text: string;
  /** Set where the pattern is malformed or beyond functions/limits.ts; it then matches nothing. */
  readonly problem: PatternProblem | undefined;
  /** A name matches if one of these accepts it. */
  readonly matchers: readonly Matcher[];
}

interface Matcher {
  /** Every name that is accepted begins with this; so only a few names of a sorted list need be tried. */
  readonly prefix: string;
  accepts(name: PackageName): boolean;
}

export function parsePackageName(text: string): PackageName {
  const dash = text.lastIndexOf('-');
  return dash === -1
    ? { text, base: undefined, version: parseVersion('') }
    : { text, base: text.slice(0, dash), version: parseVersion(text.slice(dash + 1)) };
}

/** Never throws: of a pattern that means nothing, `problem` says why. */
export function compilePattern(text: string): Pattern {
  if (text.length > patternLimits.patternCharactersMax) return { text, problem: 'too-long', matchers: [] };
  const expansion = expandBraces(text);
  if (expansion.outcome !== 'expanded') return { text, problem: expansion.outcome, matchers: [] };
  return { text, problem: undefined, matchers: expansion.alternatives.flatMap(matchersOf) };
}

/** pkg_match: whether `name` is one of those that `pattern` means. */
export function matches(pattern: string | Pattern, name: string | PackageName): boolean {
  const { matchers } = typeof pattern === 'string' ? compilePattern(pattern) : pattern;
  const parsed = typeof name === 'string' ? parsePackageName(name) : name;
  return matchers.some((matcher) => matcher.accepts(parsed));
}

/** The best of the names that match; undefined if none does. For many patterns over the same names use PackageNames. */
export function bestMatch(pattern: string | Pattern, names: Iterable<string>): string | undefined {
  const compiled = typeof pattern === 'string' ? compilePattern(pattern) : pattern;
  const matching = [...names].map(parsePackageName).filter((name) => matches(compiled, name));
  return preferredOf(matching)?.text;
}

/** The one of them that `comparePreference` puts above all others, whatever their order; undefined if there is none. */
export function preferredOf(candidates: Iterable<PackageName>): PackageName | undefined {
  let preferred: PackageName | undefined;
  for (const candidate of candidates) {
    if (preferred === undefined || comparePreference(candidate, preferred) > 0) preferred = candidate;
  }
  return preferred;
}

/**
 * pkg_order, for names that both match: 1 if `left` is to be preferred. The greater version is; of equal versions, the name
 * that comes first (pbulk's own pkg_order differs here: it takes the last). A name without a `-` loses to any with one.
 */
export function comparePreference(left: PackageName, right: PackageName): Order {
  const hasVersion = Number(left.base !== undefined) - Number(right.base !== undefined);
  if (hasVersion !== 0) return hasVersion > 0 ? 1 : -1;
  const order = compareParsed(left.version, right.version);
  if (order !== 0) return order;
  if (left.text === right.text) return 0;
  return left.text < right.text ? 1 : -1;
}

/** Of an alternative without braces. */
function matchersOf(alternative: string): Matcher[] {
  const operator = alternative.search(/[<>]/);
  if (operator !== -1) return [rangeMatcher(alternative.slice(0, operator), alternative.slice(operator))];
  const exact: Matcher = { prefix: alternative, accepts: ({ text }) => text === alternative };
  const withVersion = globMatcher(`${alternative}-[0-9]*`);
  return isGlob(alternative) ? [globMatcher(alternative), exact, withVersion] : [exact, withVersion];
}

function globMatcher(pattern: string): Matcher {
  const glob = compileGlob(pattern);
  return { prefix: glob.prefix, accepts: ({ text }) => glob.matches(text) };
}

/** `bounds` is what follows the name: `>=1.0<2`. */
function rangeMatcher(name: string, bounds: string): Matcher {
  const upperStart = bounds.startsWith('>') ? bounds.indexOf('<') : -1;
  const tests = (upperStart === -1 ? [bounds] : [bounds.slice(0, upperStart), bounds.slice(upperStart)]).map(boundTest);
  return { prefix: `${name}-`, accepts: ({ base, version }) => base === name && tests.every((test) => test(version)) };
}

/** `bound` is an operator and a version; further operators in it are skipped, like anything that means nothing there. */
function boundTest(bound: string): (version: Version) => boolean {
  const orEqual = bound.charAt(1) === '=';
  const wanted: Order = bound.startsWith('<') ? -1 : 1;
  const limit = parseVersion(bound.slice(orEqual ? 2 : 1));
  return (version) => {
    const order = compareParsed(version, limit);
    return order === wanted || (orEqual && order === 0);
  };
}
