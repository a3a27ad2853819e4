/**
 * Compressed bytes → the bytes of the tar archive. The format is detected by content, never by suffix: gzip (several members),
 * bzip2 and xz (several streams), zstd (several frames), or none. Each decoder asks for more input only after all its output
 * has been consumed, so that nothing is downloaded that is not needed.
 */

import {
  constants,
  createGunzip,
  createZstdDecompress,
  type Gunzip,
  gunzipSync,
  type ZstdDecompress,
  zstdDecompressSync,
} from 'node:zlib';
import { bunzip } from './bzip2.ts';
import { type Compression, describeFormat, detectCompression, detectionBytes, isTarHeader } from './formats.ts';
import { packageLimits } from './limits.ts';
import { MalformedPackage } from './malformed-package.ts';
import { unxz } from './xz.ts';

/** Most package heads inflate to less than this, so zlib returns them in one chunk. */
const headChunkBytes = 64 * 1024;

export interface Decompressed {
  /** Undefined where the file is an uncompressed tar archive. */
  readonly compression: Compression | undefined;
  readonly archive: AsyncGenerator<Uint8Array>;
}

/**
 * @param compressed the bytes of the package.
 * @param start offset of the first of them in the file, for messages.
 * @throws {MalformedPackage} not-a-package here; truncated or corrupt-compression from `archive`.
 */
export async function decompress(compressed: AsyncIterable<Uint8Array>, start: number): Promise<Decompressed> {
  const chunks = compressed[Symbol.asyncIterator]();
  const head = await readHead(chunks);
  const input = new PackageInput(head, chunks, start);
  const compression = detectCompression(head);
  if (compression !== undefined) return { compression, archive: decoded(compression, input) };
  if (isTarHeader(head)) return { compression, archive: input[Symbol.asyncIterator]() };
  const found = describeFormat(head);
  throw new MalformedPackage('not-a-package', `expected a gzip, bzip2, xz, zstd or tar file, found ${found}`, start);
}

/**
 * Inflates the first bytes of gzip and zstd synchronously, which takes a fifth of the time of a stream.
 *
 * @param isComplete these are all bytes of the package.
 * @returns undefined for everything that needs `decompress`: another format, damage, several zstd frames, or more than
 *   `ratioFreeBytes` of output.
 */
export function decompressHead(
  compression: Compression | undefined,
  head: Uint8Array,
  isComplete: boolean,
): Buffer | undefined {
  const limits = { maxOutputLength: packageLimits.ratioFreeBytes, chunkSize: headChunkBytes };
  try {
    switch (compression) {
      case 'gzip':
        return gunzipSync(head, { ...limits, finishFlush: isComplete ? constants.Z_FINISH : constants.Z_SYNC_FLUSH });
      case 'zstd': {
        const finishFlush = isComplete ? constants.ZSTD_e_end : constants.ZSTD_e_flush;
        const { buffer, engine } = zstdDecompressSync(head, {
          ...limits,
          finishFlush,
          info: true,
        }) as unknown as Decoded;
        return engine.bytesWritten === head.length ? buffer : undefined;
      }
      default:
        return undefined;
    }
  } catch {
    // `decompress` meets the same fault and reports it.
    return undefined;
  }
}

/** What the functions of zlib return for `info: true`. */
interface Decoded {
  readonly buffer: Buffer;
  readonly engine: { readonly bytesWritten: number };
}

async function readHead(chunks: AsyncIterator<Uint8Array>): Promise<Uint8Array> {
  const head: Uint8Array[] = [];
  for (let bytes = 0; bytes < detectionBytes; ) {
    const next = await chunks.next();
    if (next.done === true) break;
    head.push(next.value);
    bytes += next.value.length;
  }
  return head.length === 1 && head[0] !== undefined ? head[0] : Buffer.concat(head);
}

/** Counts the bytes consumed, and keeps an error of the store apart from errors of the package. */
class PackageInput implements AsyncIterable<Uint8Array> {
  /** File offset of the first byte that has not been consumed. */
  offset: number;
  failure: { readonly error: unknown } | undefined;
  readonly #head: Uint8Array;
  readonly #rest: AsyncIterator<Uint8Array>;

  constructor(head: Uint8Array, rest: AsyncIterator<Uint8Array>, start: number) {
    this.#head = head;
    this.#rest = rest;
    this.offset = start;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    this.offset += this.#head.length;
    yield this.#head;
    for (;;) {
      const next = await this.#take();
      if (next.done === true) return;
      this.offset += next.value.length;
      yield next.value;
    }
  }

  async #take(): Promise<IteratorResult<Uint8Array>> {
    try {
      return await this.#rest.next();
    } catch (error) {
      this.failure = { error };
      throw error;
    }
  }
}

/** An error of the decoder means that the package is bad; an error of the input means that reading failed. */
async function* decoded(compression: Compression, input: PackageInput): AsyncGenerator<Uint8Array> {
  try {
    yield* decoders[compression](input);
  } catch (error) {
    if (input.failure !== undefined) throw input.failure.error;
    const { message } = error as Error;
    const isCut = message.startsWith('unexpected end');
    throw isCut
      ? new MalformedPackage('truncated', `expected more ${compression} data, found the end`, input.offset)
      : new MalformedPackage(
          'corrupt-compression',
          `expected sound ${compression} data, found: ${message}`,
          input.offset,
        );
  }
}

const decoders: Record<Compression, (input: PackageInput) => AsyncIterable<Uint8Array>> = {
  gzip: gunzip,
  zstd: unzstd,
  xz: unxz,
  bzip2: bunzip,
};

/**
 * Decodes all members and ignores zeros after the last one. Other bytes there make the decoder of Node fail and drop what it
 * has decoded, so such a package is refused if reading gets that far. libarchive accepts it.
 */
async function* gunzip(input: PackageInput): AsyncGenerator<Uint8Array> {
  yield* decodeStream(createGunzip(), new Uint8Array(), input[Symbol.asyncIterator]());
}

/** The decoder of Node stops where a frame ends within a chunk; the rest goes to a new decoder. */
async function* unzstd(input: PackageInput): AsyncGenerator<Uint8Array> {
  const chunks = input[Symbol.asyncIterator]();
  let rest: Uint8Array = new Uint8Array();
  for (let frames = 1; ; frames += 1) {
    rest = yield* decodeStream(createZstdDecompress(), rest, chunks);
    if (rest.length === 0) return;
    if (frames === packageLimits.streamsMax) throw new Error(`more than ${frames} frames`);
  }
}

/**
 * Decodes `first` and then the chunks, and takes each chunk only when it is needed.
 * @returns the rest of the chunk in which the compressed data ended; empty if the input ended too.
 */
async function* decodeStream(
  decoder: Gunzip | ZstdDecompress,
  first: Uint8Array,
  chunks: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, Uint8Array> {
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
    for (let chunk = first; ; ) {
      const takenBefore = decoder.bytesWritten;
      let isWritten = chunk.length === 0;
      if (!isWritten)
        decoder.write(chunk, () => {
          isWritten = true;
          wake();
        });
      yield* output(() => isWritten);
      const taken = decoder.bytesWritten - takenBefore;
      if (taken < chunk.length) return chunk.subarray(taken);
      const next = await chunks.next();
      if (next.done === true) break;
      chunk = next.value;
    }
    decoder.end();
    yield* output(() => decoder.readableEnded);
    return new Uint8Array();
  } finally {
    decoder.destroy();
  }
}
