/**
 * Decodes xz files (the .xz file format, 1.1.0): several streams with padding, all checks, and the filters of xz-filters.ts. xz-lzma2.ts
 * decodes the compressed data of each block.
 */

import { crc32 } from 'node:zlib';
import type { ByteReader } from './byte-reader.ts';
import { packageLimits } from './limits.ts';
import { type XzCheck, xzCheck, xzCheckBytes } from './xz-checks.ts';
import { createFilter, type XzFilter } from './xz-filters.ts';
import { Lzma2Decoder, Lzma2Scanner } from './xz-lzma2.ts';

const headerMagic = '\xfd7zXZ\0';
const footerMagic = 'YZ';
/** Of a stream header, and of a footer. */
const endBytes = 12;
const lzma2Id = 0x21;

/** @throws {Error} for corrupt data, and with the message `unexpected end of xz data` where the input ends early. */
export async function* unxz(input: ByteReader): AsyncGenerator<Uint8Array> {
  const decoder = await Lzma2Decoder.create();
  let streams = 0;
  do {
    if (streams === packageLimits.streamsMax) throw new Error(`more than ${streams} streams`);
    yield* decodeStream(input, decoder);
    streams += 1;
  } while (await skipPadding(input));
}

async function* decodeStream(input: ByteReader, decoder: Lzma2Decoder): AsyncGenerator<Uint8Array> {
  const header = await take(input, endBytes);
  if (text(header.subarray(0, 6)) !== headerMagic) throw new Error('no xz header');
  const flags = header.subarray(6, 8);
  const checkType = (flags[1] ?? 0) & 0x0f;
  if (crc32(flags) !== uint32(header, 8)) throw damaged();
  if (flags[0] !== 0 || flags[1] !== checkType) throw new Error('an xz header of an unknown version');
  const records: Buffer[] = [];
  for (;;) {
    const size = await take(input, 1);
    if (size[0] === 0) break;
    if (records.length === packageLimits.xzBlocksMax) throw new Error(`more than ${records.length} blocks`);
    const block = await readBlockHeader(input, size);
    const { compressedBytes, uncompressedBytes } = yield* decodeBlock(input, decoder, block, checkType);
    const unpaddedBytes = block.headerBytes + compressedBytes + xzCheckBytes(checkType);
    records.push(Buffer.concat([encodeNumber(unpaddedBytes), encodeNumber(uncompressedBytes)]));
  }
  await checkEnd(input, records, flags);
}

interface Block {
  readonly headerBytes: number;
  /** Undefined where the header does not tell. */
  readonly compressedBytes: number | undefined;
  readonly uncompressedBytes: number | undefined;
  /** In the order in which the decoder applies them. */
  readonly filters: readonly XzFilter[];
  /** The size of the dictionary, encoded. */
  readonly dictionary: number;
}

async function readBlockHeader(input: ByteReader, sizeByte: Uint8Array): Promise<Block> {
  const headerBytes = 4 * ((sizeByte[0] ?? 0) + 1);
  const header = Buffer.concat([sizeByte, await take(input, headerBytes - 1)]);
  if (crc32(header.subarray(0, -4)) !== uint32(header, headerBytes - 4)) throw damaged();
  const flags = header[1] ?? 0;
  const fields = new NumberReader(header.subarray(2, -4));
  const compressedBytes = flags & 0x40 ? fields.number() : undefined;
  const uncompressedBytes = flags & 0x80 ? fields.number() : undefined;
  const filters = Array.from({ length: (flags & 0x03) + 1 }, () => {
    const id = fields.number();
    return { id, properties: fields.bytes(fields.number()) };
  });
  const last = filters.pop();
  const isKnown = (flags & 0x3c) === 0 && last?.id === lzma2Id && last.properties.length === 1;
  if (!isKnown || fields.rest.some((byte) => byte !== 0)) throw new Error('an xz filter that is not supported');
  return {
    headerBytes,
    compressedBytes,
    uncompressedBytes,
    filters: filters.reverse().map(({ id, properties }) => createFilter(id, properties)),
    dictionary: last.properties[0] ?? 0,
  };
}

