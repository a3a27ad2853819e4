import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { crc32 } from 'node:zlib';
import { decompress } from '../../functions/package/decompression.ts';
import { packageLimits } from '../../functions/package/limits.ts';
import { readPackage } from '../../functions/package/read-package.ts';
import {
  compress,
  type Entry,
  entriesOf,
  entryBlocks,
  makeArchive,
  makePackage,
  makeSigned,
  paxRecord,
} from '../package-maker.ts';
import { sample } from '../thoroughness.ts';
import { assertMalformed, ByteSource, recordOf } from './byte-source.ts';

const entries = entriesOf({});
const [contents, comment, description] = entries as [Entry, Entry, Entry];

function fixture(file: string): Buffer {
  return readFileSync(join(import.meta.dirname, '../fixtures/compressed', file));
}

const emptyXz = fixture('empty.xz');
/** A header (one filter, LZMA2), the end of its data, padding, and the check (CRC-64) of nothing. */
const emptyXzBlock = (() => {
  const header = Buffer.from([2, 0, 0x21, 1, 0, 0, 0, 0]);
  const sum = Buffer.alloc(4);
  sum.writeUInt32LE(crc32(header));
  return Buffer.concat([header, sum, Buffer.alloc(4), Buffer.alloc(8)]);
})();

function read(bytes: Uint8Array) {
  return readPackage(new ByteSource(bytes));
}

