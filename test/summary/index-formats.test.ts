import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { indexFiles } from '../../functions/keys.ts';
import { indexFormatNames, indexFormats } from '../../functions/summary/index-formats.ts';
import { noise } from '../package-maker.ts';

const publishedAt = new Date('2026-03-04T05:06:07Z');
const summaries: readonly (readonly [what: string, summary: Buffer])[] = [
  ['none', Buffer.from('\n')],
  ['one record', Buffer.from('PKGNAME=x-1.0\nCOMMENT=\xe9\n\n', 'latin1')],
  ['a megabyte', noise(1_000_000)],
];

function format(name: 'gz' | 'zst') {
  const found = indexFormats.find((candidate) => candidate.name === name);
  assert.ok(found);
  return found;
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

  for (const [what, summary] of summaries) {
    it(`holds the summary in every format: ${what}`, async () => {
      assert.ok(gunzipSync(await format('gz').compress(summary, publishedAt)).equals(summary));
      assert.ok(zstdDecompressSync(await format('zst').compress(summary, publishedAt)).equals(summary));
    });
  }

  it('in gz is one member that says when it was published, and nothing else', async () => {
    const bytes = Buffer.from(await format('gz').compress(Buffer.from('\n'), publishedAt));
    const [id1, id2, method, flags] = bytes;
    assert.deepEqual([id1, id2, method], [0x1f, 0x8b, 8]);
    assert.equal(flags, 0, 'no name, no comment, no extra field');
    assert.equal(bytes.readUInt32LE(4), publishedAt.getTime() / 1000);
    assert.equal(bytes[9], 255);
    const { buffer, engine } = gunzipSync(bytes, { info: true }) as unknown as {
      buffer: Buffer;
      engine: { bytesWritten: number };
    };
    assert.equal(buffer.toString(), '\n');
    assert.equal(engine.bytesWritten, bytes.length);
    assert.equal(bytes.indexOf('\x1f\x8b\x08', 1, 'latin1'), -1);
  });

  it('in gz has other bytes for each second of publication, and the same for the same', async () => {
    const summary = Buffer.from('PKGNAME=x-1.0\n\n');
    const at = (milliseconds: number) => format('gz').compress(summary, new Date(publishedAt.getTime() + milliseconds));
    assert.deepEqual(await at(0), await at(0));
    const publications = await Promise.all([0, 1000, 2000, 3000].map(at));
    assert.equal(new Set(publications.map((bytes) => Buffer.from(bytes).toString('hex'))).size, 4);
    assert.deepEqual(await at(999), await at(0));
  });

  it('in gz can be published until 2106, the last second that its header holds', async () => {
    const last = new Date((2 ** 32 - 1) * 1000);
    assert.equal(Buffer.from(await format('gz').compress(Buffer.from('\n'), last)).readUInt32LE(4), 2 ** 32 - 1);
  });

  it('in zst is one frame with a checksum', async () => {
    const bytes = Buffer.from(await format('zst').compress(Buffer.from('PKGNAME=x-1.0\n\n'), publishedAt));
    assert.equal(bytes.readUInt32LE(0), 0xfd2fb528);
    const descriptor = bytes[4] ?? 0;
    assert.ok((descriptor & 0b100) !== 0, 'a checksum');
    assert.equal(bytes.indexOf('\x28\xb5\x2f\xfd', 1, 'latin1'), -1);
  });
});
