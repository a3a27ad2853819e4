/** Directories that wait to be compared with their rows. Many requests become few. */
export class Comparisons {
  readonly #directories = new Set<string>();
  readonly #trees = new Set<string>();

  /** @param prefix of a directory, without what is below it: `''` or `a/b/`. */
  addDirectory(prefix: string): void {
    this.#directories.add(prefix);
  }

  /** @param prefix of a directory with everything below it. */
  addTree(prefix: string): void {
    this.#trees.add(prefix);
  }

  /**
   * Compares what waits, except what is below a tree that waits, too. What fails waits for the next run.
   * @throws the first failure, after all the others were compared.
   */
  async run(compare: (prefix: string, what: 'directory' | 'tree') => Promise<void>): Promise<void> {
    // Taken out before: what is added during a comparison waits for the next run.
    const trees = [...take(this.#trees)].filter((tree, _, all) => !all.some((other) => isBelow(tree, other)));
    const directories = [...take(this.#directories)].filter((prefix) => !trees.some((tree) => prefix.startsWith(tree)));
    const failures: unknown[] = [];
    for (const tree of trees)
      await compare(tree, 'tree').catch((error: unknown) => {
        failures.push(error);
        this.#trees.add(tree);
      });
    for (const directory of directories)
      await compare(directory, 'directory').catch((error: unknown) => {
        failures.push(error);
        this.#directories.add(directory);
      });
    if (failures.length > 0) throw failures[0];
  }
}

function take(prefixes: Set<string>): Set<string> {
  const taken = new Set(prefixes);
  prefixes.clear();
  return taken;
}

function isBelow(prefix: string, other: string): boolean {
  return prefix !== other && prefix.startsWith(other);
}
