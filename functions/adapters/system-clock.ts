import type { Clock } from '../ports.ts';

/** setTimeout's longest, 24.8 days: it takes anything longer for 1 ms. */
const timerMillisecondsMax = 2 ** 31 - 1;

/**
 * The real time. A sleeper keeps the process alive: what it waits to do (a retry, a publication) must not be lost because
 * nothing else happens to go on. To end sooner, abort it.
 */
export class SystemClock implements Clock {
  now(): Date {
    return new Date();
  }

  async sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return;
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      const timer = setTimeout(wake, Math.min(milliseconds, timerMillisecondsMax));
      signal?.addEventListener('abort', wake);
    });
  }
}
