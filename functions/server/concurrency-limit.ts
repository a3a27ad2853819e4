/** How many of one thing may be under way at the same time. */

import { Refusal } from './answer.ts';

const retryAfterSeconds = 5;

export class ConcurrencyLimit {
  readonly #what: string;
  readonly #count: number;
  readonly #waiting: (() => void)[] = [];
  #taken = 0;

  /** @param what the things are, in the plural, for the refusal: "uploads" */
  constructor(what: string, count: number) {
    this.#what = what;
    this.#count = count;
  }

  /**
   * Takes a place; the caller calls the returned function once, to give it back.
   * @throws {Refusal} 503 where all are taken
   */
  take(): () => void {
    if (this.#taken >= this.#count)
      throw new Refusal(
        503,
        `Too many ${this.#what} at once: the limit is ${this.#count}. Try again in a few seconds.`,
        {
          'Retry-After': String(retryAfterSeconds),
        },
      );
    this.#taken += 1;
    return () => this.#giveBack();
  }

  /** Runs the work once there is a place for it, in the order of the calls. */
  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#taken < this.#count) this.#taken += 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      this.#giveBack();
    }
  }

  /** The first that waits takes the place over. */
  #giveBack(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#taken -= 1;
    else next();
  }
}