async function* decodeBlock(
  input: ByteReader,
  decoder: Lzma2Decoder,
  block: Block,
  checkType: number,
): AsyncGenerator<Uint8Array, Lzma2Scanner> {
  const scanner = new Lzma2Scanner();
  const check = xzCheck(checkType);
  decoder.startBlock(block.dictionary);
  while (!scanner.isComplete) {
    const bytes = await input.some();
    if (bytes === undefined) throw endOfData();
    const end = scanner.scan(bytes);
    input.unread(bytes.subarray(end));
    for (const output of decoder.decode(bytes.subarray(0, end))) yield* checked(filtered(block.filters, output), check);
  }
  yield* checked(filtered(block.filters), check);
  const padding = await take(input, -scanner.compressedBytes & 3);
  decoder.endBlock(padding.length);
  const { compressedBytes = scanner.compressedBytes, uncompressedBytes = scanner.uncompressedBytes } = block;
  const isSize = compressedBytes === scanner.compressedBytes && uncompressedBytes === scanner.uncompressedBytes;
  const stored = await take(input, xzCheckBytes(checkType));
  const sum = check?.digest();
  if (!isSize || padding.some((byte) => byte !== 0) || (sum !== undefined && !sum.equals(stored))) throw damaged();
  return scanner;
}

/** @param bytes undefined: the block ends. */
function filtered(filters: readonly XzFilter[], bytes?: Uint8Array): Uint8Array {
  let output = bytes;
  for (const filter of filters) {
    const start = output === undefined ? new Uint8Array() : filter.push(output);
    output = bytes === undefined ? Buffer.concat([start, filter.end()]) : start;
  }
  return output ?? new Uint8Array();
}

function* checked(bytes: Uint8Array, check: XzCheck | undefined): Generator<Uint8Array> {
  check?.update(bytes);
  if (bytes.length > 0) yield bytes;
}

/** The index repeats the sizes of all blocks, and the footer the size of the index. */
async function checkEnd(input: ByteReader, records: readonly Buffer[], flags: Uint8Array): Promise<void> {
  const index = Buffer.concat([Buffer.alloc(1), encodeNumber(records.length), ...records]);
  const padded = Buffer.concat([index], 4 * Math.ceil(index.length / 4));
  const found = await take(input, padded.length - 1 + 4);
  const isIndex = padded.subarray(1).equals(found.subarray(0, -4)) && uint32(found, found.length - 4) === crc32(padded);
  const footer = await take(input, endBytes);
  const isFooter =
    uint32(footer, 0) === crc32(footer.subarray(4, 10)) &&
    4 * (uint32(footer, 4) + 1) === padded.length + 4 &&
    Buffer.from(flags).equals(footer.subarray(8, 10)) &&
    text(footer.subarray(10)) === footerMagic;
  if (!isIndex || !isFooter) throw damaged();
}

/** @returns whether another stream follows. */
async function skipPadding(input: ByteReader): Promise<boolean> {
  for (let padding = 0; ; ) {
    const bytes = await input.some();
    if (bytes === undefined && padding % 4 !== 0) throw damaged();
    if (bytes === undefined) return false;
    const start = bytes.findIndex((byte) => byte !== 0);
    padding += start === -1 ? bytes.length : start;
    if (start === -1) continue;
    if (padding % 4 !== 0) throw damaged();
    input.unread(bytes.subarray(start));
    return true;
  }
}

/** Numbers of a variable length: seven bits in each byte, the lowest first. */
class NumberReader {
  rest: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.rest = bytes;
  }

  number(): number {
    let number = 0;
    // Seven bytes hold 49 bits. Files of this size are not read.
    for (let place = 0; place < 7; place += 1) {
      const [byte = 0] = this.bytes(1);
      number += (byte & 0x7f) * 2 ** (7 * place);
      if (byte < 0x80) return number;
    }
    throw damaged();
  }

  bytes(count: number): Uint8Array {
    if (count > this.rest.length) throw damaged();
    const bytes = this.rest.subarray(0, count);
    this.rest = this.rest.subarray(count);
    return bytes;
  }
}

function encodeNumber(number: number): Buffer {
  const bytes: number[] = [];
  let rest = number;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) + 0x80);
  return Buffer.from([...bytes, rest]);
}

async function take(input: ByteReader, count: number): Promise<Uint8Array> {
  const bytes = await input.take(count);
  if (bytes.length < count) throw endOfData();
  return bytes;
}

function uint32(bytes: Uint8Array, offset: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(offset, true);
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

function damaged(): Error {
  return new Error('damaged data');
}

function endOfData(): Error {
  return new Error('unexpected end of xz data');
}
