/** Where a package's bytes come from, and the windows in which they are asked for. */

import { packageLimits } from './limits.ts';
import { MalformedPackage } from './malformed-package.ts';

/** One fixed version of a stored package, readable anywhere. Every adapter ties its ranges to the ETag that was seen. */
export interface PackageSource {
  /** Bytes. */
  readonly size: number;
  /** Exactly the bytes `offset … offset + length - 1`, all of which exist. Throws what the store throws. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

export interface HeadedSource extends PackageSource {
  /** Bytes of the first range, which is asked for once. */
  readonly headBytes: number;
}

/** Keeps the first range, so that looking for the container and reading the package within it cost one request, not two. */
export function withHead(source: PackageSource): HeadedSource {
  let head: Promise<Uint8Array> | undefined;
  const { firstRangeBytes, wholeBytesMax } = packageLimits;
  const headBytes = source.size <= wholeBytesMax ? source.size : firstRangeBytes;
  return {
    size: source.size,
    headBytes,
    read(offset, length) {
      if (offset + length > headBytes) return source.read(offset, length);
      head ??= source.read(0, headBytes);
      return head.then((bytes) => bytes.subarray(offset, offset + length));
    },
  };
}

/**
 * The bytes from `start` up to `end` in windows that are asked for only as far as they are consumed: the head first (what `withHead` already
 * has, where the package begins within it); then the window grows fourfold.
 */
export class RangeStream implements AsyncIterable<Uint8Array> {
  /** Offset in the file of the first byte that has not been asked for. */
  fetchedTo: number;
  /** Offset in the file of the first byte that the stream has not given. */
  takenTo: number;
  readonly #source: HeadedSource;
  readonly #start: number;
  readonly #end: number;
  #windowBytes: number;
  /** Those that were asked for ahead of the stream. */
  readonly #ahead: Uint8Array[] = [];

  constructor(source: HeadedSource, start: number, end: number) {
    this.#source = source;
    this.#windowBytes = source.headBytes;
    this.#start = start;
    this.#end = end;
    this.fetchedTo = start;
    this.takenTo = start;
  }

  /**
   * For looking at the first windows before the stream is consumed, or instead of it.
   * @returns everything from the start up to the end of one more window.
   */
  async lookAhead(): Promise<Uint8Array> {
    const next = await this.#fetch();
    const before = this.#ahead.at(0);
    this.#ahead.push(next);
    return before === undefined ? next : Buffer.concat(this.#ahead);
  }

  /** @throws {MalformedPackage} too-large. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      const bytes = this.#ahead.shift() ?? (this.fetchedTo < this.#end ? await this.#fetch() : undefined);
      if (bytes === undefined) return;
      this.takenTo += bytes.length;
      yield bytes;
    }
  }

  async #fetch(): Promise<Uint8Array> {
    const { rangeGrowthFactor, rangeBytesMax, compressedBytesMax } = packageLimits;
    const origin = this.#start < this.#source.headBytes ? 0 : this.#start;
    const limit = this.#start + compressedBytesMax;
    const offset = this.fetchedTo;
    if (offset >= limit)
      throw new MalformedPackage(
        'too-large',
        `expected the metadata within the first ${compressedBytesMax} bytes of the package, found no end of it`,
        offset,
      );
    const end = Math.min(origin + this.#windowBytes, offset + rangeBytesMax, this.#end, limit);
    const bytes = await this.#source.read(offset, end - offset);
    this.fetchedTo = end;
    this.#windowBytes *= rangeGrowthFactor;
    return bytes;
  }
}
