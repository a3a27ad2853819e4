/**
 * Decodes bzip2 with seek-bzip, which needs all input at once; a block of bzip2 (up to 900 KB) gives no output before it is
 * complete. So we decode a stream from its start again each time the input has doubled or the output limit has grown
 * fourfold: a constant factor more work, and it needs nothing of the decoder's internals.
 */

import Bunzip from 'seek-bzip';
import type { ByteReader } from './byte-reader.ts';
import { packageLimits } from './limits.ts';

/** Metadata is nearly always shorter. A bomb comes out in pieces, so that the caller can stop it. */
const firstOutputBytes = 1024 * 1024;

/** @throws {Error} for corrupt data, and with the message `unexpected end of bzip2 data` where the input ends early. */
export async function* bunzip(compressed: ByteReader): AsyncGenerator<Uint8Array> {
  let input: Buffer = Buffer.alloc(0);
  let hasEnded = false;
  const doubleInput = async () => {
    const goal = 2 * input.length;
    do {
      const next = await compressed.some();
      hasEnded = next === undefined;
      if (next !== undefined) input = Buffer.concat([input, next]);
    } while (!hasEnded && input.length < goal);
  };

  await doubleInput();
  if (!startsStream(input)) throw new Error('not a bzip2 header');
  let yielded = 0;
  let streams = 0;
  let outputBytesMax = firstOutputBytes;
  while (startsStream(input)) {
    const { output, end } = decodeStream(input, outputBytesMax);
    if (output.length > yielded) yield output.subarray(yielded);
    yielded = output.length;
    if (end.cause === 'corrupt') throw end.error;
    if (end.cause === 'output') outputBytesMax *= 4;
    if (end.cause === 'input') {
      if (hasEnded) throw new Error('unexpected end of bzip2 data');
      await doubleInput();
    }
    if (end.cause === 'stream') {
      input = input.subarray(end.consumedBytes);
      yielded = 0;
      streams += 1;
      while (!hasEnded && input.length < 4) await doubleInput();
      if (streams === packageLimits.streamsMax && startsStream(input)) throw new Error(`more than ${streams} streams`);
    }
  }
}

/** Bytes after the last stream that do not start another are ignored, as libarchive does. */
function startsStream(input: Buffer): boolean {
  return /^BZh[1-9]/.test(input.toString('latin1', 0, 4));
}

/** Why decoding stopped: end of the stream, end of the input, output limit, or corrupt data. */
type StreamEnd =
  | { readonly cause: 'stream'; readonly consumedBytes: number }
  | { readonly cause: 'input' | 'output' }
  | { readonly cause: 'corrupt'; readonly error: unknown };

function decodeStream(input: Buffer, outputBytesMax: number): { readonly output: Buffer; readonly end: StreamEnd } {
  const outOfInput = new Error('out of input');
  const outOfOutput = new Error('output limit reached');
  let position = 0;
  let output = Buffer.alloc(64 * 1024);
  let length = 0;
  const readByte = () => {
    const byte = input[position];
    if (byte === undefined) throw outOfInput;
    position += 1;
    return byte;
  };
  const source = {
    readByte,
    read(target: Uint8Array, offset: number, count: number) {
      for (let index = 0; index < count; index += 1) target[offset + index] = readByte();
      return count;
    },
  };
  const sink = {
    writeByte(byte: number) {
      if (length === outputBytesMax) throw outOfOutput;
      if (length === output.length) output = Buffer.concat([output], Math.min(4 * length, outputBytesMax));
      output[length] = byte;
      length += 1;
    },
  };
  let end: StreamEnd;
  try {
    Bunzip.decode(source, sink);
    end = { cause: 'stream', consumedBytes: position };
  } catch (error) {
    if (error === outOfInput) end = { cause: 'input' };
    else if (error === outOfOutput) end = { cause: 'output' };
    else end = { cause: 'corrupt', error };
  }
  return { output: output.subarray(0, length), end };
}
