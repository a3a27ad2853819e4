/** The commands for files and directories, as processes: what they say to odd arguments. What they do is tested with the steps. */

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { SqliteRecords } from '../../functions/adapters/sqlite-records.ts';
import { explainKey } from '../../scripts/explain.ts';
import { run } from './command-process.ts';

let directory: string;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'local-commands-'));
  await mkdir(join(directory, 'All'));
  await writeFile(join(directory, 'All', 'bad\x1b[2J-1.0.tgz'), 'no package');
});
after(() => rm(directory, { recursive: true }));

describe('explain', { concurrency: 2 }, () => {
  for (const place of ['', '..', '../x-1.0.tgz']) {
    test(`has nothing to say of "${place}", which is not below the directory`, async () => {
      const { exitCode, stdout, stderr } = await run('indexer explain', [
        join(directory, place),
        '--directory',
        directory,
      ]);
      assert.deepEqual([exitCode, stdout], [3, '']);
      assert.match(stderr, /expected a file below /);
    });
  }
});

test('explain does not say that a package is in an index which was made by other means and still serves', async () => {
  const { table } = SqliteRecords.open({ file: join(directory, 'waiting', 'records.sqlite') });
  const facts = { etag: 'e', size: 1, lastModified: new Date(0), metadata: {} };
  const record = Buffer.from('PKGNAME=x-1.0\n\n');
  const place = { repository: 'All', file: 'x-1.0.tgz', indexedAt: new Date(0) };
  await table.putRow({ ...place, ...facts, state: 'indexed', record, warnings: [] });
  const explained = async () => (await explainKey('All/x-1.0.tgz', facts, table, '')).sentence;
  assert.match(
    await explained(),
    /^It will be in the index of All, once every package there has been read, as x-1\.0 /,
  );
  await table.markWhole('All');
  assert.match(await explained(), /^It is in the index of All as x-1\.0 /);
  table.close();
});

test('record shows a name that would move the cursor as text', async () => {
  const { exitCode, stdout, stderr } = await run('indexer record', [join(directory, 'All', 'bad\x1b[2J-1.0.tgz')]);
  assert.deepEqual([exitCode, stdout], [1, '']);
  assert.match(stderr, /bad\\x1b\[2J-1\.0\.tgz: not-a-package/);
});

test('a table that cannot be made is told with its place', async () => {
  const state = join(directory, 'state');
  await mkdir(join(state, 'records.sqlite'), { recursive: true });
  const { exitCode, stderr } = await run('indexer index', [directory, '--state', state]);
  assert.equal(exitCode, 3);
  assert.match(stderr, /^indexer: .*records\.sqlite: /);
});
