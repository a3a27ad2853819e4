import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { decompressZstdHead } from '../../functions/package/decompression.ts';
import { headInflater } from '../../functions/package/head-inflater.ts';
import { packageLimits } from '../../functions/package/limits.ts';
import { MalformedPackage } from '../../functions/package/malformed-package.ts';
import type { PackageSource } from '../../functions/package/package-source.ts';
import { type PackageMetadata, readPackage, streamPackage } from '../../functions/package/read-package.ts';
import { corpora } from '../corpus.ts';
import { compress, makeArchive, makePackage, noise, type PackageParts } from '../package-maker.ts';
import { runs } from '../thoroughness.ts';
import { ByteSource } from './byte-source.ts';

type Read = (source: PackageSource) => Promise<PackageMetadata>;

/** The metadata or the error, and the ranges that were read. */
async function outcomeOf(read: Read, bytes: Uint8Array): Promise<unknown> {
  const source = new ByteSource(bytes);
  const outcome = await read(source).catch((error: unknown) => {
    if (!(error instanceof MalformedPackage)) throw error;
    return { code: error.code, message: error.message, offset: error.offset, layer: error.layer };
  });
  return { outcome, ranges: source.ranges };
}

async function assertSame(bytes: Uint8Array): Promise<void> {
  assert.deepEqual(await outcomeOf(readPackage, bytes), await outcomeOf(streamPackage, bytes));
}

const variants: readonly (readonly [what: string, parts: PackageParts])[] = [
  ['all of it in the first window', { buildInfo: 'OPSYS=NetBSD\n', headers: 'pax' }],
  ['the metadata alone in the first window', { payload: { bin: 200_000 } }],
  ['an end that is near', { payload: { bin: 40_000 } }],
  ['metadata up to the second window', { metadata: { '+INSTALL': noise(40_000) }, payload: { bin: 200_000 } }],
  ['metadata up to the second window, an end that is near', { metadata: { '+INSTALL': noise(40_000) } }],
  ['metadata beyond the second window', { metadata: { '+INSTALL': noise(90_000) }, payload: { bin: 200_000 } }],
  ['much text', { metadata: { '+INSTALL': Buffer.alloc(packageLimits.ratioFreeBytes / 2, 'text\n') } }],
  ['no payload', { payload: {} }],
];

describe('reading synchronously and with streams has the same outcome and reads the same ranges', () => {
  for (const { directory, absent, packages } of corpora) {
    it(`for the packages in ${directory}`, { skip: absent }, async () => {
      for (const { bytes } of packages) await assertSame(bytes());
    });
  }

  it('for other compressions and several members', async () => {
    for (const file of ['made.tar', 'made.bz2', 'made.xz', 'made.streams.bz2', 'made.streams.xz', 'bomb.bz2']) {
      await assertSame(readFileSync(join(import.meta.dirname, '../fixtures/compressed', file)));
    }
    const archive = makePackage({ compression: 'none', payload: { bin: 100_000 } });
    for (const compression of ['gzip', 'zstd'] as const) {
      for (const cut of [300, 2_200, 50_000]) {
        const members = [archive.subarray(0, cut), archive.subarray(cut)].map((part) => compress(part, compression));
        await assertSame(Buffer.concat(members));
        await assertSame(Buffer.concat([...members, Buffer.alloc(70_000)]));
        await assertSame(Buffer.concat([...members, Buffer.from('and so on')]));
      }
    }
  });

  it('for bombs', async () => {
    const zeros = { name: '+INSTALL', body: Buffer.alloc(2_000_000) };
    for (const entries of [[zeros], [...Array.from({ length: 8 }, () => zeros)]]) {
      for (const compression of ['gzip', 'zstd'] as const)
        await assertSame(compress(makeArchive(entries), compression));
    }
  });

  for (const [what, parts] of variants) {
    for (const compression of ['gzip', 'zstd', 'none'] as const) {
      for (const signature of [undefined, 'gpg'] as const) {
        const bytes = makePackage({ ...parts, compression, ...(signature && { signature }) });
        it(`for a package with ${what}, damaged at random: ${compression}${signature ? ', signed' : ''}`, async () => {
          assert.ok('contents' in (await readPackage(new ByteSource(bytes))));
          await assertSame(bytes);
          const change = fc.record({ at: fc.nat(), xor: fc.integer({ min: 1, max: 255 }) });
          const end = fc.oneof(fc.constant(bytes.length), fc.nat(bytes.length), fc.nat(1_000), fc.nat(20_000));
          await fc.assert(
            fc.asyncProperty(fc.array(change, { maxLength: 3 }), end, async (changes, end) => {
              const damaged = Buffer.from(bytes.subarray(0, end));
              for (const { at, xor } of end === 0 ? [] : changes) {
                // Half of them in the head; random positions would nearly always miss it.
                const index = at % (xor % 2 === 0 ? Math.min(damaged.length, 3_000) : damaged.length);
                damaged[index] = (damaged[index] ?? 0) ^ xor;
              }
              await assertSame(damaged);
            }),
            { numRuns: runs(40) },
          );
        });
      }
    }
  }
});

