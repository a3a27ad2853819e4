/** How a person, or whatever runs the process, asks it to stop. */

import type { EventEmitter } from 'node:events';
import { localLimits } from '../../functions/adapters/local/limits.ts';
import type { Clock } from '../../functions/ports.ts';

/**
 * Aborts at the first Ctrl-C; the second one does not wait for anything.
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
    // npm passes on what the terminal has told everybody in front already: that is no second one.
    if (stop.signal.aborted && now - first >= localLimits.sameSignalMilliseconds) leave();
    stop.abort();
  };
  for (const signal of ['SIGINT', 'SIGTERM']) signals.on(signal, onSignal);
  return stop.signal;
}
