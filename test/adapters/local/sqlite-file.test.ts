import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { openToWrite } from '../../../functions/adapters/local/sqlite-file.ts';

it('a table is written ahead and synced at checkpoints: a power failure loses the last rows at most', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'sqlite-file-'));
  t.after(() => rm(directory, { recursive: true }));
  for (const what of ['a new table', 'one that exists']) {
    const { database } = openToWrite(join(directory, 'records.sqlite'), 'quickly');
    assert.ok(database);
    // https://www.sqlite.org/pragma.html#pragma_synchronous: 0 is OFF, 1 is NORMAL.
    assert.equal(database.prepare('PRAGMA synchronous').get()?.synchronous, 1, what);
    assert.equal(database.prepare('PRAGMA journal_mode').get()?.journal_mode, 'wal', what);
    database.close();
  }
});
