/**
 * Decompresses an index while it arrives.
 *
 * The browser's own DecompressionStream is of no use here: it refuses a second gzip member, and only few know zstd.
 */

import { Gunzip } from 'fflate';
import { Decompress as Unzstd } from 'fzstd';

type Decoder = (bytes: Uint8Array, isLast: boolean) => void;

/** Enough to tell the formats apart. */
const signatureBytes = 4;

/** Both libraries recurse once for every member or frame of what they are given: the smallest has 9 bytes. */
const pieceBytesMax = 16_384;

export class IndexDecoder {
  readonly #onBytes: (bytes: Uint8Array) => void;
  #decoder: Decoder | undefined;
  #beginning: Uint8Array = new Uint8Array();

  /** @param onBytes gets the summary piece by piece, from within `push` and `end`. */
  constructor(onBytes: (bytes: Uint8Array) => void) {
    this.#onBytes = onBytes;
  }

  /** @throws {Error} where the bytes do not decompress. */
  push(bytes: Uint8Array): void {
    if (this.#decoder !== undefined) {
      this.#decode(this.#decoder, bytes);
      return;
    }
    const beginning = new Uint8Array(this.#beginning.length + bytes.length);
    beginning.set(this.#beginning);
    beginning.set(bytes, this.#beginning.length);
    this.#beginning = beginning;
    if (beginning.length >= signatureBytes) this.#begin();
  }

  /**
   * @throws {Error} where the index is empty, or cut off in a way that its format shows: of gzip not everywhere, so that the
   * end of the summary has to be checked, too.
   */
  end(): void {
    const decoder = this.#decoder ?? this.#begin();
    decoder(new Uint8Array(), true);
  }

  #begin(): Decoder {
    const decoder = decoderFor(this.#beginning, this.#onBytes);
    this.#decode(decoder, this.#beginning);
    this.#decoder = decoder;
    return decoder;
  }

  #decode(decoder: Decoder, bytes: Uint8Array): void {
    for (let offset = 0; offset < bytes.length; offset += pieceBytesMax) {
      decoder(bytes.subarray(offset, offset + pieceBytesMax), false);
    }
  }
}

/** By content: where a server declares a Content-Encoding the browser decompresses, and plain text arrives here. */
function decoderFor(beginning: Uint8Array, onBytes: (bytes: Uint8Array) => void): Decoder {
  const signature = [...beginning.subarray(0, signatureBytes)]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('');
  if (signature === '') throw new Error('expected an index, found a file of no bytes');
  if (signature.startsWith('1f8b')) {
    const gunzip = new Gunzip(onBytes);
    return (bytes, isLast) => gunzip.push(bytes, isLast);
  }
  if (signature === '28b52ffd') {
    const unzstd = new Unzstd(onBytes);
    return (bytes, isLast) => unzstd.push(bytes, isLast);
  }
  return (bytes) => onBytes(bytes);
}
