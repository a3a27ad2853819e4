import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import type { IndexedRow, RejectedRow, Row } from '../../functions/ports.ts';
import { buildSummary } from '../../functions/summary/summary.ts';

const facts = {
  repository: 'All',
  etag: 'e',
  size: 7,
  lastModified: new Date('2026-01-01T00:00:00Z'),
  indexedAt: new Date('2026-01-02T00:00:00Z'),
};

function indexed(file: string, name: string, more: Partial<IndexedRow> = {}): IndexedRow {
  const record = Buffer.from(`PKGNAME=${name}\nCOMMENT=\xe9\nFILE_NAME=${file}\nFILE_SIZE=7\n\n`, 'latin1');
  return { ...facts, file, state: 'indexed', record, warnings: [], ...more };
}

function rejected(file: string): RejectedRow {
  return { ...facts, file, state: 'rejected', reason: { code: 'truncated', message: 'expected more, found the end' } };
}

async function* tableOf(rows: readonly Row[]): AsyncGenerator<Row> {
  yield* rows;
}

function summaryOf(...rows: Row[]) {
  return buildSummary(tableOf(rows), new Date(0));
}

describe('a summary', () => {
  it('is the records, one behind the other, in the order of the rows, byte for byte', async () => {
    const rows = [indexed('a.tgz', 'z-1.0'), indexed('b.tgz', 'a-1.0'), indexed('c.tgz', 'm-1.0')];
    const { text, records } = await summaryOf(...rows);
    assert.ok(Buffer.from(text).equals(Buffer.concat(rows.map(({ record }) => record))));
    assert.equal(records, 3);
  });

  it('of nothing is one line feed', async () => {
    for (const rows of [[], [rejected('a.tgz')]]) {
      const { text, records } = await summaryOf(...rows);
      assert.equal(Buffer.from(text).toString(), '\n');
      assert.equal(records, 0);
    }
  });

  it('leaves the rejected ones out, and counts them', async () => {
    const good = indexed('b.tgz', 'b-1.0');
    const { text, records, rejected: count } = await summaryOf(rejected('a.tgz'), good, rejected('c.tgz'));
    assert.ok(Buffer.from(text).equals(good.record));
    assert.deepEqual([records, count], [1, 2]);
  });

  it('has the ETag of every file, of the rejected ones too', async () => {
    const { etags } = await summaryOf(indexed('a.tgz', 'a-1', { etag: '1' }), { ...rejected('b.tgz'), etag: '2' });
    assert.deepEqual(
      [...etags],
      [
        ['a.tgz', '1'],
        ['b.tgz', '2'],
      ],
    );
  });

  it('counts the warnings, those of duplicates included', async () => {
    const warned = indexed('a.tgz', 'a-1.0', { warnings: ['name-mismatch', 'plus-in-name'] });
    assert.equal((await summaryOf(warned, indexed('b.tgz', 'b-1.0'))).warnings, 2);
    assert.equal((await summaryOf(warned, indexed('b.tgz', 'a-1.0'))).warnings, 4);
  });

  it('knows the uploads behind the rows that are new since a time', async () => {
    const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second));
    const rows = [1, 2, 3].map((second) =>
      indexed(`${second}.tgz`, `x-${second}`, { indexedAt: at(second), lastModified: at(10 * second) }),
    );
    const { uploads } = await buildSummary(tableOf([...rows, { ...rejected('r.tgz'), indexedAt: at(9) }]), at(2));
    assert.deepEqual(uploads, [at(20), at(30)]);
  });

  it('is a function of the records alone', async () => {
    const later = { indexedAt: new Date(), lastModified: new Date(), etag: 'other', size: 8, repository: 'Other' };
    const one = await summaryOf(indexed('a.tgz', 'a-1.0'), indexed('b.tgz', 'b-1.0'));
    const two = await summaryOf(indexed('a.tgz', 'a-1.0', later), rejected('aa.tgz'), indexed('b.tgz', 'b-1.0', later));
    assert.deepEqual(two.text, one.text);
    assert.equal(two.sha256, one.sha256);
    assert.equal(one.sha256, createHash('sha256').update(one.text).digest('hex'));
    assert.notEqual((await summaryOf(indexed('a.tgz', 'a-1.1'))).sha256, one.sha256);
  });
});
