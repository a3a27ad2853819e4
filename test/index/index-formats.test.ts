import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import fc from 'fast-check';
import { Gunzip } from 'fflate';
import { Decompress as Unzstd } from 'fzstd';
import { emptyBlock, type PackedBlock } from '../../functions/index/blocks.ts';
import { extraFieldBytesMax, inflateBlock, joinGzip, splitGzip } from '../../functions/index/gzip-index.ts';
import { type IndexFormatName, indexFormatNames, indexFormats } from '../../functions/index/index-formats.ts';
import { splitZstd } from '../../functions/index/zstd-index.ts';
import { indexFiles } from '../../functions/keys.ts';
import { noise } from '../package-maker.ts';
import { readIndex } from '../pkgin-reader.ts';
import { runs } from '../thoroughness.ts';
import { cutIntoBlocks } from './summary-text.ts';

const publishedAt = new Date('2026-03-04T05:06:07Z');
const blockBytes = 1_000;

function format(name: IndexFormatName) {
  const found = indexFormats.find((candidate) => candidate.name === name);
  assert.ok(found);
  return found;
}

function recordsOf(count: number, description = (number: number) => noise(number % 400).toString('hex')) {
  return Array.from({ length: count }, (_, number) => {
    const file = `p${String(number).padStart(6, '0')}-é.tgz`;
    const lines = [`PKGNAME=p${number}-1.0`, `FILE_NAME=${file}`, 'FILE_SIZE=7', `DESCRIPTION=${description(number)}`];
    return { file, record: Buffer.from(`${lines.join('\n')}\n\n`) };
  });
}

/** The blocks of so many records, compressed. */
async function packed(name: IndexFormatName, count: number): Promise<PackedBlock[]> {
  const cut = count === 0 ? [emptyBlock] : cutIntoBlocks(recordsOf(count), blockBytes);
  return Promise.all(cut.map(async ({ text, ...block }) => ({ block, piece: await format(name).compress(text) })));
}

function textOf(count: number): Buffer {
  return count === 0 ? Buffer.from('\n') : Buffer.concat(recordsOf(count).map(({ record }) => record));
}

async function index(name: IndexFormatName, count: number, at = publishedAt): Promise<Buffer> {
  return Buffer.concat(format(name).join(await packed(name, count), at, blockBytes));
}

describe('an index', () => {
  it('is published in gz first, which every client reads, under a name that is ours', () => {
    assert.deepEqual(
      indexFormats.map(({ name }) => name),
      indexFormatNames,
    );
    assert.equal(indexFormats[0]?.file, 'pkg_summary.gz');
    for (const { file, name } of indexFormats) {
      assert.equal(file, `pkg_summary.${name}`);
      assert.ok((indexFiles as readonly string[]).includes(file));
    }
  });

  for (const count of [0, 1, 2, 500]) {
    it(`of ${count} records holds them in every format, for pkgin and for the page`, async () => {
      for (const name of indexFormatNames) {
        const bytes = await index(name, count);
        assert.deepEqual(Buffer.from(readIndex(bytes, name).summary), textOf(count), name);
        const pieces: Uint8Array[] = [];
        const decoder = new { gz: Gunzip, zst: Unzstd }[name]((piece) => pieces.push(piece));
        for (let offset = 0; offset < bytes.length; offset += 1_000)
          decoder.push(bytes.subarray(offset, offset + 1_000), offset + 1_000 >= bytes.length);
        assert.deepEqual(Buffer.concat(pieces), textOf(count), `${name} in the page`);
      }
    });
  }

  it('comes apart into the very blocks and pieces that it was made of', async () => {
    for (const count of [0, 1, 500]) {
      const gz = await packed('gz', count);
      assert.deepEqual(splitGzip(await index('gz', count), blockBytes), gz);
      const zst = await packed('zst', count);
      const blocks = zst.map(({ block }) => block);
      assert.deepEqual(
        splitZstd(await index('zst', count), blocks),
        zst.map(({ piece }) => piece),
      );
    }
  });
});

