/** Lets the rest of the process go on during long work. */

import { setImmediate } from 'node:timers/promises';
import { CannotRun } from '../failures.ts';

const timeSliceLimits = {
  /** How long the work may hold up everything else. */
  sliceMilliseconds: 5,
} as const;

export class TimeSlices {
  readonly #stop: AbortSignal;
  #startedAt = performance.now();

  /** @param stop ends the work: its next pause throws. */
  constructor(stop: AbortSignal) {
    this.#stop = stop;
  }

  /**
   * To be called often; undefined where the slice is not over yet.
   * @throws {CannotRun} when the work is to end.
   */
  readonly pause = (): Promise<void> | undefined => {
    if (performance.now() - this.#startedAt < timeSliceLimits.sliceMilliseconds) return undefined;
    return this.#pause();
  };

  async #pause(): Promise<void> {
    await setImmediate();
    if (this.#stop.aborted) throw new CannotRun('the server is stopping');
    this.#startedAt = performance.now();
  }
}
