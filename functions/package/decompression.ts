/**
 * Compressed bytes → the tar archive's bytes, told by content, never by suffix: gzip (several members), bzip2 and xz (several
 * streams), zstd (several frames), or none. Each decoder is pulled: it asks for more input only when all its output has been
 * taken, so that nothing is read that nobody looks at.
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
import { type Compression, describeFormat, looksLikeTar, tellCompression, tellingBytes } from './formats.ts';
import { packageLimits } from './limits.ts';
import { MalformedPackage } from './malformed-package.ts';
import { unxz } from './xz.ts';

/** Most heads inflate to less than this, and are then in one piece. */
const headChunkBytes = 64 * 1024;

export interface Decompressed {
  /** Undefined: the file is the tar archive itself. */
  readonly compression: Compression | undefined;
  readonly archive: AsyncGenerator<Uint8Array>;
}

/**
 * @param compressed the package's bytes; the first one's offset in the file is `start`, for messages.
 * @throws {MalformedPackage} not-a-package here; truncated or corrupt-compression from `archive`.
 */
export async function decompress(compressed: AsyncIterable<Uint8Array>, start: number): Promise<Decompressed> {
  const chunks = compressed[Symbol.asyncIterator]();
  const head = await readHead(chunks);
  const input = new PackageInput(head, chunks, start);
  const compression = tellCompression(head);
  if (compression !== undefined) return { compression, archive: decoded(compression, input) };
  if (looksLikeTar(head)) return { compression, archive: input[Symbol.asyncIterator]() };
  const found = describeFormat(head);
  throw new MalformedPackage('not-a-package', `expected a gzip, bzip2, xz, zstd or tar file, found ${found}`, start);
}

/**
 * The same for the first bytes of gzip and zstd at once, which costs a fifth of what streaming them does.
 *
 * @param isAdopted these are all bytes of the package.
 * @returns undefined where this way does not lead far enough: another format, damage, several zstd frames, or more than
 *   `ratioFreeBytes` come out. `decompress` then finds out what it is.
 */
export function decompressHead(
  compression: Compression | undefined,
  head: Uint8Array,
  isAdopted: boolean,
): Buffer | undefined {
  const limits = { maxOutputLength: packageLimits.ratioFreeBytes, chunkSize: headChunkBytes };
  try {
    switch (compression) {
      case 'gzip':
        return gunzipSync(head, { ...limits, finishFlush: isAdopted ? constants.Z_FINISH : constants.Z_SYNC_FLUSH });
      case 'zstd': {
        const finishFlush = isAdopted ? constants.ZSTD_e_end : constants.ZSTD_e_flush;
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
    // Streaming the same bytes meets the same fault, and tells of it.
    return undefined;
  }
}

/** What zlib's functions give for `info: true`. */
interface Decoded {
  readonly buffer: Buffer;
  readonly engine: { readonly bytesWritten: number };
}

async function readHead(chunks: AsyncIterator<Uint8Array>): Promise<Uint8Array> {
  const head: Uint8Array[] = [];
  for (let bytes = 0; bytes < tellingBytes; ) {
    const next = await chunks.next();
    if (next.done === true) break;
    head.push(next.value);
    bytes += next.value.length;
  }
  return head.length === 1 && head[0] !== undefined ? head[0] : Buffer.concat(head);
}

/** The input, with a count of what was taken and a note of its own failure: a store's error is no fault of the package. */
class PackageInput implements AsyncIterable<Uint8Array> {
  /** File offset of the first byte that was not taken yet. */
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

/** A decoder's own error says that the package is bad; the input's says that reading failed. */
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
 * All members; zeros behind the last one are ignored. Where something else is there, and is looked at, the package is refused,
 * which libarchive does not do: Node's decoder then loses what it has decoded.
 */
async function* gunzip(input: PackageInput): AsyncGenerator<Uint8Array> {
  yield* decodeStream(createGunzip(), new Uint8Array(), input[Symbol.asyncIterator]());
}

/** Node's decoder ends where a frame ends within a chunk: the rest of the chunk, and of the input, is for a new one. */
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
 * Decodes `first` and then the chunks, pulling (see the head of this file).
 * @returns what was left of the chunk in which the decoder found the end; empty where the input ended with it.
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
