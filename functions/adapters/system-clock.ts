import type { Clock } from '../ports.ts';

/** The longest time that setTimeout can wait, 24.8 days. A longer one counts as 1 ms. */
const timerMillisecondsMax = 2 ** 31 - 1;

/** The real time. A sleep keeps the process running, since a retry or a publication follows it; abort it to end sooner. */
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
