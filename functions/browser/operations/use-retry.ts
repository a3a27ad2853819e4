/** Retrying packages: asks the server, with the upload token where it wants one. */

import { useRef, useState } from 'preact/hooks';
import type { AdoptRequest, RetryRequest } from '../../server/service-status.ts';
import { countText, timeText } from '../elements/wording.ts';
import { requestRetry } from './status-client.ts';

/** How long a button says what came of it. */
const noteMilliseconds = 10_000;

export interface Retrying {
  readonly retry: (request: RetryRequest | AdoptRequest) => void;
  /** By the name of the request (`nameOfRequest`): what the button says. */
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
  const retry = async (request: RetryRequest | AdoptRequest) => {
    const name = nameOfRequest(request);
    const note = (text: string | undefined) => setNotes((others) => ({ ...others, [name]: text }));
    note('repository' in request ? 'publishing…' : 'retrying…');
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
      const { retried } = result;
      note(`${retried === undefined ? 'requested' : 'retried'} ${timeText(new Date().toISOString())}`);
      onRetried(retried === undefined ? 'Publishing the index' : `Retrying ${countText(retried, 'package')}`);
    }
    setTimeout(() => note(undefined), noteMilliseconds);
  };
  return { retry: (request) => void retry(request), notes };
}

/** No key of a package ends in a slash. */
export function nameOfRequest(request: RetryRequest | AdoptRequest): string {
  if ('repository' in request) return `${request.repository}/`;
  return 'key' in request ? request.key : 'all';
}