describe('a package at a limit, and one past it', () => {
  it('metadataFileBytesMax', async () => {
    const { metadataFileBytesMax } = packageLimits;
    for (const name of sample(['+CONTENTS', '+INSTALL'])) {
      const archive = (bytes: number) =>
        makePackage({ metadata: { [name]: Buffer.alloc(bytes, '@name x-1\n') }, compression: 'none' });
      await read(archive(metadataFileBytesMax));
      await assertMalformed(read(archive(metadataFileBytesMax + 1)), 'too-large', new RegExp(`\\${name} of at most`));
    }
  });

  it('textFileBytesMax', async () => {
    const { textFileBytesMax } = packageLimits;
    for (const name of sample(['+DESC', '+COMMENT', '+BUILD_INFO', '+SIZE_PKG'])) {
      const archive = (bytes: number) =>
        makePackage({ metadata: { [name]: Buffer.alloc(bytes, '\n') }, compression: 'none' });
      await recordOf(archive(textFileBytesMax));
      await assertMalformed(read(archive(textFileBytesMax + 1)), 'too-large', new RegExp(`\\${name} of at most`));
    }
  });

  it('metadataBytesMax', async () => {
    const { metadataBytesMax, metadataFileBytesMax } = packageLimits;
    const others = Buffer.concat([contents, comment, description].map((entry) => entryBlocks(entry)));
    const archive = (bytes: number) => {
      const half = entryBlocks({ name: '+INSTALL', body: Buffer.alloc(metadataFileBytesMax - 512) });
      const rest = entryBlocks({ name: '+INSTALL', body: Buffer.alloc(bytes - others.length - half.length - 512) });
      return Buffer.concat([others, half, rest, makeArchive([{ name: 'bin/made' }])]);
    };
    await read(archive(metadataBytesMax));
    await assertMalformed(read(archive(metadataBytesMax + 512)), 'too-large', /bytes of metadata/);
  });

  it('metadataEntriesMax', async () => {
    const { metadataEntriesMax } = packageLimits;
    const archive = (count: number) =>
      makeArchive([...Array.from({ length: count - 3 }, () => ({ name: '+INSTALL' })), ...entries]);
    await read(archive(metadataEntriesMax));
    await assertMalformed(read(archive(metadataEntriesMax + 1)), 'too-large', /64 metadata files/);
  });

  it('extendedHeaderBytesMax', async () => {
    const { extendedHeaderBytesMax } = packageLimits;
    const archive = (bytes: number) => {
      const body = paxRecord('comment', 'x'.repeat(bytes - '1048576 comment=\n'.length));
      assert.equal(body.length, bytes);
      return makeArchive([{ name: 'x', type: 'x', body }, ...entries]);
    };
    await read(archive(extendedHeaderBytesMax));
    await assertMalformed(read(archive(extendedHeaderBytesMax + 1)), 'too-large', /extended header/);
  });

  it('extended headers without an entry, in all', async () => {
    const header = entryBlocks({ name: 'x', type: 'g', body: paxRecord('comment', 'x'.repeat(1_000_000)) });
    const archive = Buffer.concat([...Array.from({ length: 18 }, () => header), makeArchive(entries)]);
    await assertMalformed(read(archive), 'too-large', /bytes of metadata/);
  });

  it('compressionRatioMax and ratioFreeBytes', async () => {
    const { compressionRatioMax, ratioFreeBytes } = packageLimits;
    const inflateAt = async (archiveBytes: number, compressedBytes: number) => {
      const compressed = (async function* () {
        yield compress(Buffer.alloc(archiveBytes), 'gzip');
      })();
      const { archive } = await decompress(compressed, 0, () => compressedBytes);
      for await (const _ of archive);
    };
    await inflateAt(ratioFreeBytes, 1);
    await assertMalformed(inflateAt(ratioFreeBytes + 1, 1), 'too-large', /ratio/);
    await inflateAt(2 * ratioFreeBytes, (2 * ratioFreeBytes) / compressionRatioMax);
    await assertMalformed(
      inflateAt(2 * ratioFreeBytes, (2 * ratioFreeBytes) / compressionRatioMax - 1),
      'too-large',
      /of at most 256, found 257/,
    );
  });

  it('layersMax', async () => {
    let bytes = makePackage({ compression: 'none' });
    for (let layers = 0; layers < packageLimits.layersMax; layers += 1) bytes = compress(bytes, 'gzip');
    await read(bytes);
    await assertMalformed(read(compress(bytes, 'gzip')), 'too-large', /at most 25 layers/);
  });

  it('a bomb in a layer that gives nothing is refused after little work', async () => {
    // Inside is a gzip header with a name of 40 MB.
    const name = Buffer.concat([Buffer.from('1f8b0808000000000003', 'hex'), Buffer.alloc(40_000_000, 'n')]);
    await assertMalformed(read(compress(name, 'gzip')), 'too-large', /ratio/);
  });

  it('a bomb in every compression is refused after little work', async () => {
    const zeros = { name: '+INSTALL', body: Buffer.alloc(2_000_000) };
    const bomb = makeArchive([contents, ...Array.from({ length: 8 }, () => zeros)]);
    for (const bytes of [compress(bomb, 'gzip'), compress(bomb, 'zstd'), fixture('bomb.bz2'), fixture('bomb.xz')]) {
      await assertMalformed(read(bytes), 'too-large', /ratio/);
    }
  });

  it('compressedBytesMax', async () => {
    const { compressedBytesMax } = packageLimits;
    const packageBytes = makePackage({ compression: 'zstd' });
    const afterSkippable = (bytes: number) => {
      const header = Buffer.from('\x50\x2a\x4d\x18\0\0\0\0', 'latin1');
      const empty = compress(new Uint8Array(), 'zstd');
      header.writeUInt32LE(bytes - empty.length - header.length - packageBytes.length, 4);
      const skipped = Buffer.alloc(header.readUInt32LE(4));
      return Buffer.concat([empty, header, skipped, packageBytes]);
    };
    await read(afterSkippable(compressedBytesMax));
    await assertMalformed(read(afterSkippable(compressedBytesMax + 1)), 'too-large', /within the first 33554432 bytes/);
  });

  it('compressedBytesMax holds for a file of any size', async () => {
    const endless = Buffer.concat([
      compress(new Uint8Array(), 'zstd'),
      Buffer.from('\x50\x2a\x4d\x18\0\0\0\xff', 'latin1'),
    ]);
    const source = new ByteSource(endless, 4_000_000_000);
    await assertMalformed(readPackage(source), 'too-large');
    assert.equal(source.bytesRead, packageLimits.compressedBytesMax);
  });

  it('streamsMax', async () => {
    const { streamsMax } = packageLimits;
    const cases = [
      { empty: Buffer.from('425a683917724538509000000000', 'hex'), last: fixture('made.bz2') },
      { empty: compress(new Uint8Array(), 'zstd'), last: makePackage({ compression: 'zstd' }) },
      { empty: fixture('empty.xz'), last: fixture('made.xz') },
    ];
    for (const { empty, last } of cases) {
      const streams = Buffer.concat([...Array.from({ length: streamsMax - 1 }, () => empty), last]);
      await read(streams);
      await assertMalformed(
        read(Buffer.concat([empty, streams])),
        'corrupt-compression',
        /more than 1000 (streams|frames)/,
      );
    }
  });

  it('gzipMembersMax', async () => {
    const { gzipMembersMax } = packageLimits;
    const empty = compress(new Uint8Array(), 'gzip');
    const members = Buffer.concat([...Array.from({ length: gzipMembersMax - 1 }, () => empty), makePackage()]);
    await read(members);
    await assertMalformed(read(Buffer.concat([empty, members])), 'corrupt-compression', /more than 4000 members/);
  });

  it('xzBlocksMax', async () => {
    const { xzBlocksMax } = packageLimits;
    // Blocks without data, and the index of a stream of them.
    const blocks = (count: number) => Buffer.concat(Array.from({ length: count }, () => emptyXzBlock));
    const stream = (count: number) => Buffer.concat([emptyXz.subarray(0, 12), blocks(count), emptyXz.subarray(12)]);
    // The index does not list the blocks, but comes after all of them.
    await assertMalformed(read(stream(xzBlocksMax)), 'truncated');
    await assertMalformed(read(stream(xzBlocksMax + 1)), 'corrupt-compression', /more than 10000 blocks/);
  });

  it('arNameBytesMax', async () => {
    const { arNameBytesMax } = packageLimits;
    const signed = (bytes: number) =>
      makeSigned([
        ['+PKG_HASH', 'x'],
        ['+PKG_SIGNATURE', 'x'],
        ['n'.repeat(bytes), makePackage()],
      ]);
    await read(signed(arNameBytesMax));
    await assertMalformed(read(signed(arNameBytesMax + 1)), 'corrupt-signed-package', /name/);
  });
});
