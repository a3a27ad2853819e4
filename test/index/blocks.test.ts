import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { crc32 } from 'node:zlib';
import { BlockCutter, digestOf, emptyBlock, type FiledRecord, recordsOf } from '../../functions/index/blocks.ts';
import { compareByBytes } from '../../functions/keys.ts';
import { cutIntoBlocks } from './summary-text.ts';

function recordFor(file: string, more = ''): FiledRecord {
  return { file, record: Buffer.from(`PKGNAME=x-1\n${more}FILE_NAME=${file}\nFILE_SIZE=7\n\n`) };
}

const many = Array.from({ length: 5_000 }, (_, number) => recordFor(`p${number}-1.0.tgz`)).sort((a, b) =>
  compareByBytes(a.file, b.file),
);

describe('blocks', () => {
  it('hold all records, in order, and say what they hold', async () => {
    const blocks = cutIntoBlocks(many, 2_000);
    assert.deepEqual(Buffer.concat(blocks.map(({ text }) => text)), Buffer.concat(many.map(({ record }) => record)));
    for (const block of blocks) {
      const records = recordsOf(block.text);
      assert.equal(block.records, records.length);
      assert.equal(block.firstFile, records[0]?.file);
      assert.equal(block.firstRecordBytes, records[0]?.record.length);
      assert.equal(block.textBytes, block.text.length);
      assert.equal(block.crc32, crc32(block.text));
      assert.equal(block.sha256, createHash('sha256').update(block.text).digest('hex'));
    }
  });

  it('have the size that was asked for, on average, whatever their records have', async () => {
    for (const blockBytes of [1_000, 10_000]) {
      for (const description of ['', `DESCRIPTION=${'d'.repeat(700)}\n`]) {
        const records = many.map(({ file }) => recordFor(file, description));
        const blocks = cutIntoBlocks(records, blockBytes);
        const average = blocks.reduce((sum, { textBytes }) => sum + textBytes, 0) / blocks.length;
        assert.ok(Math.abs(average / blockBytes - 1) < 0.5, `${average} bytes, not ${blockBytes}`);
      }
    }
  });

  it('have three quarters of that at least, but for the last one, and rarely twice as much', () => {
    const blocks = cutIntoBlocks(many, 4_000);
    for (const { textBytes } of blocks.slice(0, -1)) assert.ok(textBytes >= 3_000, `${textBytes} bytes`);
    const large = blocks.filter(({ textBytes }) => textBytes > 8_000);
    assert.ok(large.length < blocks.length / 20, `${large.length} of ${blocks.length}`);
  });

  it('are soon the same again, wherever one begins to cut', () => {
    const borders = new Set(cutIntoBlocks(many, 2_000).map(({ firstFile }) => firstFile));
    for (const begin of [1, 999, 3_000]) {
      const [, ...others] = cutIntoBlocks(many.slice(begin), 2_000);
      const differing = others.findIndex(({ firstFile }) => borders.has(firstFile));
      assert.ok(differing >= 0 && differing < 10, `${differing} blocks`);
      for (const { firstFile } of others.slice(differing)) assert.ok(borders.has(firstFile), firstFile);
    }
  });

  it('begin where a record is a border; before the first one there is nothing to end', () => {
    const cutter = new BlockCutter(2_000);
    for (const { file, record } of many) {
      const startsBlock = cutter.startsBlock(file, record.length);
      const ended = cutter.add({ file, record });
      assert.equal(ended !== undefined, startsBlock && file !== many[0]?.file);
    }
    assert.ok(cutter.end());
    assert.equal(cutter.end(), undefined);
    assert.ok(cutter.startsBlock('whatever.tgz', 1));
  });

  it('are one for each record where they may be as small as that, and one for all where they need not end', async () => {
    assert.equal(cutIntoBlocks(many, 1).length, many.length);
    assert.equal(cutIntoBlocks(many, Number.MAX_SAFE_INTEGER).length, 1);
  });

  it('are none where there is no record; a line feed stands for that', async () => {
    assert.deepEqual(cutIntoBlocks([], 1), []);
    assert.equal(Buffer.from(emptyBlock.text).toString(), '\n');
    assert.deepEqual([emptyBlock.records, emptyBlock.textBytes, emptyBlock.firstFile], [0, 1, '']);
    assert.deepEqual(recordsOf(emptyBlock.text), []);
  });

  it('have a digest that depends on all of them and on their order', async () => {
    const [first, second] = cutIntoBlocks(many, 2_000);
    assert.ok(first && second);
    const digests = [[], [first], [second], [first, second], [second, first]].map(digestOf);
    assert.equal(new Set(digests).size, digests.length);
    const expected = createHash('sha256')
      .update(Buffer.from(first.sha256 + second.sha256, 'hex'))
      .digest('hex');
    assert.equal(digestOf([first, second]), expected);
  });
});

describe('the records of a text', () => {
  it('are known by their FILE_NAME, in whatever encoding, and by nothing that only looks like it', () => {
    const files = ['é-1.0.tgz', '\u{1f600}.tgz', 'a b.tgz', 'x+-1.tgz'];
    const tricky = 'COMMENT=FILE_NAME=no.tgz\nDESCRIPTION=a\rFILE_NAME=no.tgz\nXFILE_NAME=no.tgz\nDESCRIPTION=\n';
    const records = files.map((file) => recordFor(file, tricky));
    assert.deepEqual(recordsOf(Buffer.concat(records.map(({ record }) => record))), records);
  });

  it('keep the bytes that they have', () => {
    const record = Buffer.from('FILE_NAME=x.tgz\nCOMMENT=\xe9\x80\xff\n\n', 'latin1');
    assert.deepEqual(recordsOf(record), [{ file: 'x.tgz', record }]);
  });

  it('end with the last empty line', () => {
    const { file, record } = recordFor('x.tgz');
    assert.deepEqual(recordsOf(Buffer.concat([record, Buffer.from('FILE_NAME=cut.tgz\n')])), [{ file, record }]);
    assert.deepEqual(recordsOf(Buffer.alloc(0)), []);
  });
});
