import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { constants, gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { IndexDecoder } from '../../functions/browser/packages/index-decoder.ts';
import { isThorough } from '../thoroughness.ts';
import { inFrames, publishedAs, withExtraField } from './index-layouts.ts';

const summary = Buffer.from(
  Array.from({ length: 200 }, (_, index) => `PKGNAME=p-${index * 7919}\nCOMMENT=${index}\n\n`).join(''),
);

const zstd = (bytes: Uint8Array) => zstdCompressSync(bytes);
const zstdWithChecksum = (bytes: Uint8Array) =>
  zstdCompressSync(bytes, { params: { [constants.ZSTD_c_checksumFlag]: 1 } });

/** Something that a decoder has to skip (RFC 8878, 3.1.2), followed by the frame. */
const zstdBehindSkippable = (bytes: Uint8Array) =>
  Buffer.concat([Buffer.from([0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]), zstd(bytes)]);

const indexes: Readonly<Record<string, Buffer>> = {
  'one gzip member': gzipSync(summary),
  'some gzip members': inFrames(summary, 1_000, gzipSync),
  'many gzip members': inFrames(summary, 20, gzipSync),
  'one gzip member of some pieces': await publishedAs('gz', summary, 1_000),
  'one gzip member of many pieces': await publishedAs('gz', summary, 20),
  'one zstd frame': zstd(summary),
  'one zstd frame with its checksum': zstdWithChecksum(summary),
  'some zstd frames': inFrames(summary, 1_000, zstd),
  'the zstd frames of some blocks': await publishedAs('zst', summary, 1_000),
  'many zstd frames': inFrames(summary, 5, zstdWithChecksum),
  'zstd frames, and some to be skipped': Buffer.concat([
    zstd(summary.subarray(0, 99)),
    zstdBehindSkippable(summary.subarray(99)),
  ]),
  'plain text': summary,
};

function decode(index: Uint8Array, pieceBytes = Number.POSITIVE_INFINITY): Buffer {
  const pieces: Uint8Array[] = [];
  const decoder = new IndexDecoder((bytes) => pieces.push(bytes));
  for (let start = 0; start < index.length; start += pieceBytes) {
    decoder.push(index.subarray(start, Math.min(start + pieceBytes, index.length)));
  }
  decoder.end();
  return Buffer.concat(pieces);
}

describe('IndexDecoder', () => {
  for (const [name, index] of Object.entries(indexes)) {
    test(`reads ${name}, in pieces of any size`, () => {
      for (const pieceBytes of isThorough ? [1, 3, 18, 1_000, 65_536] : [1, 1_000])
        assert.ok(decode(index, pieceBytes).equals(summary), `${pieceBytes}`);
      assert.ok(decode(index).equals(summary));
    });
  }

  test('reads a gzip member behind the longest field that its header can have', async () => {
    const index = withExtraField(await publishedAs('gz', summary, 5_000), 65_535);
    for (const pieceBytes of [1_000, 20_000, 65_536])
      assert.ok(decode(index, pieceBytes).equals(summary), `${pieceBytes}`);
  });

  test('reads the index of an empty repository', () => {
    assert.equal(decode(gzipSync('\n')).toString(), '\n');
    assert.equal(decode(zstdWithChecksum(Buffer.from('\n'))).toString(), '\n');
    assert.equal(decode(Buffer.from('\n')).toString(), '\n');
  });

  test('refuses an index of no bytes, and one that is damaged', () => {
    assert.throws(() => decode(new Uint8Array()), /expected an index/);
    assert.throws(() => decode(Buffer.concat([gzipSync(summary), Buffer.from('and more')])));
    assert.throws(() => decode(Buffer.concat([zstd(summary), Buffer.from('and much, much more')])));
  });

  test('never takes a cut index for the whole summary', () => {
    const cut = fc.constantFrom(
      'one gzip member',
      'some gzip members',
      'one gzip member of some pieces',
      'one zstd frame',
      'some zstd frames',
    );
    fc.assert(
      fc.property(cut, fc.double({ min: 0.01, max: 0.99, noNaN: true }), (name, share) => {
        const index = indexes[name] ?? Buffer.alloc(0);
        try {
          // Between two members it is indeed an index, of fewer records.
          assert.ok(decode(index.subarray(0, Math.floor(index.length * share))).length < summary.length);
        } catch (error) {
          assert.ok(error instanceof Error && error.name !== 'AssertionError', String(error));
        }
      }),
      { numRuns: 200 },
    );
  });
});
