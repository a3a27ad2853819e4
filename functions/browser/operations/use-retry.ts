/** Retrying packages: asks the server, with the upload token where it wants one. */

import { useRef, useState } from 'preact/hooks';
import type { RetryRequest } from '../../server/service-status.ts';
import { countText, timeText } from '../elements/wording.ts';
import { requestRetry } from './status-client.ts';

/** How long a button says what came of it. */
const noteMilliseconds = 10_000;

export interface Retrying {
  readonly retry: (request: RetryRequest) => void;
  /** By key, or `all`: what the button says. */
  readonly notes: Readonly<Record<string, string | undefined>>;
}

/**
 * @param askForToken undefined where the reader does not tell it.
 * @param onRetried with a sentence for screen readers.
 */
export function useRetry(
  askForToken: (isWrong: boolean) => Promise<string | undefined>,
  onRetried: (sentence: string) => void,
): Retrying {
  const [notes, setNotes] = useState<Retrying['notes']>({});
  // Kept for as long as the page is open, and nowhere else.
  const token = useRef<string | undefined>(undefined);
  const retry = async (request: RetryRequest) => {
    const name = 'key' in request ? request.key : 'all';
    const note = (text: string | undefined) => setNotes((others) => ({ ...others, [name]: text }));
    note('retrying…');
    let result = await requestRetry(request, token.current);
    while (result.outcome === 'token-wanted') {
      const given = await askForToken(token.current !== undefined);
      if (given === undefined) return note(undefined);
      token.current = given;
      result = await requestRetry(request, given);
    }
    if (result.outcome === 'refused') {
      token.current = undefined;
      note(result.why);
    } else {
      note(`retried ${timeText(new Date().toISOString())}`);
      onRetried(`Retrying ${countText(result.retried, 'package')}`);
    }
    setTimeout(() => note(undefined), noteMilliseconds);
  };
  return { retry: (request) => void retry(request), notes };
}
