/** Packages for different machines in one repository, which stop `pkgin update` for everyone. Runs in a browser too. */

/** Packages of an architecture other than that of most packages. */
export interface ForeignArchitecture {
  /** MACHINE_ARCH; empty if the line is there without a value. */
  readonly architecture: string;
  /** PKGNAMEs, in the order of the records; never empty. */
  readonly names: readonly string[];
}

export interface Architectures {
  /** That of most packages; undefined if no record has one. */
  readonly architecture: string | undefined;
  readonly foreign: readonly ForeignArchitecture[];
}

/**
 * Groups packages as pkgin compares them: on a machine x86_64 it accepts every MACHINE_ARCH that starts with `x86_64`, and a record
 * without the line.
 *
 * @param packages with all their values of MACHINE_ARCH; pkgin compares each of them.
 */
export function compareArchitectures(
  packages: readonly { readonly name: string; readonly architectures: readonly string[] }[],
): Architectures {
  const groupOf = grouping(packages.flatMap(({ architectures }) => architectures));
  const groups = new Map<string, Set<string>>();
  for (const { name, architectures } of packages) {
    for (const value of architectures) {
      const names = groups.get(groupOf(value));
      if (names === undefined) groups.set(groupOf(value), new Set([name]));
      else names.add(name);
    }
  }
  const { architecture, others } = ranked([...groups].map(([group, names]) => [group, names.size]));
  return {
    architecture,
    foreign: others.map(([group]) => ({ architecture: group, names: [...(groups.get(group) ?? [])] })),
  };
}

export interface ArchitectureTotals {
  /** That of most packages; undefined if no record has one. */
  readonly architecture: string | undefined;
  readonly foreign: readonly { readonly architecture: string; readonly packages: number }[];
}

/** As `compareArchitectures`, of the numbers of packages by MACHINE_ARCH. */
export function compareTotals(packages: ReadonlyMap<string, number>): ArchitectureTotals {
  const groupOf = grouping(packages.keys());
  const totals = new Map<string, number>();
  for (const [value, number] of packages) totals.set(groupOf(value), (totals.get(groupOf(value)) ?? 0) + number);
  const { architecture, others } = ranked([...totals]);
  return { architecture, foreign: others.map(([group, number]) => ({ architecture: group, packages: number })) };
}

type Group = readonly [architecture: string, packages: number];

/** The largest group has the architecture of the repository. */
function ranked(groups: readonly Group[]): {
  readonly architecture: string | undefined;
  readonly others: readonly Group[];
} {
  const sorted = groups.toSorted(([left, most], [right, more]) => more - most || (left < right ? -1 : 1));
  const architecture = sorted.find(([group]) => group !== '')?.[0];
  return { architecture, others: sorted.filter(([group]) => group !== architecture) };
}

/** @returns the group of each of these values: the shortest other value that it starts with, or itself. */
function grouping(values: Iterable<string>): (value: string) => string {
  const prefixes = prefixesOf(new Set(Array.from(values, withoutLevel)));
  return (value) => prefixes.get(withoutLevel(value)) ?? '';
}

/** x86_64v2, v3 and v4 are for the same machines as x86_64, which need not be there. */
function withoutLevel(architecture: string): string {
  return architecture.replace(/^x86_64v[0-9]+$/, 'x86_64');
}

/** Each value → the shortest other value that it starts with, or itself. The empty value is a prefix of no other. */
function prefixesOf(values: Iterable<string>): Map<string, string> {
  const prefixes = new Map<string, string>();
  let prefix = '';
  // Sorted, the values that start with another one follow it directly.
  for (const value of [...values].sort()) {
    if (prefix === '' || !value.startsWith(prefix)) prefix = value;
    prefixes.set(value, prefix);
  }
  return prefixes;
}
