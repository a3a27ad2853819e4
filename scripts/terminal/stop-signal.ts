/** SIGINT and SIGTERM ask the process to stop. */

import type { EventEmitter } from 'node:events';
import type { Clock } from '../../functions/ports.ts';

export const stopLimits = {
  /** A signal that follows another within this time is the same Ctrl-C, passed on by npm: no user presses it twice that fast. */
  sameSignalMilliseconds: 250,
} as const;

/**
 * Aborts at the first Ctrl-C; the second one ends the process.
 * @param signals the process
 * @param leave ends the process at once
 */
export function stopSignal(
  signals: Pick<EventEmitter, 'on'>,
  clock: Pick<Clock, 'now'>,
  leave: () => void,
): AbortSignal {
  const stop = new AbortController();
  let first = Number.POSITIVE_INFINITY;
  const onSignal = (): void => {
    const now = clock.now().getTime();
    first = Math.min(first, now);
    // The terminal signals npm and us; npm passes its signal on to us.
    if (stop.signal.aborted && now - first >= stopLimits.sameSignalMilliseconds) leave();
    stop.abort();
  };
  for (const signal of ['SIGINT', 'SIGTERM']) signals.on(signal, onSignal);
  return stop.signal;
}
