/** Stopping `serve` while it works on packages that are made to keep it busy. */

import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { makePackage } from '../package-maker.ts';
import { indexNow, inTemporaryDirectory, run, ServingIndexer, soon } from './indexer-process.ts';

/** Each took 86 s against a name of 7,000 characters, when nothing limited the steps; a machine under load is slow, too. */
const patterns = Array.from({ length: 300 }, (_, index) => `*${'a'.repeat(945)}${index}${'{a,b}'.repeat(10)}0c`);
const stopSecondsMax = 60;

test('stopping always exits 0 and releases the lock, whatever patterns it is busy with', async (t) => {
  await inTemporaryDirectory(async (directory) => {
    await mkdir(join(directory, 'All'));
    await writeFile(join(directory, 'All/long-1.0.tgz'), makePackage({ name: `${'a'.repeat(7_000)}-1` }));
    const packingList = patterns.map((pattern) => `@pkgdep ${pattern}`);
    await writeFile(join(directory, 'All/evil-1.0.tgz'), makePackage({ name: 'evil-1.0', packingList }));
    assert.equal((await run([...indexNow, directory])).exitCode, 0);

    for (const milliseconds of [0, 100, 500, 2_000]) {
      const indexer = await ServingIndexer.start(directory, soon);
      const reports = ['/-/status', '/-/status?repository=All', '/-/'].map((path) =>
        fetch(indexer.url + path).then(
          (answer) => answer.text(),
          () => undefined,
        ),
      );
      await sleep(milliseconds);
      const begun = performance.now();
      assert.equal(await indexer.interrupt(), 0, indexer.output);
      const seconds = (performance.now() - begun) / 1000;
      t.diagnostic(`asked to stop after ${milliseconds} ms, ended ${seconds.toFixed(1)} s later`);
      assert.ok(seconds < stopSecondsMax);
      await Promise.all(reports);
    }
    // Refused with another exit code while another process has the lock.
    assert.equal((await run([...indexNow, directory])).exitCode, 0);
    const checked = await run(['check', directory]);
    assert.match(checked.stdout, /complicated/, checked.stderr);
  });
});
