/** `serve` and `index` where the system has neither inotify nor /proc: simulated, since no such system is at hand. */

import assert from 'node:assert/strict';
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { indexNow, inTemporaryDirectory, run, ServingIndexer } from './indexer-process.ts';
import { addPackages, packageOf, untilRight } from './served-tree.ts';

/** Files that are written in place are found by comparison, every 30 s where their directory is watched. */
const enough = 60_000;

for (const system of ['events without names', 'no watch'] as const) {
  const options = { preload: 'other-system.ts', environment: { OTHER_SYSTEM: system } };
  describe(system, () => {
    it('serve follows every change', () =>
      inTemporaryDirectory(async (directory) => {
        const [top, outside] = [join(directory, 'D'), join(directory, 'S')];
        await addPackages(top, 'All/first-1.0.tgz', 'All/second-1.0.tgz');
        const indexer = await ServingIndexer.start(top, [], options);
        const right = async (what: string): Promise<void> => {
          await untilRight(indexer.url, top, enough).catch((error: Error) => {
            throw new Error(`${what}: ${error.message}\n${indexer.output}`);
          });
        };
        await right('at the start');
        await addPackages(top, 'All/new-1.0.tgz');
        await right('a new file');
        const answer = await fetch(`${indexer.url}/All/put-1.0.tgz`, { method: 'PUT', body: packageOf('put-1.0.tgz') });
        assert.equal(answer.status, 201);
        await right('an upload');
        await writeFile(join(top, 'All/new-1.0.tgz'), packageOf('another/new-1.0.tgz'));
        await right('a file that is written in place');
        await rm(join(top, 'All/first-1.0.tgz'));
        await rm(join(top, 'All/pkg_summary.gz'));
        await right('a file and an index that are removed');
        await addPackages(outside, 'a/b/All/x-1.0.tgz');
        await rename(join(outside, 'a'), join(top, 'a'));
        await right('a tree that is moved in');
        await rm(join(top, 'a'), { recursive: true, maxRetries: 10 });
        await right('a tree that is removed');
        assert.equal(/cannot be watched/.test(indexer.output), system === 'no watch', indexer.output);
        assert.equal(await indexer.interrupt(), 0);
      }));

    it('index does its work', () =>
      inTemporaryDirectory(async (directory) => {
        await addPackages(directory, 'All/first-1.0.tgz');
        const { exitCode, stdout, stderr } = await run([...indexNow, directory], options);
        assert.deepEqual([exitCode, stderr], [0, '']);
        assert.match(stdout, /^All: 1 package, .* published/);
      }));
  });
}
