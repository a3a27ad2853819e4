/** A fixed number of places for what may go on at the same time. */

import { Refusal } from './answer.ts';

const retryAfterSeconds = 5;

export class ConcurrencyLimit {
  readonly #what: string;
  readonly #count: number;
  #taken = 0;

  /** @param what is going on, in the plural, for the refusal: "uploads" */
  constructor(what: string, count: number) {
    this.#what = what;
    this.#count = count;
  }

  /**
   * Takes a place; the function that is returned gives it back, and is called once.
   * @throws {Refusal} 503 where all are taken
   */
  take(): () => void {
    if (this.#taken >= this.#count)
      throw new Refusal(503, `${this.#count} ${this.#what} are under way already: try again in a moment.`, {
        'Retry-After': String(retryAfterSeconds),
      });
    this.#taken += 1;
    return () => {
      this.#taken -= 1;
    };
  }
}
