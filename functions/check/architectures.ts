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
  const values = new Set(packages.flatMap(({ architectures }) => architectures.map(withoutLevel)));
  const prefixes = prefixesOf(values);
  const groups = new Map<string, Set<string>>();
  for (const { name, architectures } of packages) {
    for (const value of architectures) {
      const prefix = prefixes.get(withoutLevel(value)) ?? '';
      const names = groups.get(prefix);
      if (names === undefined) groups.set(prefix, new Set([name]));
      else names.add(name);
    }
  }
  const sorted = [...groups].sort(
    ([leftPrefix, left], [rightPrefix, right]) => right.size - left.size || (leftPrefix < rightPrefix ? -1 : 1),
  );
  const architecture = sorted.find(([prefix]) => prefix !== '')?.[0];
  const others = sorted.filter(([prefix]) => prefix !== architecture);
  return { architecture, foreign: others.map(([prefix, names]) => ({ architecture: prefix, names: [...names] })) };
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
