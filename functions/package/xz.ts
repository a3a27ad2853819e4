/**
 * xz by xz-decompress (WebAssembly), which decodes a single stream and does not tell where it ended. A file may hold several:
 * the input is cut where a stream's footer, padding or not, is followed by the next one's header. Source: the .xz file format
 * 1.2, sections 2.1.1, 2.1.2 and 2.2.
 */

import { crc32 } from 'node:zlib';
import xzDecompress from 'xz-decompress';
import { packageLimits } from '../limits.ts';

const headerMagic = Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]);
const footerMagic = 'YZ';
const footerBytes = 12;

/** What is kept of the input before a header: a footer and the padding, of which there is hardly ever any. */
const tailBytesMax = 1_024;

/** What the decoder's results mean (xz-embedded, xz.h). */
const decoderErrors: ReadonlyMap<string, string> = new Map([
  ['4', 'a dictionary of more than 64 MiB, which is not supported'],
  ['5', 'no xz header'],
  ['6', 'a filter or a check that is not supported'],
  ['7', 'damaged data'],
]);

/** @throws {Error} for corrupt data, and with the message `unexpected end of xz data` where the input is cut. */
export async function* unxz(compressed: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const input = new StreamSplitter(compressed);
  for (let streams = 1; ; streams += 1) {
    yield* decodeStream(input);
    if (!(await input.nextStream())) return;
    if (streams === packageLimits.streamsMax) throw new Error(`more than ${streams} streams`);
  }
}

async function* decodeStream(input: StreamSplitter): AsyncGenerator<Uint8Array> {
  let isInputAtEnd = false;
  // The decoder runs ahead of its reader. It gets no input before it is needed.
  let needed = Promise.withResolvers<void>();
  const bytes = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        await needed.promise;
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
      needed.resolve();
      const next = await reader.read();
      if (next.done) return;
      needed = Promise.withResolvers();
      if (next.value.length > 0) yield next.value;
    }
  } catch (error) {
    const code = /error code (\d+)$/.exec((error as Error).message)?.[1] ?? '';
    const meaning = decoderErrors.get(code) ?? (isInputAtEnd ? 'unexpected end of xz data' : undefined);
    throw meaning === undefined ? error : new Error(meaning, { cause: error });
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/** Hands out the input a stream at a time. */
class StreamSplitter {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #held: Buffer = Buffer.alloc(0);
  /** The last bytes of this stream that were handed out. */
  #tail: Buffer = Buffer.alloc(0);
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
    this.#tail = Buffer.alloc(0);
    return true;
  }

  #findBoundary(): number | undefined {
    for (let at = this.#held.indexOf(headerMagic); at !== -1; at = this.#held.indexOf(headerMagic, at + 1)) {
      if (endsStream(this.#tailWith(this.#held.subarray(0, at)))) return at;
    }
    return undefined;
  }

  #take(bytes: number): Buffer {
    const piece = this.#held.subarray(0, bytes);
    this.#held = this.#held.subarray(bytes);
    this.#tail = this.#tailWith(piece);
    return piece;
  }

  #tailWith(piece: Buffer): Buffer {
    return Buffer.concat([this.#tail, piece.subarray(-tailBytesMax)]).subarray(-tailBytesMax);
  }
}

/** A footer carries the sum of what is in it; data that only looks like one (an .xz file in the package) does not pass. */
function endsStream(bytes: Buffer): boolean {
  const end = bytes.findLastIndex((byte) => byte !== 0) + 1;
  const footer = bytes.subarray(Math.max(0, end - footerBytes), end);
  if (footer.length < footerBytes || footer.toString('latin1', 10) !== footerMagic) return false;
  return crc32(footer.subarray(4, 10)) === footer.readUInt32LE(0);
}
