/**
 * bzip2 by seek-bzip, which wants all its input at once, while a block of bzip2 (up to 900 KB) says nothing until it is
 * complete. So a stream is decoded from its start again when there is twice the input, or room for four times the output:
 * a constant factor more work, and nothing of the decoder's insides is relied on.
 */

import Bunzip from 'seek-bzip';
import { packageLimits } from './limits.ts';

/** Metadata is nearly always shorter; a bomb is found out a piece at a time. */
const firstOutputBytes = 1024 * 1024;

/** @throws {Error} for corrupt data, and with the message `unexpected end of bzip2 data` where the input is cut. */
export async function* bunzip(compressed: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const chunks = compressed[Symbol.asyncIterator]();
  let input: Buffer = Buffer.alloc(0);
  let hasEnded = false;
  const doubleInput = async () => {
    const goal = 2 * input.length;
    do {
      const next = await chunks.next();
      hasEnded = next.done === true;
      if (next.done !== true) input = Buffer.concat([input, next.value]);
    } while (!hasEnded && input.length < goal);
  };

  await doubleInput();
  if (!beginsStream(input)) throw new Error('not a bzip2 header');
  let given = 0;
  let streams = 0;
  let outputBytesMax = firstOutputBytes;
  while (beginsStream(input)) {
    const { output, end } = decodeStream(input, outputBytesMax);
    if (output.length > given) yield output.subarray(given);
    given = output.length;
    if (end.cause === 'corrupt') throw end.error;
    if (end.cause === 'output') outputBytesMax *= 4;
    if (end.cause === 'input') {
      if (hasEnded) throw new Error('unexpected end of bzip2 data');
      await doubleInput();
    }
    if (end.cause === 'stream') {
      input = input.subarray(end.consumedBytes);
      given = 0;
      streams += 1;
      while (!hasEnded && input.length < 4) await doubleInput();
      if (streams === packageLimits.streamsMax && beginsStream(input)) throw new Error(`more than ${streams} streams`);
    }
  }
}

/** Whatever follows the last stream and does not begin another is ignored, as libarchive does. */
function beginsStream(input: Buffer): boolean {
  return /^BZh[1-9]/.test(input.toString('latin1', 0, 4));
}

/** Why decoding stopped: the stream's end, the input's, no more room for output, or corrupt data. */
type StreamEnd =
  | { readonly cause: 'stream'; readonly consumedBytes: number }
  | { readonly cause: 'input' | 'output' }
  | { readonly cause: 'corrupt'; readonly error: unknown };

function decodeStream(input: Buffer, outputBytesMax: number): { readonly output: Buffer; readonly end: StreamEnd } {
  const outOfInput = new Error('out of input');
  const outOfOutput = new Error('out of room for output');
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
