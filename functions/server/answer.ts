/** What a handler gives back, as a value: send-answer.ts alone writes to the connection. */

import type { OpenFile } from './served-path.ts';

export type AnswerHeaders = Readonly<Record<string, string | readonly string[]>>;

export type AnswerBody =
  | { readonly kind: 'none' }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  /** `length` bytes of the file from `start` on. */
  | { readonly kind: 'file'; readonly file: OpenFile; readonly start: number; readonly length: number };

export interface Answer {
  readonly status: number;
  readonly headers: AnswerHeaders;
  readonly body: AnswerBody;
  /** Gives back what the answer holds (an open file, a place among the pages) once it is sent, or cannot be. */
  readonly release?: () => void | Promise<void>;
}

/** The request cannot be served. The message is one sentence for the client: what was wrong, and what to do. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;
  readonly headers: AnswerHeaders;

  constructor(status: number, message: string, headers: AnswerHeaders = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}

/** The client closed the connection: there is nobody left to answer. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone';
}

/** An answer of plain text; a line end is added. */
export function plainText(status: number, text: string, headers: AnswerHeaders = {}): Answer {
  return {
    status,
    headers: { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store', ...headers },
    body: { kind: 'bytes', bytes: Buffer.from(`${text}\n`) },
  };
}

export function emptyAnswer(status: 204 | 304, headers: AnswerHeaders = {}): Answer {
  return { status, headers, body: { kind: 'none' } };
}

export function notFound(): Refusal {
  return new Refusal(404, 'There is no such file or directory here.');
}
