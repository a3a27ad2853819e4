/**
 * What events alone do not make good: hints that were dropped or given up, changes that were given up, what was there before us,
 * formats that were switched while runs with the old ones went on, an index that somebody else put over ours. A reindex of the
 * whole bucket that begins afterwards, and succeeds, makes it good; until then nothing is expected of what is concerned.
 */

export class Losses {
  /** What was lost, and when: losses and reindexes are counted. */
  readonly #lost = new Map<string, number>();
  #count = 0;

  get isEmpty(): boolean {
    return this.#lost.size === 0;
  }

  has(what: string): boolean {
    return this.#lost.has(what);
  }

  add(what: string): void {
    this.#count += 1;
    this.#lost.set(what, this.#count);
  }

  /** A reindex begins. @returns what to call when it has succeeded. */
  reindexBegins(isBeyondReach: (what: string) => boolean): () => void {
    const inReach = [...this.#lost].filter(([what]) => !isBeyondReach(what));
    return () => {
      for (const [what, since] of inReach) if (this.#lost.get(what) === since) this.#lost.delete(what);
    };
  }
}
