/**
 * The order of package versions in pkg_install (lib/dewey.c, 1.13 of 2022).
 *
 * A version becomes a list of numbers and a revision. Lists are compared number by number, and a missing number is 0; if the
 * lists are equal, the revisions decide. There is no invalid version: characters without a meaning are skipped.
 *
 * | in the version       | in the list                                                  |
 * | -------------------- | ------------------------------------------------------------ |
 * | digits               | their value                                                  |
 * | alpha                | -3                                                           |
 * | beta                 | -2                                                           |
 * | pre, rc              | -1                                                           |
 * | pl, `_`, `.`         | 0                                                            |
 * | nb, with or without digits | nothing; they are the revision, and the last one counts   |
 * | any other letter     | 0, then its place in the alphabet (a = 1)                    |
 * | anything else        | nothing                                                      |
 *
 * One difference: pkg_install reads digits into an int, whose overflow is undefined in C. Here numbers have their true value.
 */

export interface Version {
  readonly components: readonly VersionNumber[];
  /** The number after `nb`: the revision of the package, not of the packaged software. */
  readonly revision: VersionNumber;
}

/** A bigint where a number would lose digits. JavaScript compares the two exactly. */
type VersionNumber = number | bigint;

/** -1: before, 0: the same, 1: after. */
export type Order = -1 | 0 | 1;

/** In the order in which dewey.c tries them: `pre` comes before the letter p. */
const componentPattern =
  /(?<digits>[0-9]+)|(?<alpha>alpha)|(?<beta>beta)|(?<candidate>pre|rc)|(?<dot>pl|[_.])|nb(?<revision>[0-9]*)|(?<letter>[a-z])/gi;

export function parseVersion(text: string): Version {
  const components: VersionNumber[] = [];
  let revision: VersionNumber = 0;
  for (const { groups = {} } of text.matchAll(componentPattern)) {
    if (groups.digits !== undefined) components.push(numberOf(groups.digits));
    else if (groups.alpha !== undefined) components.push(-3);
    else if (groups.beta !== undefined) components.push(-2);
    else if (groups.candidate !== undefined) components.push(-1);
    else if (groups.dot !== undefined) components.push(0);
    else if (groups.revision !== undefined) revision = numberOf(groups.revision);
    else if (groups.letter !== undefined) components.push(0, placeInAlphabet(groups.letter));
  }
  return { components, revision };
}

/** Compares parsed versions: a total order, in which `1.0` and `1` are equal. */
export function compareParsed(left: Version, right: Version): Order {
  const length = Math.max(left.components.length, right.components.length);
  for (let index = 0; index < length; index += 1) {
    const order = compareNumbers(left.components[index] ?? 0, right.components[index] ?? 0);
    if (order !== 0) return order;
  }
  return compareNumbers(left.revision, right.revision);
}

function compareNumbers(left: VersionNumber, right: VersionNumber): Order {
  if (left < right) return -1;
  return left > right ? 1 : 0;
}

/** 15 decimal digits always fit a number. */
function numberOf(digits: string): VersionNumber {
  return digits.length <= 15 ? Number(digits) : BigInt(digits);
}

function placeInAlphabet(letter: string): number {
  return letter.toLowerCase().charCodeAt(0) - 'a'.charCodeAt(0) + 1;
}
