/** Directories below a watched one that wait to be checked again. Many requests for one become one check, a little later. */

import type { Clock } from '../../ports.ts';

export const recheckLimits = {
  /** Directories are checked this long after the event that asks for it: a copied tree sends many events at once. */
  quietMilliseconds: 100,
  /** Directories that are checked side by side: Node has four threads for the calls that this needs. */
  checksConcurrentMax: 4,
} as const;

/** @param isToCompare whether the files of the directory are compared even if it has not changed. */
type Check = (prefix: string, isToCompare: boolean) => Promise<void>;

export class Rechecks {
  readonly #check: Check;
  readonly #clock: Clock;
  readonly #end: AbortSignal;
  /** By prefix: whether to compare. */
  readonly #waiting = new Map<string, boolean>();
  #running: Promise<void> | undefined;
  #isStarted = false;

  /** @param end aborted: nothing more is checked. */
  constructor(check: Check, clock: Clock, end: AbortSignal) {
    this.#check = check;
    this.#clock = clock;
    this.#end = end;
  }

  add(prefix: string, isToCompare: boolean): void {
    this.#waiting.set(prefix, isToCompare || this.#waiting.get(prefix) === true);
    if (this.#isStarted && !this.#end.aborted) this.#running ??= this.#checkSoon();
  }

  /** Checks what waits, at once, and from then on what is added. */
  async start(): Promise<void> {
    await this.#checkAll();
    this.#isStarted = true;
  }

  /** Resolves once no check is running, after the end. */
  async ended(): Promise<void> {
    await this.#running;
  }

  async #checkSoon(): Promise<void> {
    await this.#clock.sleep(recheckLimits.quietMilliseconds, this.#end);
    await this.#checkAll();
    // More may have been added since.
    this.#running = this.#waiting.size > 0 && !this.#end.aborted ? this.#checkSoon() : undefined;
  }

  async #checkAll(): Promise<void> {
    while (this.#waiting.size > 0 && !this.#end.aborted)
      await Promise.all(this.#takeUnrelated().map(([prefix, isToCompare]) => this.#check(prefix, isToCompare)));
  }

  /** Some that are not below each other: these can be checked side by side. */
  #takeUnrelated(): [prefix: string, isToCompare: boolean][] {
    const taken: [string, boolean][] = [];
    for (const [prefix, isToCompare] of this.#waiting) {
      const isRelated = taken.some(([other]) => other.startsWith(prefix) || prefix.startsWith(other));
      if (isRelated || taken.length === recheckLimits.checksConcurrentMax) break;
      this.#waiting.delete(prefix);
      taken.push([prefix, isToCompare]);
    }
    return taken;
  }
}
