/** The server's status, asked for every few seconds. */

import { useEffect, useState } from 'preact/hooks';
import type { ServiceStatus } from '../../server/service-status.ts';
import { timeText } from '../elements/wording.ts';
import { fetchStatus } from './status-client.ts';

/** Between two requests. More where the server takes long to answer: it has other work to do. */
const pollMilliseconds = 2_000;
const pollsPerAnswer = 5;

export interface PolledStatus {
  /** The last that came. */
  readonly status?: ServiceStatus;
  readonly state: string;
  /** The server did not answer the last time. */
  readonly isLost: boolean;
}

/** @param asks a number: another one asks at once. */
export function useStatus(asks: number): PolledStatus {
  const [polled, setPolled] = useState<PolledStatus>({ state: 'loading…', isLost: false });
  useEffect(() => {
    let isOver = false;
    let timer: number | undefined;
    const poll = async () => {
      clearTimeout(timer);
      if (document.visibilityState === 'hidden') return;
      const begin = performance.now();
      const next = await nextStatus();
      if (isOver) return;
      setPolled((last) => ({ ...last, ...next }));
      clearTimeout(timer);
      timer = setTimeout(poll, Math.max(pollMilliseconds, pollsPerAnswer * (performance.now() - begin)));
    };
    addEventListener('visibilitychange', poll);
    void poll();
    return () => {
      isOver = true;
      clearTimeout(timer);
      removeEventListener('visibilitychange', poll);
    };
  }, [asks]);
  return polled;
}

async function nextStatus(): Promise<PolledStatus> {
  try {
    const status = await fetchStatus();
    return { status, state: `updated ${timeText(new Date().toISOString())}`, isLost: false };
  } catch (error) {
    const why = error instanceof TypeError ? 'Server unreachable' : (error as Error).message;
    return { state: `${why}; the figures may be out of date`, isLost: true };
  }
}
