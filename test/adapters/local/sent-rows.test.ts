import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SentRows } from '../../../functions/adapters/local/sent-rows.ts';
import { MemoryRecords } from '../memory-records.ts';
import { indexedRow } from '../record-table.contract.ts';

describe('SentRows', () => {
  const { repository } = indexedRow('a');

  it('knows the rows of before and its own changes, the last of each row', async () => {
    const before = new MemoryRecords();
    await before.putRow(indexedRow('a'));
    await before.putRow(indexedRow('gone'));
    const rows = new SentRows(before);
    assert.equal((await rows.row(repository, 'a'))?.etag, indexedRow('a').etag);
    await rows.putRow(indexedRow('a', { etag: '"2"' }));
    await rows.putRow(indexedRow('a', { etag: '"3"' }));
    await rows.deleteRow(repository, 'gone');
    assert.equal((await rows.row(repository, 'a'))?.etag, '"3"');
    assert.equal(await rows.row(repository, 'gone'), undefined);
    assert.deepEqual(
      rows.take().changes.map(({ file, row }) => [file, row?.etag]),
      [
        ['a', '"3"'],
        ['gone', undefined],
      ],
    );
    assert.deepEqual(rows.take().changes, []);
  });

  it('gives records that can be transferred together', async () => {
    const rows = new SentRows(undefined);
    for (const text of ['one\n\n', '', 'three\n\n'])
      await rows.putRow(indexedRow(`file-${text.length}`, { record: Buffer.from(text) }));
    const { changes, buffer } = rows.take();
    const sent = structuredClone(changes, { transfer: [buffer] });
    assert.deepEqual(
      sent.map(({ row }) => Buffer.from(row?.record ?? []).toString()),
      ['one\n\n', '', 'three\n\n'],
    );
    assert.equal(buffer.byteLength, 0);
  });
});
