/** A value that the operator may change. Work that goes on meanwhile keeps the one that it began with. */

import type { Work } from './process.ts';

export class Configured<Value> {
  current: Value;
  readonly #inUse = new Map<Work, Value>();

  constructor(value: Value) {
    this.current = value;
  }

  async use<Result>(work: Work, run: (value: Value) => Promise<Result>): Promise<Result> {
    const value = this.current;
    this.#inUse.set(work, value);
    try {
      return await run(value);
    } finally {
      this.#inUse.delete(work);
    }
  }

  /** Whether no living process goes on with another value. */
  get isEverywhere(): boolean {
    return [...this.#inUse].every(([{ process }, value]) => !process.isAlive || value === this.current);
  }
}
