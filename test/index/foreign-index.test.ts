import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { foreignIndexLimits, recordsInIndex } from '../../functions/index/foreign-index.ts';

async function filesIn(index: Uint8Array): Promise<string[]> {
  const files: string[] = [];
  for await (const { file } of recordsInIndex(index)) files.push(file);
  return files;
}

const text = Buffer.from(
  'PKGNAME=a-1.0\nCOMMENT=c\nFILE_NAME=a-1.0.tgz\n\nPKGNAME=b-2.0\nCOMMENT=without a file name\n\nCOMMENT=without any name\n\n',
);

describe('an index of another program', () => {
  it('has records in gzip, in several members, and in zstd', async () => {
    for (const index of [
      gzipSync(text),
      Buffer.concat([gzipSync(text.subarray(0, 50)), gzipSync(text.subarray(50))]),
      zstdCompressSync(text),
    ])
      assert.deepEqual(await filesIn(index), ['a-1.0.tgz', 'b-2.0.tgz']);
  });

  it('has records in bzip2 and xz', async () => {
    const directory = join(import.meta.dirname, '../fixtures/cases');
    for (const file of ['pkg_summary.bz2', 'pkg_summary.xz'])
      assert.deepEqual(await filesIn(readFileSync(join(directory, file))), ['a-1.0.tgz', 'b-2.0.tgz'], file);
  });

  it('of many records has all of them', async () => {
    const many = Array.from(
      { length: 20_000 },
      (_, index) => `PKGNAME=p-${index}\nCOMMENT=${'c'.repeat(index % 90)}\n\n`,
    );
    const files = await filesIn(gzipSync(many.join('')));
    assert.equal(files.length, 20_000);
    assert.equal(files.at(-1), 'p-19999.tgz');
  });

  it('that is cut or damaged has the records before', async () => {
    const records = Array.from({ length: 5_000 }, (_, index) => `PKGNAME=p-${Math.imul(index, 0x9e3779b1)}\n\n`).join(
      '',
    );
    const whole = gzipSync(records);
    const files = await filesIn(whole.subarray(0, whole.length / 2));
    assert.ok(files.length < 5_000, `${files.length}`);
    assert.deepEqual(await filesIn(Buffer.from('theirs')), []);
    assert.deepEqual(await filesIn(Buffer.alloc(0)), []);
    assert.deepEqual(await filesIn(gzipSync('\n')), []);
  });

  it('of any bytes never throws', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        await filesIn(bytes);
        await filesIn(gzipSync(bytes));
      }),
      { numRuns: 100 },
    );
  });

  it('without the end of a record is read up to a limit', async () => {
    const { recordBytesMax } = foreignIndexLimits;
    const of = (bytes: number) => gzipSync(Buffer.concat([text, Buffer.alloc(bytes, 'x'), Buffer.from('\n\n'), text]));
    assert.equal((await filesIn(of(recordBytesMax - 100_000))).length, 4);
    assert.equal((await filesIn(of(recordBytesMax + 100_000))).length, 2);
  });
});
