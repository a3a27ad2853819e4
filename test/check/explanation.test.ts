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

test('a held-back publication leaves an older index: nothing is said to be in it or gone from it', async () => {
  const { table } = SqliteRecords.open({ file: join(directory, 'held-back', 'records.sqlite') });
  const facts = { etag: 'e', size: 1, lastModified: new Date(0), metadata: {} };
  const place = { repository: 'All', indexedAt: new Date(0), rules: '', ...facts };
  const record = Buffer.from('PKGNAME=x-1.0\n\n');
  await table.putRow({ ...place, file: 'x-1.0.tgz', state: 'indexed', record, warnings: [] });
  const reason = { code: 'no-metadata', message: 'none' };
  await table.putRow({ ...place, file: 'bad-1.0.tgz', state: 'rejected', reason });
  const files = ['gone-1.0.tgz'];
  const heldBack = { reason: 'rules', from: 20, to: 1, files, index: 'i', since: new Date(0) } as const;
  const cases = [
    [
      'x-1.0.tgz',
      facts,
      /older: .* held back \(from 20 packages to 1 package\)\. This package will be in .* once that is confirmed/,
    ],
    ['bad-1.0.tgz', facts, /^It is rejected\. .* older, and may still have it: .*\(from 20 packages to 1 package\)/],
    ['gone-1.0.tgz', undefined, /^There is no such package in All\. .* still has it: /],
    ['other-1.0.tgz', undefined, /^There is no such package in All\. .* may still have it: /],
  ] as const;
  for (const isAdopted of [false, true]) {
    if (isAdopted) await table.markAdopted('All');
    await table.setHeldBack('All', heldBack);
    for (const [file, head, expected] of cases)
      assert.match((await explainKey(`All/${file}`, head, table, '')).sentence, expected);
  }
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
