/** What the service knows without a report. */

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { SystemClock } from '../functions/adapters/system-clock.ts';
import { LocalIndexer } from '../functions/local.ts';
import { LocalOperations } from '../functions/local-operations.ts';
import { defaultRules } from '../functions/record/rules.ts';
import { Activity } from '../functions/server/activity.ts';
import { makePackage } from './package-maker.ts';

describe('the overview and the metrics', () => {
  let directory: string;
  let operations: LocalOperations;
  let indexer: LocalIndexer;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'operations-'));
    await mkdir(join(directory, '2026Q3/All'), { recursive: true });
    await writeFile(
      join(directory, '2026Q3/All/a-1.0.tgz'),
      makePackage({ name: 'a-1.0', buildInfo: 'MACHINE_ARCH=x86_64\n' }),
    );
    await writeFile(
      join(directory, '2026Q3/All/z-1.0.tgz'),
      makePackage({ name: 'z-1.0', buildInfo: 'MACHINE_ARCH=x86_64\n' }),
    );
    await writeFile(
      join(directory, '2026Q3/All/0ther-1.0.tgz'),
      makePackage({ name: '0ther-1.0', buildInfo: 'MACHINE_ARCH=aarch64\n' }),
    );
    await writeFile(join(directory, '2026Q3/All/bad-1.0.tgz'), 'no package');
    const clock = new SystemClock();
    indexer = await LocalIndexer.open(
      { directory },
      {
        formats: ['gz'],
        page: false,
        rules: defaultRules,
        debounce: 0.01,
        events: {
          onChanged: (repository) => operations.changed(repository),
          onSummarized: () => {},
          onSummarizeFailed: () => {},
          onNotice: () => {},
        },
      },
    );
    const stop = new AbortController().signal;
    operations = new LocalOperations({ indexer, activity: new Activity(clock), clock, stop });
    await indexer.reindex();
    const deadline = Date.now() + 30_000;
    while ((await operations.overview())[0]?.published === undefined) {
      assert.ok(Date.now() < deadline, 'nothing was published');
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  });
  afterEach(async () => {
    mock.restoreAll();
    await indexer.close();
    await rm(directory, { recursive: true, force: true });
  });

  it('are of every repository, and need neither a listing nor the rows', async () => {
    const { objects, records } = indexer.stores;
    operations.changed('2026Q3/All');
    const refuse = (): never => assert.fail('a listing, or the rows, were read');
    mock.method(objects, 'list', refuse);
    mock.method(objects, 'listDirectory', refuse);
    mock.method(records, 'rows', refuse);
    const [overview = assert.fail()] = await operations.overview();
    const { indexBytes, published, ...facts } = overview;
    assert.deepEqual(facts, {
      repository: '2026Q3/All',
      packages: 3,
      rejected: 1,
      isHeldBack: false,
      architecture: 'x86_64',
      foreignPackages: 1,
      branch: '2026Q3',
      findings: undefined,
    });
    assert.ok(indexBytes > 20 && published !== undefined);
    assert.match((await operations.metrics()).text, /pkgsrc_indexer_rejected_packages\{repository="2026Q3\/All"\} 1\n/);
  });

  it('finds packages of all repositories that are in an index', async () => {
    const { found, isAll } = await operations.search(' A 1.0 ');
    assert.deepEqual(found, [{ repository: '2026Q3/All', name: 'a-1.0', comment: found[0]?.comment }]);
    assert.ok(isAll);
    assert.deepEqual((await operations.search('bad')).found, [], 'it is rejected');
    assert.deepEqual((await operations.search('  ')).found, []);
  });

  it('has the findings of the last report', async () => {
    await operations.status();
    assert.equal((await operations.overview())[0]?.findings, 1);
  });
});
