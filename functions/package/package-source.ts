/** Where the bytes of a package come from, and in which ranges they are read. */

import { packageLimits } from './limits.ts';
import { MalformedPackage } from './malformed-package.ts';

/** One version of a stored package, with random access. Every adapter reads its ranges with If-Match on one ETag. */
export interface PackageSource {
  /** Bytes. */
  readonly size: number;
  /** Reads exactly the bytes `offset … offset + length - 1`, all of which exist. Throws what the store throws. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

export interface HeadedSource extends PackageSource {
  /** Length of the first range, which is requested only once. */
  readonly headBytes: number;
}

/** Keeps the first range, so that detecting the container and reading the package take one request, not two. */
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
 * Streams the bytes from `start` to `end`, and requests each window only when it is needed: first the head (already there in
 * `withHead` if the package starts within it), then windows that grow fourfold.
 */
export class RangeStream implements AsyncIterable<Uint8Array> {
  /** File offset of the first byte that has not been requested. */
  fetchedTo: number;
  /** File offset of the first byte that the stream has not yielded. */
  takenTo: number;
  readonly #source: HeadedSource;
  readonly #start: number;
  readonly #end: number;
  #windowBytes: number;
  /** Windows that were requested before the stream needed them. */
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
   * Requests one more window before the stream needs it.
   * @returns everything from `start` to the end of that window.
   */
  async prefetch(): Promise<Uint8Array> {
    const next = await this.#fetch();
    const before = this.#ahead.at(0);
    this.#ahead.push(next);
    return before === undefined ? next : Buffer.concat(this.#ahead);
  }

  /**
   * Yields the first windows in the pieces in which they are read synchronously: so damage behind the metadata is seen by both or by none.
   * @throws {MalformedPackage} too-large.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    const { windowsAtOnceMax, inflatedAtOnceBytes } = packageLimits;
    for (let windows = 0; ; windows += 1) {
      const window = this.#ahead.shift() ?? (this.fetchedTo < this.#end ? await this.#fetch() : undefined);
      if (window === undefined) return;
      for (let start = 0; start < window.length; ) {
        const pieceBytes = inflatedAtOnceBytes - ((this.takenTo - this.#start) % inflatedAtOnceBytes);
        const end = windows < windowsAtOnceMax ? start + pieceBytes : window.length;
        const bytes = window.subarray(start, end);
        this.takenTo += bytes.length;
        start += bytes.length;
        yield bytes;
      }
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
