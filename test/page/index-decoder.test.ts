import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { constants, gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { IndexDecoder } from '../../functions/page/browser/index-decoder.ts';

const summary = Buffer.from(
  Array.from({ length: 800 }, (_, index) => `PKGNAME=p-${index * 7919}\nCOMMENT=${index}\n\n`).join(''),
);

const zstd = (bytes: Uint8Array) => zstdCompressSync(bytes);
const zstdWithChecksum = (bytes: Uint8Array) =>
  zstdCompressSync(bytes, { params: { [constants.ZSTD_c_checksumFlag]: 1 } });

/** Each part of so many bytes compressed by itself, and the results put one behind the other. */
function inParts(compress: (bytes: Uint8Array) => Buffer, size: number): Buffer {
  const parts: Buffer[] = [];
  for (let start = 0; start < summary.length; start += size)
    parts.push(compress(summary.subarray(start, start + size)));
  return Buffer.concat(parts);
}

const indexes: Readonly<Record<string, Buffer>> = {
  'one gzip member': gzipSync(summary),
  'some gzip members': inParts(gzipSync, 5_000),
  'many gzip members': inParts(gzipSync, 20),
  'one zstd frame': zstd(summary),
  'one zstd frame with its checksum': zstdWithChecksum(summary),
  'some zstd frames': inParts(zstd, 5_000),
  'many zstd frames': inParts(zstdWithChecksum, 5),
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
      for (const pieceBytes of [1, 3, 18, 1_000, 65_536])
        assert.ok(decode(index, pieceBytes).equals(summary), `${pieceBytes}`);
      assert.ok(decode(index).equals(summary));
    });
  }

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
    const cut = fc.constantFrom('one gzip member', 'some gzip members', 'one zstd frame', 'some zstd frames');
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
