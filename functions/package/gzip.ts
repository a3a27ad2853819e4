/**
 * Decodes gzip (RFC 1952) member by member. Bytes after the last member are ignored, as libarchive does; the decoder of Node would fail on
 * them and lose what it has decoded.
 */

import { crc32, createInflateRaw } from 'node:zlib';
import type { ByteReader } from './byte-reader.ts';
import { packageLimits } from './limits.ts';
import { decodeStream } from './zlib-stream.ts';

const fixedHeaderBytes = 10;
const trailerBytes = 8;

/** FHCRC, FEXTRA, FNAME, FCOMMENT; the upper three bits are reserved. */
const flags = { headerCrc: 2, extra: 4, name: 8, comment: 16, reserved: 0xe0 } as const;

/** @throws {Error} for corrupt data, and with the message `unexpected end of gzip data` where the input ends early. */
export async function* gunzip(input: ByteReader): AsyncGenerator<Uint8Array> {
  for (let members = 0; await skipHeader(input); members += 1) {
    if (members === packageLimits.gzipMembersMax) throw new Error(`more than ${members} members`);
    let sum = 0;
    let length = 0;
    for await (const bytes of decodeStream(createInflateRaw(), input, true)) {
      sum = crc32(bytes, sum);
      length += bytes.length;
      yield bytes;
    }
    await checkTrailer(input, sum, length);
  }
}

/** @returns false, with nothing read, if no member starts here: then the data has ended. libarchive makes the same test. */
async function skipHeader(input: ByteReader): Promise<boolean> {
  const start = await input.peek(fixedHeaderBytes);
  const [first, second, method, flag = 0] = start;
  const isHeader = first === 0x1f && second === 0x8b && method === 8 && (flag & flags.reserved) === 0;
  if (start.length < fixedHeaderBytes || !isHeader) return false;
  await input.take(fixedHeaderBytes);
  if (flag & flags.extra) {
    const [low = 0, high = 0] = await input.take(2);
    await skip(input, low + 256 * high);
  }
  if (flag & flags.name) await skipText(input);
  if (flag & flags.comment) await skipText(input);
  if (flag & flags.headerCrc) await skip(input, 2);
  return true;
}

async function skip(input: ByteReader, count: number): Promise<void> {
  if ((await input.take(count)).length < count) throw endOfData();
}

/** Of any length: nothing of it is kept. */
async function skipText(input: ByteReader): Promise<void> {
  for (;;) {
    const bytes = await input.some();
    if (bytes === undefined) throw endOfData();
    const end = bytes.indexOf(0);
    if (end === -1) continue;
    input.unread(bytes.subarray(end + 1));
    return;
  }
}

async function checkTrailer(input: ByteReader, sum: number, length: number): Promise<void> {
  const trailer = await input.take(trailerBytes);
  if (trailer.length < trailerBytes) throw endOfData();
  const view = new DataView(trailer.buffer, trailer.byteOffset);
  if (view.getUint32(0, true) !== sum) throw new Error('incorrect data check');
  if (view.getUint32(4, true) !== length % 2 ** 32) throw new Error('incorrect length check');
}

function endOfData(): Error {
  return new Error('unexpected end of gzip data');
}
