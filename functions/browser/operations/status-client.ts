/** Asks the server: how things are, and for another try. */

import type { RetryAnswer, RetryRequest, ServiceStatus } from '../../server/service-status.ts';

/** A server that has not answered by then is taken for gone. */
const answerMillisecondsMax = 30_000;

/** @throws a sentence, where there is no answer. */
export async function fetchStatus(): Promise<ServiceStatus> {
  const answer = await ask('status', { cache: 'no-store' });
  if (!answer.ok) throw new Error((await answer.text()).trim() || `The server answers ${answer.status}.`);
  return await answer.json();
}

/** `token-wanted`: whoever may change something here shows a token. */
export type RetryOutcome =
  | { readonly outcome: 'asked'; readonly retried: number }
  | { readonly outcome: 'token-wanted' }
  | { readonly outcome: 'refused'; readonly why: string };

/** The token in a header of our own, and nothing that the browser keeps: it would ask for a password in a window of its own. */
export async function requestRetry(request: RetryRequest, token: string | undefined): Promise<RetryOutcome> {
  try {
    const answer = await ask('retry', {
      method: 'POST',
      credentials: 'omit',
      headers: {
        'Content-Type': 'application/json',
        ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify(request),
    });
    if (answer.status === 401) return { outcome: 'token-wanted' };
    if (!answer.ok) return { outcome: 'refused', why: (await answer.text()).trim() };
    const { retried }: RetryAnswer = await answer.json();
    return { outcome: 'asked', retried };
  } catch {
    return { outcome: 'refused', why: 'The server cannot be reached.' };
  }
}

async function ask(path: string, options: RequestInit): Promise<Response> {
  return await fetch(path, { ...options, signal: AbortSignal.timeout(answerMillisecondsMax) });
}
