/**
 * Inflates the first bytes of one gzip file after the other, synchronously and step by step, with a single decoder and a single buffer. A
 * decoder for each file (`gunzipSync`) takes as long as inflating 8 KiB, its buffers keep the garbage collector busy, and it cannot continue.
 *
 * node:zlib has no public function for this, so it is done by what its own synchronous functions call. Where that is missing or fails,
 * `write` says so, and the streams of `decompress` read the package: more slowly, with the same outcome.
 */

import { constants, createGunzip, type Gunzip } from 'node:zlib';
import { packageLimits } from './limits.ts';

/** What is inside of a stream of node:zlib. Source: Node's lib/zlib.js (processChunkSync) and src/node_zlib.cc. */
interface Internals {
  /** Null after an error. */
  readonly _handle?: {
    reset(): void;
    /** Sets `_writeState`; an error destroys the stream. */
    writeSync(
      flush: number,
      input: Uint8Array,
      at: number,
      bytes: number,
      output: Uint8Array,
      to: number,
      room: number,
    ): void;
  } | null;
  /** What was left after a write: room in the output, bytes of the input. */
  readonly _writeState?: Uint32Array;
}

class HeadInflater {
  #gunzip: (Gunzip & Internals) | undefined;
  /** One byte more than there may be: it is reached only by too much. */
  readonly #output = Buffer.allocUnsafeSlow(packageLimits.ratioFreeBytes + 1);
  #end = 0;

  /** Starts with another file: what `write` returned is overwritten. */
  begin(): void {
    this.#end = 0;
    if (this.#gunzip === undefined || this.#gunzip.destroyed) {
      this.#gunzip = createGunzip();
      // `write` reports it.
      this.#gunzip.on('error', () => undefined);
    } else this.#gunzip._handle?.reset?.();
  }

  /**
   * @param input the next bytes of the file.
   * @param isEnd these are the last ones.
   * @returns what they inflate to, until the next `begin`; undefined where they are damaged or cut, or for more than `ratioFreeBytes` in all.
   */
  write(input: Uint8Array, isEnd: boolean): Uint8Array | undefined {
    const { _handle: handle, _writeState: left } = this.#gunzip ?? {};
    if (typeof handle?.writeSync !== 'function' || left === undefined) return undefined;
    const flush = isEnd ? constants.Z_FINISH : constants.Z_SYNC_FLUSH;
    const start = this.#end;
    handle.writeSync(flush, input, 0, input.length, this.#output, start, this.#output.length - start);
    const [room = 0] = left;
    if (this.#gunzip?.destroyed !== false || room === 0) return undefined;
    this.#end = this.#output.length - room;
    return this.#output.subarray(start, this.#end);
  }
}

let shared: HeadInflater | undefined;

/** The one of this thread. Its users do not wait for anything between `begin` and their last `write`. */
export function headInflater(): HeadInflater {
  shared ??= new HeadInflater();
  return shared;
}