describe('an index in gz', () => {
  it('is one member that says when it was published, and nothing else', async () => {
    for (const count of [0, 500]) {
      const bytes = await index('gz', count);
      const [id1, id2, method, flags] = bytes;
      assert.deepEqual([id1, id2, method], [0x1f, 0x8b, 8]);
      assert.equal(flags, 0b100, 'no name, no comment');
      assert.equal(bytes.readUInt32LE(4), publishedAt.getTime() / 1000);
      assert.equal(bytes[9], 255);
      const info = gunzipSync(bytes, { info: true }) as unknown as { buffer: Buffer; engine: { bytesWritten: number } };
      assert.deepEqual(info.buffer, textOf(count));
      assert.equal(info.engine.bytesWritten, bytes.length);
    }
  });

  it('has other bytes for each second of publication, and the same for the same', async () => {
    const at = (milliseconds: number) => index('gz', 3, new Date(publishedAt.getTime() + milliseconds));
    assert.deepEqual(await at(0), await at(0));
    const publications = await Promise.all([0, 1000, 2000, 3000].map(at));
    assert.equal(new Set(publications.map((bytes) => bytes.toString('hex'))).size, 4);
    assert.deepEqual(await at(999), await at(0));
  });

  it('can be published until 2106, the last second that its header holds', async () => {
    assert.equal((await index('gz', 0, new Date((2 ** 32 - 1) * 1000))).readUInt32LE(4), 2 ** 32 - 1);
  });

  it('tells of its blocks as long as that fits into its header; beyond, it is an index all the same', async () => {
    const [first] = await packed('gz', 1);
    assert.ok(first);
    // An entry has 54 bytes and the name; 8 bytes come before all entries, 4 begin the field.
    const entries = Math.floor((extraFieldBytesMax - 12) / 1_054);
    const blocksOf = (lastNameBytes: number) => [
      ...Array.from({ length: entries }, () => nameOf(first, 1_000)),
      nameOf(first, lastNameBytes),
    ];
    const room = extraFieldBytesMax - 12 - entries * 1_054 - 54;
    for (const [lastNameBytes, isTold] of [
      [room, true],
      [room + 1, false],
    ] as const) {
      const blocks = blocksOf(lastNameBytes);
      const bytes = Buffer.concat(joinGzip(blocks, publishedAt, blockBytes));
      assert.deepEqual(splitGzip(bytes, blockBytes), isTold ? blocks : undefined);
      assert.equal(gunzipSync(bytes).length, (entries + 1) * first.block.textBytes);
    }
  });

  it('does not tell of blocks that were cut to another size', async () => {
    assert.equal(splitGzip(await index('gz', 5), blockBytes + 1), undefined);
  });

  it('that is cut, longer, or not ours has no blocks, and is no error', async () => {
    const bytes = await index('gz', 20);
    for (let length = 0; length < bytes.length; length += 1)
      assert.equal(splitGzip(bytes.subarray(0, length), blockBytes), undefined, `${length} bytes`);
    assert.equal(splitGzip(Buffer.concat([bytes, Buffer.alloc(1)]), blockBytes), undefined);
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (junk) => splitGzip(junk, blockBytes) === undefined));
    const theirs = fc.uint8Array({ maxLength: 400 });
    fc.assert(
      fc.property(theirs, (field) => {
        const header = Buffer.from([0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 2, 255, field.length & 255, field.length >> 8]);
        splitGzip(Buffer.concat([header, field, Buffer.alloc(10)]), blockBytes);
      }),
    );
  });

  it('does not tell of blocks where any byte of what it tells was damaged', async () => {
    const bytes = await index('gz', 20);
    const [begin, end] = [12, 12 + bytes.readUInt16LE(10)];
    for (let at = begin; at < end; at += 1) {
      const damaged = Buffer.from(bytes);
      damaged[at] = (damaged[at] ?? 0) ^ 0x10;
      assert.equal(splitGzip(damaged, blockBytes), undefined, `byte ${at}`);
    }
  });

  it('gives the text of a block only if it is the text that it was', async () => {
    for (const { block, piece } of await packed('gz', 20)) {
      assert.equal(inflateBlock({ block, piece })?.length, block.textBytes);
      assert.equal(inflateBlock({ block: { ...block, crc32: block.crc32 ^ 1 }, piece }), undefined);
      for (const more of [-1, 1])
        assert.equal(inflateBlock({ block: { ...block, textBytes: block.textBytes + more }, piece }), undefined);
      for (let at = 0; at < piece.length; at += 7) {
        const damaged = Buffer.from(piece);
        damaged[at] = (damaged[at] ?? 0) ^ 0x10;
        const text = inflateBlock({ block, piece: damaged });
        assert.ok(text === undefined || Buffer.from(text).equals(inflateBlock({ block, piece }) ?? Buffer.alloc(0)));
      }
    }
  });
});

describe('an index in zst', () => {
  it('is one frame for each block, with its size and a checksum', async () => {
    const zst = await packed('zst', 500);
    assert.ok(zst.length > 50);
    for (const { block, piece } of zst) {
      const bytes = Buffer.from(piece);
      assert.equal(bytes.readUInt32LE(0), 0xfd2fb528);
      assert.ok(((bytes[4] ?? 0) & 0b100) !== 0, 'a checksum');
      assert.equal(zstdDecompressSync(bytes).length, block.textBytes);
      assert.deepEqual(splitZstd(bytes, [block]), [piece]);
    }
  });

  it('with blocks of any content, of any size, comes apart again', async () => {
    for (const size of [1, 255, 256, 257, 65_791, 65_792, 1_000_000]) {
      for (const text of [Buffer.alloc(size, 'a'), noise(size), Buffer.alloc(size, 'a text\n')]) {
        const piece = await format('zst').compress(text);
        const block = { ...emptyBlock, textBytes: size };
        assert.deepEqual(splitZstd(Buffer.concat([piece, piece]), [block, block]), [piece, piece], `${size} bytes`);
        assert.equal(splitZstd(piece, [{ ...block, textBytes: size + 1 }]), undefined);
      }
    }
  });

  it('that is cut, longer, of other blocks, or not ours does not come apart, and is no error', async () => {
    const zst = await packed('zst', 20);
    const blocks = zst.map(({ block }) => block);
    const bytes = await index('zst', 20);
    for (let length = 0; length < bytes.length; length += 1)
      assert.equal(splitZstd(bytes.subarray(0, length), blocks), undefined, `${length} bytes`);
    assert.equal(splitZstd(Buffer.concat([bytes, Buffer.alloc(1)]), blocks), undefined);
    assert.equal(splitZstd(bytes, blocks.slice(1)), undefined);
    assert.equal(splitZstd(bytes, [...blocks, emptyBlock]), undefined);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (junk) => {
        const frame = Buffer.concat([Buffer.from('28b52ffd', 'hex'), junk]);
        splitZstd(frame, [emptyBlock]);
        assert.equal(splitZstd(junk, blocks), undefined);
      }),
      { numRuns: runs(1_000) },
    );
  });
});

function nameOf({ block, piece }: PackedBlock, nameBytes: number): PackedBlock {
  return { block: { ...block, firstFile: 'f'.repeat(nameBytes) }, piece };
}
