import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { packageLimits } from '../../functions/package/limits.ts';
import { readPackage } from '../../functions/package/read-package.ts';
import { corpusPackage } from '../corpus.ts';
import { compress, makePackage, makeSigned, noise, type PackageParts } from '../package-maker.ts';
import { assertMalformed, ByteSource, type Range } from './byte-source.ts';

const kibibyte = 1024;
const wholeBytes = 300 * kibibyte * kibibyte;
const compressions = ['gzip', 'zstd', 'none'] as const;

/** Reads a file of 300 MB that continues in zeros. */
async function readHead(head: Uint8Array): Promise<ByteSource> {
  const source = new ByteSource(head, wholeBytes);
  await readPackage(source);
  assertNothingTwice(source.ranges);
  return source;
}

function assertNothingTwice(ranges: readonly Range[]): void {
  const sorted = ranges.toSorted((a, b) => a.offset - b.offset);
  for (const [index, { offset, length }] of sorted.entries()) {
    const next = sorted[index + 1];
    assert.ok(next === undefined || offset + length <= next.offset, JSON.stringify(ranges));
  }
}

/** Text that does not compress well. */
function text(bytes: number): string {
  return noise(bytes / 2).toString('hex');
}

describe('of a package of 300 MB', () => {
  for (const compression of compressions) {
    it(`only the first 16 KiB are read where they hold the metadata: ${compression}`, async () => {
      // zstd gives no output before a block (at most 128 KiB) is complete.
      const payload = compression === 'zstd' ? { bin: text(20_000) } : { bin: 2 * kibibyte * kibibyte };
      const { ranges } = await readHead(makePackage({ payload, compression }));
      assert.deepEqual(ranges, [{ offset: 0, length: 16 * kibibyte }]);
    });

    it(`the window grows fourfold, to no more than is needed: ${compression}`, async () => {
      const parts: PackageParts = {
        metadata: { '+INSTALL': noise(100_000) },
        payload: { bin: 3 * kibibyte * kibibyte },
      };
      const { ranges, bytesRead } = await readHead(makePackage({ ...parts, compression }));
      const lengths = [16, 64 - 16, 256 - 64].map((kibibytes) => kibibytes * kibibyte);
      assert.deepEqual(
        ranges.map(({ length }) => length),
        lengths,
      );
      assert.equal(bytesRead, 256 * kibibyte);
    });
  }

  it('a single range is no larger than its limit', async () => {
    const install = noise(7 * kibibyte * kibibyte);
    const parts: PackageParts = { metadata: { '+INSTALL': install, '+DEINSTALL': install } };
    const { ranges } = await readHead(makePackage({ ...parts, compression: 'none', payload: { bin: 5_000_000 } }));
    assert.equal(Math.max(...ranges.map(({ length }) => length)), packageLimits.rangeBytesMax);
    assert.ok(ranges.length <= 8);
  });

  for (const [file, kibibytes] of [
    ['comp-txz-1.0.txz', 16],
    // bzip2 gives no output before a block is complete.
    ['comp-tbz-1.0.tbz', 64],
  ] as const) {
    it(`only the first ${kibibytes} KiB are read: ${file}`, async () => {
      const { bytesRead } = await readHead(corpusPackage(file).bytes());
      assert.equal(bytesRead, kibibytes * kibibyte);
    });
  }

  for (const signature of ['gpg', 'x509'] as const) {
    for (const hashBytes of [100, 16 * kibibyte - 150, 16 * kibibyte, 600_000]) {
      it(`the hashes are skipped over: ${signature}, ${hashBytes} bytes of +PKG_HASH`, async () => {
        const inner = makePackage({ payload: { bin: 100_000 } });
        const name = signature === 'gpg' ? '+PKG_GPG_SIGNATURE' : '+PKG_SIGNATURE';
        const signed = makeSigned([
          ['+PKG_HASH', Buffer.alloc(hashBytes, 'hash\n')],
          [name, 'signature'],
          ['made-1.0.tgz', inner],
        ]);
        const source = new ByteSource(signed);
        assert.equal((await readPackage(source)).signature, signature);
        assert.ok(source.bytesRead <= 33 * kibibyte, `${source.bytesRead}`);
        assert.ok(source.ranges.length <= 7, `${source.ranges.length}`);
      });
    }
  }
});

