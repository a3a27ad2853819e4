/** Runs tasks of the same key one after the other, in the order of the calls; tasks of different keys side by side. Within this process. */
export class KeyLocks {
  /** Resolves when the last task of the key has ended; absent where it has. */
  readonly #ends = new Map<string, Promise<void>>();

  /** Runs the task once every earlier one of this key has ended. Settles as the task does. */
  async hold<Result>(key: string, task: () => Promise<Result>): Promise<Result> {
    const { promise: end, resolve: release } = Promise.withResolvers<void>();
    const before = this.#ends.get(key);
    this.#ends.set(key, end);
    await before;
    try {
      return await task();
    } finally {
      if (this.#ends.get(key) === end) this.#ends.delete(key);
      release();
    }
  }
}
