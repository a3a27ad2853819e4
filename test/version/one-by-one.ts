/** What PackageNames does for all names of a repository, for one name after the other: slower, and plainly right. */

import { compareParsed, type Order, parseVersion } from '../../functions/version/dewey.ts';
import {
  compilePattern,
  type PackageName,
  type Pattern,
  parsePackageName,
  preferredOf,
} from '../../functions/version/pattern.ts';

/** `compareVersions('1.0rc1', '1.0')` is -1. */
export function compareVersions(left: string, right: string): Order {
  return compareParsed(parseVersion(left), parseVersion(right));
}

/** pkg_match: whether `name` matches `pattern`. */
export function matches(pattern: string | Pattern, name: string | PackageName): boolean {
  const compiled = typeof pattern === 'string' ? compilePattern(pattern) : pattern;
  const parsed = typeof name === 'string' ? parsePackageName(name) : name;
  for (const matcher of compiled.matchers()) if (matcher.accepts(parsed)) return true;
  return false;
}

/** The best of the names that match; undefined if none does. */
export function bestMatch(pattern: string | Pattern, names: Iterable<string>): string | undefined {
  const compiled = typeof pattern === 'string' ? compilePattern(pattern) : pattern;
  const matching = [...names].map(parsePackageName).filter((name) => matches(compiled, name));
  return preferredOf(matching)?.text;
}
