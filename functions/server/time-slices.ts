/** Lets the rest of the process continue during long work. */

import { setImmediate } from 'node:timers/promises';
import { CannotRun } from '../failures.ts';

export const timeSliceLimits = {
  /** How long the work may hold up everything else. */
  sliceMilliseconds: 5,
} as const;

export class TimeSlices {
  readonly #stop: AbortSignal;
  readonly #now: () => number;
  #startedAt: number;

  /**
   * @param stop ends the work: its next pause throws.
   * @param now in milliseconds.
   */
  constructor(stop: AbortSignal, now = () => performance.now()) {
    this.#stop = stop;
    this.#now = now;
    this.#startedAt = now();
  }

  /**
   * To be called often; undefined where the slice is not over yet.
   * @throws {CannotRun} when the work is to end.
   */
  readonly pause = (): Promise<void> | undefined => {
    if (this.#now() - this.#startedAt < timeSliceLimits.sliceMilliseconds) return undefined;
    return this.#pause();
  };

  async #pause(): Promise<void> {
    await setImmediate();
    if (this.#stop.aborted) throw new CannotRun('the server is stopping');
    this.#startedAt = this.#now();
  }
}
