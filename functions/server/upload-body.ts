/** The body of an upload, piece by piece: counted, and cut off where it grows too large or stalls. */

import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { ClientGone, Refusal } from './answer.ts';
import type { BodyDigests } from './body-digests.ts';
import type { ServerLimits } from './server-limits.ts';

/**
 * To be read once. It fails with a Refusal (413, 408, 400 for an empty body or a wrong digest) or with ClientGone. `failure` keeps that reason,
 * since the reader may wrap what it catches.
 */
export class UploadBody implements AsyncIterable<Uint8Array> {
  readonly #message: IncomingMessage;
  readonly #continueBody: () => void;
  readonly #limits: ServerLimits;
  readonly #digests: BodyDigests | undefined;
  #receivedBytes = 0;
  #failure: Error | undefined;

  /** @param continueBody called before the first piece is read: a refused client that waits for it sends nothing in vain */
  constructor(message: IncomingMessage, continueBody: () => void, limits: ServerLimits, digests?: BodyDigests) {
    this.#message = message;
    this.#continueBody = continueBody;
    this.#limits = limits;
    this.#digests = digests;
  }

  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  get failure(): Error | undefined {
    return this.#failure;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    this.#continueBody();
    try {
      for await (const piece of this.#pieces()) {
        this.#receivedBytes += piece.byteLength;
        if (this.#receivedBytes > this.#limits.uploadBytesMax) throw tooLarge(this.#limits);
        this.#digests?.update(piece);
        yield piece;
      }
      if (this.#receivedBytes === 0) throw emptyUpload();
      this.#digests?.verify();
    } catch (error) {
      this.#failure = error instanceof Error ? error : new Error(String(error));
      throw this.#failure;
    }
  }

  /**
   * The pieces, as they come. Every `progressBytes` give the client another `progressMilliseconds`; the time that the disk
   * takes does not count. (The message's own iterator closes the connection when it is left early, so that the client would
   * never read the answer.)
   */
  async *#pieces(): AsyncGenerator<Buffer, void, undefined> {
    const { progressBytes, progressMilliseconds } = this.#limits;
    let waitMilliseconds = progressMilliseconds;
    let bytes = 0;
    for (;;) {
      const piece: Buffer | null = this.#message.read();
      if (piece !== null) {
        bytes += piece.byteLength;
        if (bytes >= progressBytes) {
          waitMilliseconds = progressMilliseconds;
          bytes = 0;
        }
        yield piece;
      } else {
        if (this.#message.complete) return;
        if (this.#message.destroyed) throw new ClientGone('the client closed the connection');
        const start = performance.now();
        await this.#readable(waitMilliseconds);
        waitMilliseconds = Math.max(waitMilliseconds - (performance.now() - start), 1);
      }
    }
  }

  async #readable(waitMilliseconds: number): Promise<void> {
    const patience = new AbortController();
    const timer = setTimeout(() => patience.abort(), waitMilliseconds);
    try {
      await once(this.#message, 'readable', { signal: patience.signal });
    } catch (cause) {
      if (patience.signal.aborted) throw tooSlow(this.#limits);
      throw new ClientGone('the client closed the connection', { cause });
    } finally {
      clearTimeout(timer);
    }
  }
}

export function tooLarge({ uploadBytesMax }: ServerLimits): Refusal {
  return new Refusal(413, `Upload too large: the limit is ${uploadBytesMax} bytes.`);
}

function tooSlow({ progressBytes, progressMilliseconds }: ServerLimits): Refusal {
  return new Refusal(408, `Upload too slow: less than ${progressBytes} bytes in ${progressMilliseconds / 1000} s.`);
}

export function emptyUpload(): Refusal {
  return new Refusal(400, 'The upload is empty: send the package as the request body.');
}
