import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { decompress } from '../../functions/package/decompression.ts';
import { readMetadata } from '../../functions/package/metadata.ts';
import { compress, makeArchive, makePackage, noise } from '../package-maker.ts';
import { isThorough, runs } from '../thoroughness.ts';
import { assertMalformed, recordOf } from './byte-source.ts';

const made = fixture('made.tar');

function fixture(file: string): Buffer {
  return readFileSync(join(import.meta.dirname, '../fixtures/compressed', file));
}

/** The archive in three members or frames, cut within its headers and its content. */
function inThree(compression: 'gzip' | 'zstd'): Buffer {
  const parts = [made.subarray(0, 300), made.subarray(300, 2200), made.subarray(2200)];
  return Buffer.concat(parts.map((part) => compress(part, compression)));
}

/** Each holds made.tar. */
const compressed: readonly [what: string, bytes: Buffer][] = [
  ['no compression', made],
  ['gzip', compress(made, 'gzip')],
  ['three gzip members', inThree('gzip')],
  ['zstd', compress(made, 'zstd')],
  ['three zstd frames', inThree('zstd')],
  ['bzip2', fixture('made.bz2')],
  ['three bzip2 streams', fixture('made.streams.bz2')],
  ['xz', fixture('made.xz')],
  ['three xz streams with padding', fixture('made.streams.xz')],
];

async function* inChunks(bytes: Uint8Array, cuts: readonly number[]): AsyncGenerator<Uint8Array> {
  const ends = [...cuts.map((cut) => cut % bytes.length), bytes.length].sort((a, b) => a - b);
  let start = 0;
  for (const end of ends) {
    if (end > start) yield bytes.subarray(start, end);
    start = end;
  }
}

async function decompressed(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const { archive } = await decompress(chunks, 0);
  const pieces: Uint8Array[] = [];
  for await (const piece of archive) pieces.push(piece);
  return Buffer.concat(pieces);
}

const anyCuts = fc.array(fc.nat(), { maxLength: 40 });

describe('decompression', () => {
  for (const [what, bytes] of compressed) {
    it(`of ${what} gives the same archive however its bytes arrive`, async () => {
      assert.ok((await decompressed(inChunks(bytes, []))).equals(made));
      const everyByte = Array.from({ length: bytes.length }, (_, index) => index);
      assert.ok((await decompressed(inChunks(bytes, everyByte))).equals(made));
      await fc.assert(
        fc.asyncProperty(anyCuts, async (cuts) => (await decompressed(inChunks(bytes, cuts))).equals(made)),
        { numRuns: runs(25) },
      );
    });

    it(`of ${what} rethrows an error of its input unchanged`, async () => {
      for (const bytesBefore of [0, 100, 700, bytes.length - 30]) {
        const failure = new TypeError('the store is down');
        const failing = async function* () {
          if (bytesBefore > 0) yield bytes.subarray(0, bytesBefore);
          throw failure;
        };
        await assert.rejects(decompressed(failing()), (error) => error === failure);
      }
    });
  }

  const twice: readonly (readonly [what: string, one: Buffer, padding: number])[] = [
    ['gzip', compress(made, 'gzip'), 0],
    ['zstd', compress(made, 'zstd'), 0],
    ['bzip2', fixture('made.bz2'), 0],
    ['xz', fixture('made.xz'), 0],
    ['xz with padding', fixture('made.xz'), 8],
  ];
  for (const [what, one, padding] of twice) {
    it(`of two streams decodes both if a chunk ends near the start of the second: ${what}`, async () => {
      const both = Buffer.concat([one, Buffer.alloc(padding), one]);
      const step = isThorough ? 1 : 3;
      for (let cut = one.length - 14; cut <= one.length + padding + 14; cut += step) {
        for (const cuts of [[cut], [cut, cut + 1], [cut, cut + 2, cut + 5]]) {
          const archive = await decompressed(inChunks(both, cuts));
          assert.ok(archive.equals(Buffer.concat([made, made])), `${cuts}`);
        }
      }
    });
  }

  it('of an empty archive in any compression is an empty archive', async () => {
    for (const compression of ['gzip', 'zstd'] as const) {
      assert.equal((await decompressed(inChunks(compress(new Uint8Array(), compression), []))).length, 0);
    }
  });

  it('of xz ignores bytes in the data that look like the start of a stream', async () => {
    const archive = await decompressed(inChunks(fixture('raw.xz'), []));
    assert.ok(archive.includes(Buffer.from('YZ\xfd7zXZ\0', 'latin1')));
    assert.ok(archive.includes(Buffer.from('\0\0\xfd7zXZ\0', 'latin1')));
    await recordOf(fixture('raw.xz'));
  });

  for (const file of ['made.dictionary.xz', 'made.sha256.xz', 'made.x86.xz']) {
    it(`refuses ${file} with its reason, and reads the next package`, async () => {
      await assertMalformed(
        recordOf(fixture(file)),
        'corrupt-compression',
        /found: a (dictionary|filter).* not supported/,
      );
      await recordOf(fixture('made.xz'));
    });
  }

  it('ignores zeros after the last gzip member or bzip2 stream, as pkg_info does', async () => {
    for (const bytes of [compress(made, 'gzip'), inThree('gzip'), fixture('made.bz2'), fixture('made.streams.bz2')]) {
      assert.ok((await decompressed(inChunks(Buffer.concat([bytes, Buffer.alloc(1000)]), []))).equals(made));
    }
  });

  it('refuses other bytes after the last one, if it reads that far', async () => {
    for (const bytes of [compress(made, 'gzip'), compress(made, 'zstd'), fixture('made.xz')]) {
      const reading = decompressed(inChunks(Buffer.concat([bytes, Buffer.from('and so on, and so on')]), []));
      await assertMalformed(reading, 'corrupt-compression');
    }
  });
});

describe('the metadata of an archive', () => {
  it('is the same however the archive arrives', async () => {
    const parts = { description: noise(3_000).toString('hex'), buildInfo: 'OPSYS=NetBSD\n', headers: 'pax' as const };
    const archive = makePackage({ ...parts, compression: 'none' });
    const read = (cuts: readonly number[]) =>
      readMetadata({ bytes: inChunks(archive, cuts), compressedBytes: () => archive.length });
    const whole = await read([]);
    await fc.assert(
      fc.asyncProperty(anyCuts, async (cuts) => {
        assert.deepEqual(await read(cuts), whole);
      }),
      { numRuns: runs(50) },
    );
  });

  it('is missing the same way however the archive arrives', async () => {
    const archive = makeArchive([{ name: '+CONTENTS', body: '@name x-1\n' }]);
    const text = Buffer.from('this is a text of more than one block '.repeat(30));
    await fc.assert(
      fc.asyncProperty(anyCuts, async (cuts) => {
        const read = (bytes: Buffer) => readMetadata({ bytes: inChunks(bytes, cuts), compressedBytes: () => 1_000 });
        await assertMalformed(read(archive), 'missing-metadata');
        await assertMalformed(read(text), 'not-a-package');
      }),
      { numRuns: 20 },
    );
  });
});
