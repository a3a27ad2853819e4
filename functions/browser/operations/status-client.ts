/** Asks the server: for its status, and to retry packages. */

import type { AdoptRequest, RetryAnswer, RetryRequest, ServiceStatus } from '../../server/service-status.ts';

/** A server that takes longer than this counts as unreachable. */
const answerMillisecondsMax = 30_000;

/** @throws {Error} with a sentence, where there is no answer. */
export async function fetchStatus(): Promise<ServiceStatus> {
  const answer = await ask('status', { cache: 'no-store' });
  if (!answer.ok) throw new Error((await answer.text()).trim() || `HTTP ${answer.status}`);
  return await answer.json();
}

export type RetryOutcome =
  /** Without a number, an index is published. */
  | { readonly outcome: 'asked'; readonly retried: number | undefined }
  /** Only for those who have the upload token. */
  | { readonly outcome: 'token-wanted' }
  | { readonly outcome: 'refused'; readonly why: string };

/** The token goes into a header of our own, without the browser's credentials: the browser would show its own password dialog. */
export async function requestRetry(
  request: RetryRequest | AdoptRequest,
  token: string | undefined,
): Promise<RetryOutcome> {
  try {
    const answer = await ask('repository' in request ? 'adopt' : 'retry', {
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
    const { retried }: Partial<RetryAnswer> = await answer.json();
    return { outcome: 'asked', retried };
  } catch {
    return { outcome: 'refused', why: 'Server unreachable' };
  }
}

async function ask(path: string, options: RequestInit): Promise<Response> {
  return await fetch(path, { ...options, signal: AbortSignal.timeout(answerMillisecondsMax) });
}
