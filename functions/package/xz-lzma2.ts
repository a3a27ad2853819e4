/**
 * The compressed data of an xz block (LZMA2), decoded by xz-decompress (xz-embedded in WebAssembly).
 *
 * That library reads whole xz streams, but not every check and no filter, and only one stream at a time in a process. So each decoder
 * here has an instance of its own, and gets a stream without checks and filters around the data.
 */

import { crc32 } from 'node:zlib';
import xzDecompress from 'xz-decompress';

/** The functions and the memory of the library's WebAssembly module. */
interface Decoder {
  readonly memory: { readonly buffer: ArrayBuffer };
  create_context(): number;
  supply_input(context: number, bytes: number): void;
  get_next_output(context: number): number;
}

/** What the library's class has, but does not declare. Its version is pinned. */
interface Library {
  _getModuleInstance(): Promise<void>;
  readonly _moduleInstance: { readonly exports: Decoder };
}

/** Words of a context: the size of both buffers; and of input and output the place, the position and the size. */
const words = { bufferBytes: 0, input: 1, inputPosition: 2, inputBytes: 3, output: 4, outputPosition: 5 } as const;

/** The results of the decoder (xz-embedded, xz.h). */
const results = { ok: 0, streamEnd: 1 } as const;

/** Encoded sizes: 64 MiB, which the decoder supports and which is more than is read of a package; and 768 MiB, which libarchive supports. */
const dictionaryMax = { decoder: 28, package: 35 } as const;

export class Lzma2Decoder {
  readonly #decoder: Decoder;
  readonly #context: number;

  private constructor(decoder: Decoder) {
    this.#decoder = decoder;
    this.#context = decoder.create_context();
    const flags = Buffer.alloc(2);
    this.#feed(Buffer.concat([Buffer.from('\xfd7zXZ\0', 'latin1'), flags, sumOf(flags)]));
  }

  static async create(): Promise<Lzma2Decoder> {
    const library = xzDecompress.XzReadableStream as unknown as Library;
    await library._getModuleInstance();
    return new Lzma2Decoder(library._moduleInstance.exports);
  }

  /** @param dictionary its size, as the header of the block has it. */
  startBlock(dictionary: number): void {
    if (dictionary > dictionaryMax.package)
      throw new Error('a dictionary of more than 768 MiB, which is not supported');
    const size = Math.min(dictionary, dictionaryMax.decoder);
    const header = Buffer.from([2, 0, 0x21, 1, size, 0, 0, 0]);
    this.#feed(Buffer.concat([header, sumOf(header)]));
  }

  /** @param padding bytes that bring the compressed data to a multiple of four. */
  endBlock(padding: number): void {
    this.#feed(Buffer.alloc(padding));
  }

  *decode(bytes: Uint8Array): Generator<Uint8Array> {
    const bufferBytes = this.#word(words.bufferBytes);
    for (let start = 0; start < bytes.length; start += bufferBytes) {
      const piece = bytes.subarray(start, start + bufferBytes);
      new Uint8Array(this.#decoder.memory.buffer, this.#word(words.input)).set(piece);
      this.#decoder.supply_input(this.#context, piece.length);
      for (let isFull = true; isFull || this.#word(words.inputPosition) < this.#word(words.inputBytes); ) {
        const result = this.#decoder.get_next_output(this.#context);
        if (result !== results.ok && result !== results.streamEnd) throw new Error('damaged data');
        const outputBytes = this.#word(words.outputPosition);
        isFull = outputBytes === bufferBytes;
        if (outputBytes === 0) continue;
        const output = new Uint8Array(this.#decoder.memory.buffer, this.#word(words.output), outputBytes).slice();
        this.#words()[words.outputPosition] = 0;
        yield output;
      }
    }
  }

  #feed(bytes: Uint8Array): void {
    for (const output of this.decode(bytes)) if (output.length > 0) throw new Error('damaged data');
  }

  #word(index: number): number {
    return this.#words()[index] ?? 0;
  }

  /** A new view each time: the memory moves when it grows. */
  #words(): Uint32Array {
    return new Uint32Array(this.#decoder.memory.buffer, this.#context, 6);
  }
}

/** Finds the end of LZMA2 data by the sizes of its chunks. */
export class Lzma2Scanner {
  isComplete = false;
  compressedBytes = 0;
  uncompressedBytes = 0;
  #header: number[] = [];
  #chunkBytesLeft = 0;

  /** @returns how many of the bytes belong to the data. */
  scan(bytes: Uint8Array): number {
    let at = 0;
    while (at < bytes.length && !this.isComplete) {
      if (this.#chunkBytesLeft > 0) {
        const skipped = Math.min(this.#chunkBytesLeft, bytes.length - at);
        this.#chunkBytesLeft -= skipped;
        at += skipped;
      } else {
        this.#header.push(bytes[at] ?? 0);
        at += 1;
        this.#readHeader();
      }
    }
    this.compressedBytes += at;
    return at;
  }

  #readHeader(): void {
    const [control = 0, high = 0, low = 0, dataHigh = 0, dataLow = 0] = this.#header;
    if (control > 2 && control < 0x80) throw new Error('damaged data');
    const isCompressed = control >= 0x80;
    const hasProperties = control >= 0xc0;
    const headerBytes = isCompressed ? 5 + Number(hasProperties) : 3;
    if (control === 0) this.isComplete = true;
    else if (this.#header.length < headerBytes) return;
    else {
      const bytes = 256 * high + low + 1;
      this.uncompressedBytes += isCompressed ? (control & 0x1f) * 65_536 + bytes : bytes;
      this.#chunkBytesLeft = isCompressed ? 256 * dataHigh + dataLow + 1 : bytes;
    }
    this.#header = [];
  }
}

function sumOf(bytes: Uint8Array): Buffer {
  const sum = Buffer.alloc(4);
  sum.writeUInt32LE(crc32(bytes));
  return sum;
}