describe('of a small package', () => {
  it('everything is read in one range, and once', async () => {
    for (const compression of compressions) {
      for (const signature of [undefined, 'gpg'] as const) {
        const bytes = makePackage({ compression, ...(signature && { signature }) });
        const source = new ByteSource(bytes);
        await readPackage(source);
        assert.deepEqual(source.ranges, [{ offset: 0, length: bytes.length }]);
      }
    }
  });

  const { firstRangeBytes, wholeBytesMax } = packageLimits;
  for (const [size, first] of [
    [wholeBytesMax, wholeBytesMax],
    [wholeBytesMax + 1, firstRangeBytes],
  ] as const) {
    it(`of ${size} bytes the first range has ${first}`, async () => {
      const archive = makePackage({ payload: { bin: 10_000 }, compression: 'none' });
      const source = new ByteSource(Buffer.concat([archive, Buffer.alloc(size - archive.length)]));
      await readPackage(source);
      assert.deepEqual(source.ranges, [{ offset: 0, length: first }]);
    });
  }

  it('nothing is read twice if it is slightly longer than wholeBytesMax', async () => {
    const about = 2 * wholeBytesMax - makePackage({ payload: { bin: wholeBytesMax } }).length;
    const sizes: number[] = [];
    for (let bin = about - 20; bin < about + 40; bin += 1) {
      const source = new ByteSource(makePackage({ payload: { bin } }));
      await readPackage(source);
      assertNothingTwice(source.ranges);
      sizes.push(source.size);
    }
    assert.ok(Math.min(...sizes) <= wholeBytesMax && Math.max(...sizes) > wholeBytesMax + 3);
  });

  it('its last bytes are read if they are near, instead of everything up to them: gzip', async () => {
    const bytes = makePackage({ payload: { bin: 40_000 } });
    const source = new ByteSource(bytes);
    await readPackage(source);
    assert.deepEqual(source.ranges, [
      { offset: 0, length: 16 * kibibyte },
      { offset: bytes.length - 4, length: 4 },
    ]);
  });

  it('everything is read if the last bytes are implausible: several gzip members', async () => {
    const archive = makePackage({ payload: { bin: 40_000 }, compression: 'none' });
    const [first, last] = [archive.subarray(0, -1024), archive.subarray(-1024)];
    const bytes = Buffer.concat([compress(first, 'gzip'), compress(last, 'gzip')]);
    const source = new ByteSource(bytes);
    await readPackage(source);
    assert.equal(source.ranges.length, 3);
    const cut = new ByteSource(bytes.subarray(0, -10));
    await assertMalformed(readPackage(cut), 'truncated');
  });

  it('everything is read up to lookAheadBytes: other compressions', async () => {
    const { lookAheadBytes, firstRangeBytes } = packageLimits;
    // Three frames: the metadata; a skippable one that sets the length of the file; the payload.
    const archive = makePackage({ payload: { bin: 3_000 }, compression: 'none' });
    const [first, last] = [archive.subarray(0, 3_584), archive.subarray(3_584)].map((part) => compress(part, 'zstd'));
    for (const [bytesBehind, reads] of [
      [lookAheadBytes, 3],
      [lookAheadBytes + 1, 1],
    ] as const) {
      const skipped = Buffer.alloc(firstRangeBytes + bytesBehind - (first?.length ?? 0) - (last?.length ?? 0));
      skipped.write('\x50\x2a\x4d\x18', 'latin1');
      skipped.writeUInt32LE(skipped.length - 8, 4);
      const source = new ByteSource(Buffer.concat([first, skipped, last].filter((part) => part !== undefined)));
      await readPackage(source);
      assert.equal(source.ranges.length, reads);
    }
  });
});

describe('an error of the source', () => {
  const large = { metadata: { '+INSTALL': noise(100_000) }, payload: { bin: 200_000 } };
  const packages: readonly (readonly [what: string, bytes: Buffer])[] = [
    ...compressions.map((compression) => [compression, makePackage({ ...large, compression })] as const),
    ['signed gzip', makePackage({ ...large, signature: 'gpg' })],
    ['gzip whose last bytes are read', makePackage({ payload: { bin: 40_000 } })],
    ['bzip2', corpusPackage('comp-tbz-1.0.tbz').bytes()],
    ['xz', corpusPackage('comp-txz-1.0.txz').bytes()],
    ['signed bzip2', corpusPackage('signed-gpg-comp-tbz-1.0.tbz').bytes()],
    ['many hashes', signedWithManyHashes()],
  ];
  for (const [what, bytes] of packages) {
    it(`is rethrown unchanged, at every read: ${what}`, async () => {
      const whole = new ByteSource(bytes);
      await readPackage(whole);
      assert.ok(whole.ranges.length >= 2);
      for (let reads = 0; reads < whole.ranges.length; reads += 1) {
        for (const failure of [
          new Error('unexpected end of the connection'),
          Object.assign(new Error(), { code: 'Z_BUF_ERROR' }),
          'no Error',
        ]) {
          await assert.rejects(readPackage(failingAt(bytes, reads, failure)), (error) => error === failure);
        }
      }
      await readPackage(new ByteSource(bytes));
    });
  }

  function failingAt(bytes: Uint8Array, reads: number, failure: unknown) {
    const source = new ByteSource(bytes);
    return {
      size: source.size,
      async read(offset: number, length: number) {
        if (source.ranges.length === reads) throw failure;
        return source.read(offset, length);
      },
    };
  }

  function signedWithManyHashes(): Buffer {
    return makeSigned([
      ['+PKG_HASH', Buffer.alloc(600_000, 'hash\n')],
      ['+PKG_SIGNATURE', 'signature'],
      ['made-1.0.tgz', makePackage()],
    ]);
  }
});

describe('a package of the fixtures in bzip2 and xz', () => {
  it('is read in one range where it is small', async () => {
    for (const file of ['made.bz2', 'made.streams.bz2', 'made.xz', 'made.streams.xz']) {
      const source = new ByteSource(readFileSync(join(import.meta.dirname, '../fixtures/compressed', file)));
      await readPackage(source);
      assert.equal(source.ranges.length, 1);
    }
  });
});
