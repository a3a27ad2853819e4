import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { decompress } from '../../functions/package/decompression.ts';
import { readMetadata } from '../../functions/package/metadata.ts';
import { compress, makeArchive, makePackage, noise, sign } from '../package-maker.ts';
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
      const step = isThorough ? 1 : 7;
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

  it('refuses a dictionary that takes more memory than libarchive allows, and reads the next package', async () => {
    const file = fixture('made.dictionary.xz');
    await assertMalformed(recordOf(file), 'corrupt-compression', /found: a dictionary .* not supported/);
    await recordOf(fixture('made.xz'));
  });

  it('ignores whatever follows the last gzip member or bzip2 stream, as pkg_info does', async () => {
    const rests = [
      Buffer.alloc(1000),
      '\n',
      'and so on, and so on',
      '\x1f',
      '\x1f\x8b\x08',
      '\x1f\x8b\x08\xe0and so on',
    ];
    for (const bytes of [compress(made, 'gzip'), inThree('gzip'), fixture('made.bz2'), fixture('made.streams.bz2')]) {
      for (const rest of rests) {
        const all = Buffer.concat([bytes, typeof rest === 'string' ? Buffer.from(rest, 'latin1') : rest]);
        assert.ok((await decompressed(inChunks(all, [bytes.length - 3, bytes.length + 2]))).equals(made));
      }
    }
  });

  it('reads a gzip header with all its fields, and does not check its sum, as pkg_info does not', async () => {
    const plain = compress(made, 'gzip');
    for (const flags of [2, 4, 8, 16, 2 + 4 + 8 + 16]) {
      const fields = [
        flags & 4 ? Buffer.from('\x03\0abc', 'latin1') : '',
        flags & 8 ? Buffer.from('name\0') : '',
        flags & 16 ? Buffer.from('comment\0') : '',
        flags & 2 ? Buffer.from('no') : '',
      ].map((field) => Buffer.from(field));
      const header = Buffer.from(plain.subarray(0, 10));
      header[3] = flags;
      const bytes = Buffer.concat([header, ...fields, plain.subarray(10)]);
      const everyByte = Array.from({ length: 60 }, (_, index) => index);
      assert.ok((await decompressed(inChunks(bytes, everyByte))).equals(made));
      for (let end = 10; end < 10 + Buffer.concat(fields).length; end += 1)
        await assertMalformed(decompressed(inChunks(bytes.subarray(0, end), [])), 'truncated');
    }
  });

  it('refuses other bytes after the last zstd frame or xz stream, if it reads that far', async () => {
    for (const bytes of [compress(made, 'zstd'), fixture('made.xz')]) {
      const reading = decompressed(inChunks(Buffer.concat([bytes, Buffer.from('and so on, and so on')]), []));
      await assertMalformed(reading, 'corrupt-compression');
    }
  });

  const skippable = Buffer.from('\x50\x2a\x4d\x18\x04\0\0\0skip', 'latin1');
  const layered: readonly (readonly [what: string, bytes: Buffer])[] = [
    ['gzip in gzip', compress(compress(made, 'gzip'), 'gzip')],
    ['xz in gzip', compress(fixture('made.xz'), 'gzip')],
    ['xz in xz', fixture('made.xz.xz')],
    ['bzip2 in zstd', compress(fixture('made.bz2'), 'zstd')],
    ['three layers', compress(compress(compress(made, 'zstd'), 'gzip'), 'zstd')],
    ['zstd after skippable frames', Buffer.concat([skippable, skippable, compress(made, 'zstd')])],
    ['zstd with a skippable frame at its end', Buffer.concat([compress(made, 'zstd'), skippable])],
    ['gzip with bytes after it, in gzip', compress(Buffer.concat([compress(made, 'gzip'), Buffer.from('\n')]), 'gzip')],
    ['a signed package in gzip', compress(sign(compress(made, 'gzip'), 'x509'), 'gzip')],
    [
      'a signed package of two layers in two layers',
      compress(compress(sign(compress(compress(made, 'gzip'), 'zstd'), 'gpg'), 'zstd'), 'gzip'),
    ],
  ];
  for (const [what, bytes] of layered) {
    it(`of ${what} gives the archive, and closes every layer`, async () => {
      for (const cuts of [[], [1, 2, 3, 20, 21, 60, 61], Array.from({ length: bytes.length }, (_, index) => index)])
        assert.ok((await decompressed(inChunks(bytes, cuts))).equals(made));
      let isClosed = false;
      const source = (async function* () {
        try {
          yield* inChunks(bytes, [bytes.length - 10]);
        } finally {
          isClosed = true;
        }
      })();
      const { archive } = await decompress(source, 0);
      await archive.next();
      await archive.return(undefined);
      assert.ok(isClosed);
    });

    it(`of ${what} hands on an error of the store unchanged`, async () => {
      const failure = new TypeError('the store is down');
      const failing = async function* () {
        yield bytes.subarray(0, bytes.length >> 1);
        throw failure;
      };
      await assert.rejects(decompressed(failing()), (error) => error === failure);
    });
  }

  it('tells the signature of a signed package inside', async () => {
    for (const [signature, line] of [
      ['gpg', 'CONFLICTS=y'],
      ['x509', 'PKGNAME=made-1.0'],
    ] as const) {
      // An X.509-signed package has its conflicts before the name left out.
      const parts = { metadata: { '+CONTENTS': '@pkgcfl y\n@name made-1.0\n' }, signature };
      const record = Buffer.from(await recordOf(compress(makePackage(parts), 'gzip'))).toString();
      assert.equal(record.split('\n')[0], line);
    }
  });

  it('refuses a signed package in a signed package, and a damaged one inside', async () => {
    const signed = makePackage({ signature: 'gpg' });
    await assertMalformed(
      recordOf(compress(sign(compress(signed, 'gzip'), 'gpg'), 'gzip')),
      'not-a-package',
      /an ar archive/,
    );
    for (let end = 60; end < 400; end += 17)
      await assertMalformed(recordOf(compress(signed.subarray(0, end), 'gzip')), 'truncated', /signed package inside/);
    await assertMalformed(recordOf(compress(Buffer.from('!<arch>\n'), 'gzip')), 'truncated');
  });
});

describe('the metadata of an archive', () => {
  it('is the same however the archive arrives', async () => {
    const parts = { description: noise(3_000).toString('hex'), buildInfo: 'OPSYS=NetBSD\n', headers: 'pax' as const };
    const archive = makePackage({ ...parts, compression: 'none' });
    const read = async (cuts: readonly number[]) =>
      Object.entries(await readMetadata(inChunks(archive, cuts))).map(([file, bytes]) => [
        file,
        bytes && Buffer.from(bytes),
      ]);
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
        const read = (bytes: Buffer) => readMetadata(inChunks(bytes, cuts));
        await assertMalformed(read(archive), 'missing-metadata');
        await assertMalformed(read(text), 'not-a-package');
      }),
      { numRuns: 20 },
    );
  });
});