describe('what is decompressed at once', () => {
  const archive = makePackage({ compression: 'none', payload: { bin: 100_000 } });
  const gzip = compress(archive, 'gzip');
  const zstd = compress(archive, 'zstd');

  const { ratioFreeBytes } = packageLimits;
  const damaged = Buffer.from(gzip);
  damaged.fill(0xff, 100, 120);

  /** In pieces of some bytes; undefined as soon as `write` says so. */
  function inflate(bytes: Uint8Array, isWhole: boolean, pieceBytes = 1_000): Buffer | undefined {
    const inflater = headInflater();
    inflater.begin();
    const pieces: Buffer[] = [];
    for (let start = 0; start < bytes.length; start += pieceBytes) {
      const isEnd = isWhole && start + pieceBytes >= bytes.length;
      const piece = inflater.write(bytes.subarray(start, start + pieceBytes), isEnd);
      if (piece === undefined) return undefined;
      pieces.push(Buffer.from(piece));
    }
    return Buffer.concat(pieces);
  }

  it('is the archive, or as much of it as is at hand', () => {
    assert.ok(decompressZstdHead(zstd, true)?.equals(archive));
    for (const pieceBytes of [1, 9, 4_096, gzip.length]) assert.ok(inflate(gzip, true, pieceBytes)?.equals(archive));
    const head = inflate(gzip.subarray(0, 16_384), false);
    assert.ok(head !== undefined && head.length > 10_000 && archive.subarray(0, head.length).equals(head));
  });

  it('may have ratioFreeBytes', () => {
    const bytes = Buffer.alloc(ratioFreeBytes);
    assert.equal(decompressZstdHead(compress(bytes, 'zstd'), true)?.length, ratioFreeBytes);
    assert.equal(inflate(compress(bytes, 'gzip'), true)?.length, ratioFreeBytes);
  });

  for (const [what, bytes, isWhole] of [
    ['a cut file that is said to be whole', gzip.subarray(0, -1), true],
    ['a wrong CRC', Buffer.concat([gzip.subarray(0, -8), Buffer.alloc(8)]), true],
    ['damaged data', damaged, false],
    ['another format', zstd, false],
    ['other bytes behind its end', Buffer.concat([gzip, Buffer.from('more')]), true],
    ['more than ratioFreeBytes', compress(Buffer.alloc(ratioFreeBytes + 1), 'gzip'), true],
  ] as const) {
    it(`is not ${what}; the next file is inflated all the same: gzip`, () => {
      assert.equal(inflate(bytes, isWhole), undefined);
      assert.ok(inflate(gzip, true)?.equals(archive));
    });
  }

  for (const [what, bytes] of [
    ['a cut frame that is said to be whole', zstd.subarray(0, -1)],
    ['a second frame', Buffer.concat([zstd, zstd])],
    ['another format', gzip],
    ['more than ratioFreeBytes', compress(Buffer.alloc(ratioFreeBytes + 1), 'zstd')],
  ] as const) {
    it(`is not ${what}: zstd`, () => {
      assert.equal(decompressZstdHead(bytes, true), undefined);
    });
  }
});
