/** A directory that has the name of an index or of the page: nothing can be published there, and everything else is. */

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { repositoryStatus } from '../../functions/check/repository-status.ts';
import { LocalIndexer } from '../../functions/local.ts';
import { defaultRules } from '../../functions/record/rules.ts';
import { makePackage } from '../package-maker.ts';

for (const [obstructed, published] of [
  ['pkg_summary.gz', ['pkg_summary.zst', 'index.html']],
  ['pkg_summary.zst', ['pkg_summary.gz', 'index.html']],
  ['pkg_summary.xz', ['pkg_summary.gz', 'pkg_summary.zst', 'index.html']],
  ['index.html', ['pkg_summary.gz', 'pkg_summary.zst']],
] as const)
  it(`${obstructed}: the others are published, and status and log name it`, async (test) => {
    const directory = await mkdtemp(join(tmpdir(), 'obstructed-'));
    test.after(() => rm(directory, { recursive: true }));
    await mkdir(join(directory, 'All', obstructed), { recursive: true });
    await writeFile(join(directory, 'All/x-1.0.tgz'), makePackage({ name: 'x-1.0' }));
    const notices: string[] = [];
    const indexer = await LocalIndexer.open(
      { directory },
      {
        formats: ['gz', 'zst'],
        page: true,
        rules: defaultRules,
        events: {
          onSummarized: () => {},
          onSummarizeFailed: (_, error) => assert.fail(error as Error),
          onNotice: (sentence) => notices.push(sentence),
        },
      },
    );
    await indexer.reindex({}, indexer);
    await indexer.hints.close();
    const { objects, records } = indexer.stores;
    await indexer.publications.close();
    const { obstructed: names, packages } = await repositoryStatus(objects, records, 'All');
    await indexer.close();

    const files = await readdir(join(directory, 'All'), { withFileTypes: true });
    assert.deepEqual(
      files.flatMap((entry) => (entry.isFile() ? [entry.name] : [])).sort(),
      [...published, 'x-1.0.tgz'].sort(),
    );
    assert.deepEqual([names, packages], [[obstructed], 1]);
    assert.deepEqual(notices, [`cannot publish All/${obstructed}: a directory has that name; rename or remove it`]);
  });
