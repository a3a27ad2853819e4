/** Decodes xz with xz-decompress (WebAssembly), which supports several streams with padding between them. */

import xzDecompress from 'xz-decompress';

/** The error codes of the decoder (xz-embedded, xz.h). */
const decoderErrors: ReadonlyMap<string, string> = new Map([
  ['4', 'a dictionary of more than 64 MiB, which is not supported'],
  ['5', 'no xz header'],
  ['6', 'a filter or a check that is not supported'],
  ['7', 'damaged data'],
  ['8', 'unexpected end of xz data'],
]);

/** @throws {Error} for corrupt data, and with the message `unexpected end of xz data` where the input ends early. */
export async function* unxz(compressed: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const chunks = compressed[Symbol.asyncIterator]();
  // The decoder reads ahead, so hold its input back until output is needed.
  let needed = Promise.withResolvers<void>();
  const input = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        await needed.promise;
        const next = await chunks.next();
        if (next.done === true) controller.close();
        else controller.enqueue(next.value);
      },
    },
    { highWaterMark: 0 },
  );
  const reader = new xzDecompress.XzReadableStream(input).getReader();
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
    const meaning = decoderErrors.get(code);
    throw meaning === undefined ? error : new Error(meaning, { cause: error });
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
