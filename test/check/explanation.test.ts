/** What `explain` says of a package. */

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { SqliteRecords } from '../../functions/adapters/local/sqlite-records.ts';
import { explainKey } from '../../functions/check/explanation.ts';

let directory: string;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'explanation-'));
});
after(() => rm(directory, { recursive: true }));

test('a package is not in the index while an index that another program made is still served', async () => {
  const { table } = SqliteRecords.open({ file: join(directory, 'waiting', 'records.sqlite') });
  const facts = { etag: 'e', size: 1, lastModified: new Date(0), metadata: {} };
  const record = Buffer.from('PKGNAME=x-1.0\n\n');
  const place = { repository: 'All', file: 'x-1.0.tgz', indexedAt: new Date(0), rules: '' };
  await table.putRow({ ...place, ...facts, state: 'indexed', record, warnings: [] });
  const explained = async () => (await explainKey('All/x-1.0.tgz', facts, table, '')).sentence;
  assert.match(await explained(), /^It will be in the index of All as x-1\.0 when every package there has been read /);
  await table.markAdopted('All');
  assert.match(await explained(), /^It is in the index of All as x-1\.0 /);
  table.close();
});

test('names are read as UTF-8 where they are valid UTF-8, and as Latin-1 otherwise', async () => {
  const { table } = SqliteRecords.open({ file: join(directory, 'named', 'records.sqlite') });
  const facts = { etag: 'e', size: 1, lastModified: new Date(0), metadata: {} };
  const place = { repository: 'All', file: 'x-1.0.tgz', indexedAt: new Date(0), rules: '' };
  for (const encoding of ['utf8', 'latin1'] as const) {
    const record = Buffer.from('PKGNAME=\u00fcml\u00e4ut-1.0\n\n', encoding);
    await table.putRow({ ...place, ...facts, state: 'indexed', record, warnings: [] });
    assert.match(
      (await explainKey('All/x-1.0.tgz', facts, table, '')).sentence,
      / as \u00fcml\u00e4ut-1\.0 /,
      encoding,
    );
  }
  table.close();
});
