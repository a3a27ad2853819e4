/**
 * xz by xz-decompress (WebAssembly), which decodes a single stream and does not tell where it ended. A file may hold several:
 * the input is cut where one stream's footer (`YZ`) or padding is followed by the next one's header. Source: the .xz file
 * format 1.2, sections 2.1.1, 2.1.2 and 2.2.
 */

import xzDecompress from 'xz-decompress';

const headerMagic = Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]);
const footerMagic = 'YZ';
const padding = '\0\0';

/** @throws {Error} for corrupt data, and with the message `unexpected end of xz data` where the input is cut. */
export async function* unxz(compressed: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const input = new StreamSplitter(compressed);
  do yield* decodeStream(input);
  while (await input.nextStream());
}

async function* decodeStream(input: StreamSplitter): AsyncGenerator<Uint8Array> {
  let isInputAtEnd = false;
  const bytes = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const piece = await input.nextPiece();
        if (piece !== undefined) return controller.enqueue(piece);
        isInputAtEnd = true;
        controller.close();
      },
    },
    { highWaterMark: 0 },
  );
  const reader = new xzDecompress.XzReadableStream(bytes).getReader();
  try {
    for (;;) {
      const next = await reader.read();
      if (next.done) return;
      if (next.value.length > 0) yield next.value;
    }
  } catch (error) {
    throw isInputAtEnd ? new Error('unexpected end of xz data') : error;
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/** Hands out the input a stream at a time. */
class StreamSplitter {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #held: Buffer = Buffer.alloc(0);
  #lastTwo = '';
  #isAtBoundary = false;
  #hasEnded = false;

  constructor(compressed: AsyncIterable<Uint8Array>) {
    this.#chunks = compressed[Symbol.asyncIterator]();
  }

  /** Undefined at the stream's end. */
  async nextPiece(): Promise<Uint8Array | undefined> {
    while (!this.#isAtBoundary) {
      const boundary = this.#findBoundary();
      // The last bytes may be the beginning of a header that the next chunk completes.
      const upTo = boundary ?? (this.#hasEnded ? this.#held.length : this.#held.length - (headerMagic.length - 1));
      this.#isAtBoundary = boundary !== undefined;
      if (upTo > 0) return this.#take(upTo);
      if (this.#hasEnded) return undefined;
      const next = await this.#chunks.next();
      if (next.done === true) this.#hasEnded = true;
      else this.#held = Buffer.concat([this.#held, next.value]);
    }
    return undefined;
  }

  /** Moves on to the next stream, over whatever the decoder left of this one; false where there is none. */
  async nextStream(): Promise<boolean> {
    while ((await this.nextPiece()) !== undefined);
    if (!this.#isAtBoundary) return false;
    this.#isAtBoundary = false;
    this.#lastTwo = '';
    return true;
  }

  #findBoundary(): number | undefined {
    for (let at = this.#held.indexOf(headerMagic); at !== -1; at = this.#held.indexOf(headerMagic, at + 1)) {
      const before = (this.#lastTwo + this.#held.toString('latin1', Math.max(0, at - 2), at)).slice(-2);
      if (before === footerMagic || before === padding) return at;
    }
    return undefined;
  }

  #take(bytes: number): Buffer {
    const piece = this.#held.subarray(0, bytes);
    this.#held = this.#held.subarray(bytes);
    this.#lastTwo = (this.#lastTwo + piece.toString('latin1', Math.max(0, bytes - 2))).slice(-2);
    return piece;
  }
}
