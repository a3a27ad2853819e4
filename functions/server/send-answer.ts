/** Writes an answer to the connection: always with its length, never faster or slower than the limits say. */

import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Answer, type AnswerBody, ClientGone } from './answer.ts';
import { hasChanged, type OpenFile } from './served-path.ts';
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

/** The client took too little for too long; its connection is closed. */
export class ReaderStalled extends Error {
  override readonly name = 'ReaderStalled';
}

export interface Delivery {
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
  /** Whether the client still waits for `100 Continue`: then its body is not on the way. */
  readonly awaitsContinue: boolean;
  /** The server is shutting down: no further request on this connection. */
  readonly isClosing: boolean;
}

/**
 * @throws {ClientGone} where the client left first
 * @throws {ReaderStalled}
 */
export async function sendAnswer(answer: Answer, delivery: Delivery, limits: ServerLimits): Promise<void> {
  const { message, response } = delivery;
  const { status, headers, body } = answer;
  const bodyIsUnread = !message.complete;
  try {
    response.statusCode = status;
    for (const [name, value] of Object.entries({ ...securityHeaders, ...headers })) response.setHeader(name, value);
    if (body.kind !== 'none') response.setHeader('Content-Length', lengthOf(body));
    // What is left of the body would have to be read before the next request: rather a new connection.
    if (bodyIsUnread || delivery.isClosing) response.setHeader('Connection', 'close');

    if (message.method === 'HEAD' || body.kind === 'none') response.flushHeaders();
    else for await (const chunk of chunksOf(body, limits)) await written(response, chunk, limits);
    if (bodyIsUnread && !delivery.awaitsContinue) await dropRest(message, limits);
    await finished(response, limits);
  } finally {
    await answer.release?.();
  }
}

function lengthOf(body: Exclude<AnswerBody, { kind: 'none' }>): number {
  return body.kind === 'bytes' ? body.bytes.byteLength : body.length;
}

async function* chunksOf(
  body: Exclude<AnswerBody, { kind: 'none' }>,
  { progressBytes }: ServerLimits,
): AsyncGenerator<Uint8Array> {
  if (body.kind === 'file') yield* fileChunks(body.file, body.start, body.length, progressBytes);
  else
    for (let start = 0; start < body.bytes.byteLength; start += progressBytes)
      yield body.bytes.subarray(start, start + progressBytes);
}

/**
 * The chunks share their memory: each must be written before the next is asked for. A file that is replaced meanwhile
 * (renamed onto) stays whole behind its handle. One that is written to in place does not: its last chunk is held back, so
 * that the client sees a broken download and never a mixture of two files.
 */
async function* fileChunks(
  file: OpenFile,
  start: number,
  length: number,
  chunkBytes: number,
): AsyncGenerator<Uint8Array> {
  const buffer = Buffer.allocUnsafe(Math.min(length, chunkBytes));
  const end = start + length;
  for (let position = start; position < end; ) {
    const wanted = Math.min(buffer.byteLength, end - position);
    const { bytesRead } = await file.handle.read(buffer, 0, wanted, position);
    position += bytesRead;
    const isLast = position === end;
    if (bytesRead === 0 || (isLast && (await hasChanged(file))))
      throw new Error('a file was written to in place while it was being sent: replace files by renaming onto them');
    yield buffer.subarray(0, bytesRead);
  }
}

/** Resolves once the system has taken the chunk: one that a client does not read stays with us. */
async function written(response: ServerResponse, chunk: Uint8Array, limits: ServerLimits): Promise<void> {
  await taken(response, limits, (done) => response.write(chunk, done));
}

async function finished(response: ServerResponse, limits: ServerLimits): Promise<void> {
  await taken(response, limits, (done) => response.end(done));
}

async function taken(
  response: ServerResponse,
  { progressMilliseconds }: ServerLimits,
  hand: (done: (error?: Error | null) => void) => void,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const gone = (cause?: unknown): void => reject(new ClientGone('the client closed the connection', { cause }));
  const timer = setTimeout(() => {
    reject(new ReaderStalled(`the client took nothing for ${progressMilliseconds / 1000} s`));
  }, progressMilliseconds);
  response.once('close', gone);
  try {
    if (response.destroyed) gone();
    else hand((error) => (error ? gone(error) : resolve()));
    await promise;
  } finally {
    clearTimeout(timer);
    response.off('close', gone);
  }
}

/** Reads and drops what is still to come of the body, for a while: closing at once would throw away the answer as well. */
async function dropRest(message: IncomingMessage, { lingerMilliseconds }: ServerLimits): Promise<void> {
  if (message.destroyed) return;
  const signal = AbortSignal.timeout(lingerMilliseconds);
  message.resume();
  try {
    await once(message, 'close', { signal });
  } catch {
    // Too long, or the client has left: either way there is nothing to wait for any more.
  }
}
