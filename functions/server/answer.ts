/** The short answers: one plain sentence, and why a request is refused. */

import { HTTPException } from 'hono/http-exception';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { failureSentence } from '../failures.ts';

export type AnswerHeaders = Readonly<Record<string, string>>;

/** The request cannot be served. The message is one sentence for the client: what is wrong, and what to do. */
export class Refusal extends HTTPException {
  override readonly name = 'Refusal';
  readonly headers: AnswerHeaders;

  constructor(status: ContentfulStatusCode, message: string, headers: AnswerHeaders = {}) {
    super(status, { message });
    this.headers = headers;
  }

  override getResponse(): Response {
    return plainText(this.status, this.message, this.headers);
  }
}

/** The client closed the connection: an answer would reach no one. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone';
}

/** An answer of plain text; a line end is added. No cache keeps it. */
export function plainText(status: number, text: string, headers: AnswerHeaders = {}): Response {
  const ours = { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store' };
  return new Response(`${text}\n`, { status, headers: { ...ours, ...headers } });
}

export function movedTo(location: string): Response {
  return plainText(301, `Moved to ${location}`, { Location: location });
}

/** For now: the next request may lead elsewhere. */
export function foundAt(location: string): Response {
  return plainText(302, `See ${location}`, { Location: location });
}

export function notFound(): Refusal {
  return new Refusal(404, 'No such file or directory.');
}

/** A disk that fails, or a directory that was removed, is not an error of the server: it says so, and continues. */
export async function answered<Value>(ask: () => Promise<Value>): Promise<Value> {
  try {
    return await ask();
  } catch (error) {
    const sentence = failureSentence(error);
    throw sentence === undefined ? error : new Refusal(503, `Status is temporarily unavailable: ${sentence}`);
  }
}
