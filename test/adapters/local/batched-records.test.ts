import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { BatchedRecords } from '../../../functions/adapters/local/batched-records.ts';
import { SqliteRecords, tableLimits } from '../../../functions/adapters/local/sqlite-records.ts';
import type { Repository } from '../../../functions/ports.ts';
import { indexedRow, recordTableContract } from '../record-table.contract.ts';

async function openBatched() {
  const directory = await mkdtemp(join(tmpdir(), 'batched-records-'));
  const file = join(directory, 'records.sqlite');
  const changes: Repository[] = [];
  const { table: written } = SqliteRecords.open({ file, onChange: (repository) => changes.push(repository) });
  const close = async () => {
    written.close();
    await rm(directory, { recursive: true });
  };
  return { table: new BatchedRecords(written), written, file, told: changes, close };
}

// What its change stream tells, and when, is below: of a row that changed twice in one batch it tells once.
recordTableContract('BatchedRecords', openBatched, { changeStream: 'elsewhere' });

describe('BatchedRecords', () => {
  const { repository } = indexedRow('a');
  let opened: Awaited<ReturnType<typeof openBatched>>;
  let table: BatchedRecords;

  beforeEach(async () => {
    opened = await openBatched();
    table = opened.table;
  });
  afterEach(() => opened.close());

  async function filesWritten(): Promise<string[]> {
    const files: string[] = [];
    for await (const { file } of opened.written.rows(repository)) files.push(file);
    return files;
  }

  it('knows what waits, and tells of it once it is written', async () => {
    await opened.written.putRow(indexedRow('gone'));
    opened.told.length = 0;
    await table.putRow(indexedRow('a'));
    await table.putRow(indexedRow('a', { etag: '"2"' }));
    await table.deleteRow(repository, 'gone');
    await table.deleteRow(repository, 'never there');
    assert.equal((await table.row(repository, 'a'))?.etag, '"2"');
    assert.equal(await table.row(repository, 'gone'), undefined);
    assert.deepEqual(opened.told, []);
    assert.deepEqual(await filesWritten(), ['gone']);
    table.writeAll();
    assert.deepEqual(opened.told, [repository, repository]);
    assert.deepEqual(await filesWritten(), ['a']);
    table.writeAll();
    assert.equal(opened.told.length, 2, 'nothing is written twice');
  });

  const record = (bytes: number) => Buffer.alloc(bytes, 'x');
  const { batchRowsMax, batchBytesMax } = tableLimits;
  const batches: Record<string, { readonly waits: readonly number[]; readonly fills: number }> = {
    'so many rows that the batch is full': { waits: Array(batchRowsMax - 1).fill(1), fills: 1 },
    'so many bytes that the batch is full': { waits: [batchBytesMax - 1], fills: 1 },
  };
  for (const [name, { waits, fills }] of Object.entries(batches)) {
    it(`${name} are written, and one fewer wait`, async () => {
      for (const [n, bytes] of waits.entries()) await table.putRow(indexedRow(`a${n}`, { record: record(bytes) }));
      assert.deepEqual(await filesWritten(), []);
      await table.putRow(indexedRow('z', { record: record(fills) }));
      assert.equal((await filesWritten()).length, waits.length + 1);
    });
  }

  it('what cannot be written waits on, all of it, and is written the next time', async () => {
    const breaking = new DatabaseSync(opened.file);
    const trigger = "BEFORE INSERT ON records WHEN NEW.file = 'b' BEGIN SELECT RAISE(ABORT, 'no room'); END";
    breaking.exec(`CREATE TRIGGER break ${trigger}`);
    for (const file of ['a', 'b', 'c']) await table.putRow(indexedRow(file));
    assert.throws(() => table.writeAll(), /no room/);
    assert.deepEqual([await filesWritten(), opened.told], [[], []]);
    assert.equal((await table.row(repository, 'a'))?.file, 'a');
    breaking.exec('DROP TRIGGER break');
    breaking.close();
    table.writeAll();
    assert.deepEqual(await filesWritten(), ['a', 'b', 'c']);
  });
});
