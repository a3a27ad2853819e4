import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { crc32 } from 'node:zlib';
import { compareByBytes } from '../../functions/keys.ts';
import {
  type CutBlock,
  cutIntoBlocks,
  digestOf,
  emptyBlock,
  type FiledRecord,
  recordsOf,
} from '../../functions/summary/blocks.ts';
import { each, gathered } from './summary-text.ts';

function recordFor(file: string, more = ''): FiledRecord {
  return { file, record: Buffer.from(`PKGNAME=x-1\n${more}FILE_NAME=${file}\nFILE_SIZE=7\n\n`) };
}

async function cut(records: readonly FiledRecord[], blockBytes: number): Promise<CutBlock[]> {
  return gathered(cutIntoBlocks(each(records), blockBytes));
}

const many = Array.from({ length: 5_000 }, (_, number) => recordFor(`p${number}-1.0.tgz`)).sort((a, b) =>
  compareByBytes(a.file, b.file),
);

describe('blocks', () => {
  it('hold all records, in order, and say what they hold', async () => {
    const blocks = await cut(many, 2_000);
    assert.deepEqual(Buffer.concat(blocks.map(({ text }) => text)), Buffer.concat(many.map(({ record }) => record)));
    for (const block of blocks) {
      const records = recordsOf(block.text);
      assert.equal(block.records, records.length);
      assert.equal(block.firstFile, records[0]?.file);
      assert.equal(block.textBytes, block.text.length);
      assert.equal(block.crc32, crc32(block.text));
      assert.equal(block.sha256, createHash('sha256').update(block.text).digest('hex'));
    }
  });

  it('have the size that was asked for, on average, whatever the records have', async () => {
    for (const blockBytes of [1_000, 10_000]) {
      for (const description of ['', `DESCRIPTION=${'d'.repeat(700)}\n`]) {
        const records = many.map(({ file }) => recordFor(file, description));
        const blocks = await cut(records, blockBytes);
        const average = blocks.reduce((sum, { textBytes }) => sum + textBytes, 0) / blocks.length;
        assert.ok(Math.abs(average / blockBytes - 1) < 0.5, `${average} bytes, not ${blockBytes}`);
      }
    }
  });

  it('begin where their first record says so, whatever comes before it', async () => {
    const blocks = await cut(many, 2_000);
    for (const begin of [1, 999, 4_000]) {
      const [, ...others] = await cut(many.slice(begin), 2_000);
      const borders = new Set(blocks.map(({ firstFile }) => firstFile));
      assert.ok(others.length > 0);
      for (const { firstFile } of others) assert.ok(borders.has(firstFile), firstFile);
    }
  });

  it('are one for each record where they may be as small as that, and one for all where they need not end', async () => {
    assert.equal((await cut(many, 1)).length, many.length);
    assert.equal((await cut(many, Number.MAX_SAFE_INTEGER)).length, 1);
  });

  it('are none where there is no record; a line feed stands for that', async () => {
    assert.deepEqual(await cut([], 1), []);
    assert.equal(Buffer.from(emptyBlock.text).toString(), '\n');
    assert.deepEqual([emptyBlock.records, emptyBlock.textBytes, emptyBlock.firstFile], [0, 1, '']);
    assert.deepEqual(recordsOf(emptyBlock.text), []);
  });

  it('have a digest that depends on all of them and on their order', async () => {
    const [first, second] = await cut(many, 2_000);
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
