/** Time that stands still until a test moves it. */

import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../../functions/ports.ts';

interface Sleeper {
  readonly until: number;
  wake(): void;
}

export class ManualClock implements Clock {
  #now: number;
  readonly #sleepers = new Set<Sleeper>();

  constructor(start = new Date('2026-01-01T00:00:00Z')) {
    this.#now = start.getTime();
  }

  now(): Date {
    return new Date(this.#now);
  }

  async sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return;
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        this.#sleepers.delete(sleeper);
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      const sleeper = { until: this.#now + Math.max(milliseconds, 0), wake };
      this.#sleepers.add(sleeper);
      signal?.addEventListener('abort', wake);
    });
  }

  /** How many sleep. */
  get sleepers(): number {
    return this.#sleepers.size;
  }

  /**
   * Moves the time on, waking each sleeper at its own time, the earliest first (of two at one time the one that fell asleep
   * first); what it does before it sleeps or waits again is done before the next one wakes.
   */
  async advance(milliseconds: number): Promise<void> {
    const end = this.#now + milliseconds;
    await settle();
    for (let next = this.#next(); next !== undefined && next.until <= end; next = this.#next()) {
      this.#now = Math.max(this.#now, next.until);
      next.wake();
      await settle();
    }
    this.#now = end;
  }

  /** Moves the time on to the next sleeper and wakes it. False where nobody sleeps. */
  async advanceToNext(): Promise<boolean> {
    await settle();
    const next = this.#next();
    if (next === undefined) return false;
    await this.advance(Math.max(next.until - this.#now, 0));
    return true;
  }

  #next(): Sleeper | undefined {
    let earliest: Sleeper | undefined;
    for (const sleeper of this.#sleepers) {
      if (earliest === undefined || sleeper.until < earliest.until) earliest = sleeper;
    }
    return earliest;
  }
}

/** Lets everything run that waits for nothing but its turn. Input and output may take longer. */
export async function settle(): Promise<void> {
  await setImmediate();
}
