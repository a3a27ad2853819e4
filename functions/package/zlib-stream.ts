/** Runs a decoder of node:zlib so that it reads only what it needs. */

import type { InflateRaw, ZstdDecompress } from 'node:zlib';
import type { ByteReader } from './byte-reader.ts';

/** A zstd decoder takes this byte in the middle of a frame only: a frame does not begin with it. */
export const notInFrame = Buffer.of(0xff);

/**
 * Decodes up to the end of the compressed data, and leaves what follows in `input`. Takes more input only after all output has been
 * consumed.
 * @param noticesCut whether the decoder notices by itself that data are missing. Node 22 does not for zstd, Node 24 does.
 */
export async function* decodeStream(
  decoder: InflateRaw | ZstdDecompress,
  input: ByteReader,
  noticesCut: boolean,
): AsyncGenerator<Uint8Array> {
  let failure: Error | undefined;
  let wake: () => void = () => undefined;
  decoder.on('error', (error: Error) => {
    failure = error;
    wake();
  });
  for (const event of ['readable', 'end'] as const) decoder.on(event, () => wake());
  async function* output(isOver: () => boolean): AsyncGenerator<Uint8Array> {
    for (;;) {
      const woken = new Promise<void>((resolve) => {
        wake = resolve;
      });
      const chunk: Uint8Array | null = decoder.read();
      if (failure !== undefined) throw failure;
      if (chunk !== null) yield chunk;
      else if (isOver()) return;
      else await woken;
    }
  }
  try {
    for (let chunk = await input.some(); chunk !== undefined; chunk = await input.some()) {
      const takenBefore = decoder.bytesWritten;
      let isWritten = false;
      decoder.write(chunk, () => {
        isWritten = true;
        wake();
      });
      yield* output(() => isWritten);
      const taken = decoder.bytesWritten - takenBefore;
      if (taken === chunk.length) continue;
      // The decoder stops where the compressed data ends within a chunk.
      input.unread(chunk.subarray(taken));
      return;
    }
    if (noticesCut) {
      decoder.end();
      yield* output(() => decoder.readableEnded);
      return;
    }
    if (await takes(decoder, notInFrame)) throw new Error('unexpected end of file');
  } finally {
    decoder.destroy();
  }
}

/** In the middle of a frame it takes anything, or reports what is wrong with it. */
async function takes(decoder: ZstdDecompress, bytes: Uint8Array): Promise<boolean> {
  return await new Promise((resolve) => {
    decoder.once('error', (error: NodeJS.ErrnoException) => resolve(error.code !== 'ZSTD_error_prefix_unknown'));
    decoder.write(bytes, (error) => {
      if (!error) resolve(true);
    });
  });
}
