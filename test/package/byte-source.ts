/** Stored packages in memory that record what was read from them. */

import assert from 'node:assert/strict';
import { MalformedPackage } from '../../functions/package/malformed-package.ts';
import type { PackageSource } from '../../functions/package/package-source.ts';
import { readPackage } from '../../functions/package/read-package.ts';
import { renderRecord } from '../../functions/record/record.ts';

export interface Range {
  readonly offset: number;
  readonly length: number;
}

export class ByteSource implements PackageSource {
  readonly size: number;
  /** In the order of the reads. */
  readonly ranges: Range[] = [];
  readonly #bytes: Uint8Array;

  /** @param size may exceed the length of `bytes`: the file then continues in zeros. */
  constructor(bytes: Uint8Array, size = bytes.length) {
    this.#bytes = bytes;
    this.size = size;
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    if (!(offset >= 0 && length > 0 && offset + length <= this.size))
      throw new RangeError(`asked for ${length} bytes at ${offset} of a file of ${this.size}`);
    this.ranges.push({ offset, length });
    const there = this.#bytes.subarray(offset, offset + length);
    return there.length === length ? there : Buffer.concat([there], length);
  }

  get bytesRead(): number {
    return this.ranges.reduce((sum, { length }) => sum + length, 0);
  }
}

/** Reads a package and renders its record, as the steps do. */
export async function recordOf(bytes: Uint8Array, file = 'made-1.0.tgz'): Promise<Uint8Array> {
  return renderRecord(await readPackage(new ByteSource(bytes)), file, bytes.length);
}

/** Asserts this code, and a message in the form that all have. */
export async function assertMalformed(reading: Promise<unknown>, code: string, sentence = /^expected /): Promise<void> {
  await assert.rejects(reading, (error) => {
    assert.ok(error instanceof MalformedPackage, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, /^expected .+, found:? .+, at byte \d+ of the (file|decompressed archive)$/);
    assert.match(error.message, sentence);
    return true;
  });
}
