/** `serve` as a process: adopting a repository, many packages at once, and being killed at any moment. */

import assert from 'node:assert/strict';
import { copyFile, mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { ServiceStatus } from '../../functions/server/service-status.ts';
import { makePackage } from '../package-maker.ts';
import { indexNow, inTemporaryDirectory, run, ServingIndexer, soon, until } from './indexer-process.ts';
import { expectedSummary, makeRepository, servedSummary, untilServed } from './made-repository.ts';
import { pseudoRandom } from './pseudo-random.ts';

test('a repository with 500 packages and a foreign index never shows a reader fewer of them', async (t) => {
  for (const state of ['no state', 'the state directory deleted'] as const) {
    await inTemporaryDirectory(async (directory) => {
      await makeRepository(directory, 500);
      if (state === 'the state directory deleted') await run([...indexNow, directory]);
      const expected = await expectedSummary(directory);
      await writeFile(join(directory, 'All', 'pkg_summary.gz'), gzipSync(expected));
      await rm(join(directory, '.indexer'), { recursive: true, force: true });

      const indexer = await ServingIndexer.start(directory);
      let reads = 0;
      const fewest = { records: Number.POSITIVE_INFINITY };
      await until('it publishes', async () => {
        const served = await servedSummary(indexer.url, 'gz');
        assert.ok(served !== undefined, 'the index is always there');
        reads += 1;
        fewest.records = Math.min(fewest.records, served.split('\n\n').length - 1);
        return indexer.output.includes('published All') || undefined;
      });
      await untilServed(indexer.url, expected, 10_000);
      await indexer.interrupt();
      assert.equal(fewest.records, 500);
      t.diagnostic(`${state}: ${reads} reads, never fewer than ${fewest.records} packages`);
    });
  }
});

test('1,000 packages copied in at once: all indexed, one publication a window, memory under 200 MB', async (t) => {
  await inTemporaryDirectory(async (directory) => {
    const staging = join(directory, '.staging');
    await makeRepository(staging, 1_000);
    await mkdir(join(directory, 'All'));
    const indexer = await ServingIndexer.start(directory);
    const begin = Date.now();
    for (const file of await readdir(join(staging, 'All')))
      await copyFile(join(staging, 'All', file), join(directory, 'All', file));
    const copied = Date.now();
    await untilServed(indexer.url, await expectedSummary(directory), 30_000);
    const publications = indexer.output.split('published All').length - 1;
    const memory = await indexer.peakMemory();
    const seconds = (Date.now() - begin) / 1000;
    await indexer.interrupt();
    t.diagnostic(
      `copied in ${copied - begin} ms, ${publications} publications in ${seconds.toFixed(1)} s, peak memory ${(memory / 1e6).toFixed(0)} MB`,
    );
    // A window closes after a second of quiet or after ten; each closes with one publication.
    assert.ok(publications <= 1 + Math.ceil(seconds / 1), `${publications} publications in ${seconds} s`);
    assert.ok(publications <= 3, `${publications} publications`);
    assert.ok(memory < 200e6, `${memory} bytes`);
  });
});

test('killed at random moments of 200 uploads, 20 times: the index is right, and no temporary file is left', async (t) => {
  await inTemporaryDirectory(async (directory) => {
    await mkdir(join(directory, 'All'));
    const random = pseudoRandom('kill -9');
    let uploaded = 0;
    const recoveries: number[] = [];
    for (let kill = 0; kill < 20; kill += 1) {
      const indexer = await ServingIndexer.start(directory);
      const uploading = uploadSome(indexer.url, uploaded, 10);
      await new Promise((resolve) => setTimeout(resolve, random(1_800)));
      await indexer.kill();
      uploaded += await uploading;

      const begin = Date.now();
      const again = await ServingIndexer.start(directory);
      await untilServed(again.url, await expectedSummary(directory), 15_000).catch((error: unknown) => {
        throw new Error(`after kill ${kill + 1}: ${(error as Error).message}\n${again.output}`);
      });
      recoveries.push(Date.now() - begin);
      await again.kill();
    }
    const indexer = await ServingIndexer.start(directory);
    await uploadSome(indexer.url, uploaded, 200 - uploaded);
    await untilServed(indexer.url, await expectedSummary(directory), 15_000);
    assert.equal(await indexer.interrupt(), 0);
    const left = (await readdir(directory, { recursive: true })).filter((path) => path.includes('.indexer-tmp'));
    assert.deepEqual(left, []);
    recoveries.sort((a, b) => a - b);
    t.diagnostic(
      `${uploaded} uploads acknowledged before the last start; right again after ${recoveries[10]} ms (median), ${recoveries.at(-1)} ms (longest)`,
    );
  });
});

/** Uploads one behind the other until the server is gone. @returns how many were acknowledged. */
async function uploadSome(url: string, from: number, count: number): Promise<number> {
  for (let done = 0; done < count; done += 1) {
    const name = `upload${from + done}-1.0`;
    const answer = await fetch(`${url}/All/${name}.tgz`, { method: 'PUT', body: makePackage({ name }) }).catch(
      () => undefined,
    );
    if (answer === undefined) return done;
    assert.ok(answer.status === 201 || answer.status === 204, `${answer.status}: ${await answer.text()}`);
  }
  return count;
}

test('half a package that is still being copied is not read, and not rejected', async () => {
  await inTemporaryDirectory(async (directory) => {
    await mkdir(join(directory, 'All'));
    const indexer = await ServingIndexer.start(directory);
    const bytes = makePackage({ name: 'slow-1.0', payload: { 'bin/slow': 200_000 } });
    const path = join(directory, 'All', 'slow-1.0.tgz');
    for (let end = 10_000; end < bytes.length + 10_000; end += 10_000) {
      await writeFile(path, bytes.subarray(0, end));
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await untilServed(indexer.url, await expectedSummary(directory), 5_000);
    await indexer.interrupt();
    assert.doesNotMatch(indexer.output, /rejected/);
  });
});

test('directories that come, go and are renamed are followed', async () => {
  await inTemporaryDirectory(async (directory) => {
    const indexer = await ServingIndexer.start(directory);
    await makeRepository(join(directory, '.staging'), 20);
    await rename(join(directory, '.staging', 'All'), join(directory, 'All'));
    await untilServed(indexer.url, await expectedSummary(directory), 5_000);

    await rename(join(directory, 'All'), join(directory, 'Old'));
    await mkdir(join(directory, 'All'));
    await until(
      'the renamed repository has its index',
      async () => (await readdir(join(directory, 'Old'))).includes('pkg_summary.zst') || undefined,
    );
    await until('it knows of no package in the old place', async () => {
      const status = (await (await fetch(`${indexer.url}/-/status`)).json()) as {
        repositories: { repository: string; packages: number }[];
      };
      return (
        status.repositories.every(({ repository, packages }) => packages === (repository === 'Old' ? 20 : 0)) ||
        undefined
      );
    });
    await rm(join(directory, 'Old'), { recursive: true });
    await until('nothing is left', async () => {
      const status = (await (await fetch(`${indexer.url}/-/status`)).json()) as {
        repositories: { packages: number }[];
      };
      return status.repositories.every(({ packages }) => packages === 0) || undefined;
    });
    assert.equal(await indexer.interrupt(), 0);
  });
});

test('a second indexer on the same directory is refused, with the process id of the first', async () => {
  await inTemporaryDirectory(async (directory) => {
    const indexer = await ServingIndexer.start(directory);
    const second = await run([...indexNow, directory]);
    await indexer.interrupt();
    assert.equal(second.exitCode, 3);
    assert.match(second.stderr, /^pkgsrc-indexer: .* is in use by another indexer \(process \d+\)/);
    const third = await run([...indexNow, directory]);
    assert.equal(third.exitCode, 0);
  });
});

test('while its state cannot even be looked at it serves on, and stops when it is asked to', async () => {
  await inTemporaryDirectory(async (place) => {
    const [directory, state, aside] = ['repository', 'state', 'aside'].map((name) => join(place, name)) as [
      string,
      string,
      string,
    ];
    await makeRepository(directory, 1);
    const expected = await expectedSummary(directory);
    const indexer = await ServingIndexer.start(directory, ['--state', state]);
    await untilServed(indexer.url, expected, 10_000);

    await rename(state, aside);
    await symlink('state', state);
    await until('it tells', () => indexer.output.includes('sqlite: too many symbolic links lead to it') || undefined);
    assert.equal((await fetch(`${indexer.url}/All/made0000-1.0.tgz`)).status, 200);

    await rm(state);
    await rename(aside, state);
    await makeRepository(directory, 1, 1);
    await untilServed(indexer.url, await expectedSummary(directory), 10_000);
    assert.equal(await indexer.interrupt(), 0);
  });
});

test('an index that somebody removes or spoils is published again', async () => {
  await inTemporaryDirectory(async (directory) => {
    await makeRepository(directory, 3);
    const indexer = await ServingIndexer.start(directory);
    const expected = await expectedSummary(directory);
    await untilServed(indexer.url, expected, 5_000);
    await rm(join(directory, 'All', 'pkg_summary.gz'));
    await until('it is there again', async () => (await servedSummary(indexer.url, 'gz')) === expected || undefined);
    await writeFile(join(directory, 'All', 'pkg_summary.zst'), 'spoilt');
    await until('it is right again', async () => {
      const bytes = await readFile(join(directory, 'All', 'pkg_summary.zst'));
      return bytes.length > 6 || undefined;
    });
    await untilServed(indexer.url, expected, 5_000);
    await writeFile(join(directory, 'All', 'pkg_summary.xz'), 'stale, and before the others in the eyes of pkgin');
    await until(
      'the stale one is gone',
      async () => !(await readdir(join(directory, 'All'))).includes('pkg_summary.xz') || undefined,
    );
    await indexer.interrupt();
  });
});

test('the status has the findings of the packages that are there, a retry is accepted, and the last line sums up', async () => {
  await inTemporaryDirectory(async (directory) => {
    const indexer = await ServingIndexer.start(directory, soon);
    const put = async (name: string, body: Uint8Array) => {
      const answer = await fetch(`${indexer.url}/All/${name}.tgz`, { method: 'PUT', body });
      assert.ok(answer.ok, await answer.text());
    };
    const status = async () => (await (await fetch(`${indexer.url}/-/status`)).json()) as ServiceStatus;
    const app = makePackage({ name: 'app-1.0', packingList: ['@pkgdep lib>=2'] });
    await put('app-1.0', app);
    const bad = await fetch(`${indexer.url}/All/bad-1.0.tgz`, { method: 'PUT', body: 'no package' });
    assert.deepEqual([bad.status, (await bad.text()).slice(0, 24)], [422, 'Rejected, not-a-package:']);
    await writeFile(join(directory, 'All/bad-1.0.tgz'), 'no package');
    const lines = ['indexed All/app', 'rejected All/bad', 'published All'];
    await until('it reports both', () => lines.every((line) => indexer.output.includes(line)) || undefined);
    const before = await status();
    assert.deepEqual(before.repositories[0]?.findings?.missingDependencies, 1);
    assert.deepEqual(
      before.repositories[0]?.rejected.map(({ file }) => file),
      ['bad-1.0.tgz'],
    );
    assert.deepEqual(before.counts, {
      uploads: 1,
      indexed: 1,
      rejected: 1,
      removed: 0,
      publications: before.publications.length,
    });
    const latency = before.publications.at(-1)?.latency;
    assert.ok(latency && latency.changes >= 1 && latency.medianMilliseconds > 0, JSON.stringify(latency));

    await put('lib-2.0', makePackage({ name: 'lib-2.0' }));
    await until(
      'it is satisfied',
      async () => (await status()).repositories[0]?.findings?.missingDependencies === 0 || undefined,
    );

    const retry = await fetch(`${indexer.url}/-/retry`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: '{"all": true}',
    });
    assert.deepEqual([retry.status, await retry.json()], [202, { retried: 1 }]);
    assert.equal(await indexer.interrupt(), 0);
    assert.match(indexer.output, /stopped after .*: 2 uploads, 2 indexed, 1 rejected, \d+ publications?\n$/);
  });
});
