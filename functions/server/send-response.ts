/** Writes an answer to the connection: always with its length, and at the pace of the client, within limits. */

import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ClientGone } from './answer.ts';
import type { ServerLimits } from './server-limits.ts';

/**
 * On every answer. Pages may show styles and images of this server, and nothing else: no script, no frame, no form to
 * anywhere. What an uploader or a package maker puts into a name or a file cannot get beyond that.
 */
export const securityHeaders = {
  'Content-Security-Policy':
    "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
} as const;

/** The client read too little for too long; its connection is closed. */
export class ReaderStalled extends Error {
  override readonly name = 'ReaderStalled';
}

export interface Delivery {
  readonly message: IncomingMessage;
  readonly outgoing: ServerResponse;
  /** Whether the client still waits for `100 Continue`: then it sends no body. */
  readonly awaitsContinue: boolean;
  /** The server is shutting down: no further request on this connection. */
  readonly isClosing: boolean;
  /** Called with each piece of the body that was sent. */
  readonly onSent: (bytes: number) => void;
}

/**
 * @param pieces the body, where the response has a Content-Length and no body of its own
 * @throws {ClientGone} where the client left first
 * @throws {ReaderStalled}
 */
export async function sendResponse(
  response: Response,
  pieces: AsyncIterable<Uint8Array> | undefined,
  { message, outgoing, awaitsContinue, isClosing, onSent }: Delivery,
  limits: ServerLimits,
): Promise<void> {
  const bodyIsUnread = !message.complete;
  const bytes = response.body === null ? undefined : Buffer.from(await response.arrayBuffer());
  outgoing.statusCode = response.status;
  outgoing.setHeaders(new Map(Object.entries(securityHeaders)));
  outgoing.setHeaders(response.headers);
  if (bytes !== undefined) outgoing.setHeader('Content-Length', bytes.byteLength);
  // The rest of the body would have to be read before the next request: a new connection is cheaper.
  if (bodyIsUnread || isClosing) outgoing.setHeader('Connection', 'close');

  const body = bytes === undefined ? pieces : piecesOf(bytes, limits);
  if (message.method === 'HEAD' || body === undefined) outgoing.flushHeaders();
  else
    for await (const piece of body) {
      await written(outgoing, piece, limits);
      onSent(piece.length);
    }
  if (bodyIsUnread && !awaitsContinue) await dropRest(message, limits);
  await finished(outgoing, limits);
}

async function* piecesOf(bytes: Uint8Array, { progressBytes }: ServerLimits): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.byteLength; start += progressBytes)
    yield bytes.subarray(start, start + progressBytes);
}

/** Resolves once the system has taken the piece. What a client does not read yet stays with us. */
async function written(outgoing: ServerResponse, piece: Uint8Array, limits: ServerLimits): Promise<void> {
  await taken(outgoing, limits, (done) => outgoing.write(piece, done));
}

async function finished(outgoing: ServerResponse, limits: ServerLimits): Promise<void> {
  await taken(outgoing, limits, (done) => outgoing.end(done));
}

async function taken(
  outgoing: ServerResponse,
  { progressMilliseconds }: ServerLimits,
  hand: (done: (error?: Error | null) => void) => void,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const gone = (cause?: unknown): void => reject(new ClientGone('the client closed the connection', { cause }));
  const timer = setTimeout(() => {
    reject(new ReaderStalled(`the client read nothing for ${progressMilliseconds / 1000} s`));
  }, progressMilliseconds);
  outgoing.once('close', gone);
  try {
    if (outgoing.destroyed) gone();
    else hand((error) => (error ? gone(error) : resolve()));
    await promise;
  } finally {
    clearTimeout(timer);
    outgoing.off('close', gone);
  }
}

/** Reads and drops the rest of the body for a while: closing at once would throw the answer away as well. */
async function dropRest(message: IncomingMessage, { lingerMilliseconds }: ServerLimits): Promise<void> {
  if (message.destroyed) return;
  const signal = AbortSignal.timeout(lingerMilliseconds);
  message.resume();
  try {
    await once(message, 'close', { signal });
  } catch {
    // Too slow, or the client has left: there is nothing to wait for any more.
  }
}
