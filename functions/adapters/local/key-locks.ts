/** One holder per key at a time, within this process, in the order of asking. Keys do not wait for each other. */
export class KeyLocks {
  /** The end of the last task that asked for the key; absent where nobody holds it. */
  readonly #ends = new Map<string, Promise<void>>();

  /** Runs the task once every earlier one of this key has ended, well or badly. Settles as the task does. */
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
