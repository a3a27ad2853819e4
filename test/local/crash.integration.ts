/**
 * What may happen to the process, its table and its clock: nothing that was acknowledged is lost, and nobody has to do anything.
 *
 * `npm run torture -- --uploads 1000 --kills 50` runs the first test at that size.
 */

import assert from 'node:assert/strict';
import { copyFile, mkdir, open, readdir, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { bulkLimits } from '../../functions/extract-threads.ts';
import type { ServiceStatus } from '../../functions/server/service-status.ts';
import { makePackage, noise } from '../package-maker.ts';
import { indexNow, inTemporaryDirectory, run, ServingIndexer, soon, until } from './indexer-process.ts';
import {
  assertPublished,
  expectedSummary,
  makeRepository,
  packagesIn,
  publishedSummary,
  servedSummary,
  untilServed,
  upload,
} from './made-repository.ts';
import { pseudoRandom } from './pseudo-random.ts';
import { addPackages, untilRight } from './served-tree.ts';
import { UploadingClients } from './uploading-clients.ts';

const uploads = Number(process.env.TORTURE_UPLOADS ?? 160);
const kills = Number(process.env.TORTURE_KILLS ?? 8);

test(`killed ${kills} times under ${uploads} changes by 8 clients: all that was acknowledged is there and in the index`, async (t) => {
  await inTemporaryDirectory(async (directory) => {
    await mkdir(join(directory, 'All'));
    const random = pseudoRandom('crash');
    const clients = new UploadingClients(8, random);
    const starts: number[] = [];
    const recoveries: number[] = [];
    let indexer = await ServingIndexer.start(directory);
    await clients.work(indexer.url, 8);
    for (let kill = 0; kill < kills; kill += 1) {
      const working = clients.work(indexer.url, Math.ceil(uploads / kills));
      // Some while uploads go on, others while packages are read, or while the index is published.
      await new Promise((resolve) => setTimeout(resolve, random(kill % 2 === 0 ? 150 : 1_600)));
      await indexer.kill();
      await working;
      await clients.check(directory);
      await assertNothingBroken(directory);

      const begin = performance.now();
      indexer = await ServingIndexer.start(directory);
      starts.push(performance.now() - begin);
      const expected = await expectedSummary(directory);
      await untilServed(indexer.url, expected).catch((error: Error) => {
        throw new Error(`after kill ${kill + 1}: ${error.message}\n${indexer.output}`);
      });
      recoveries.push(performance.now() - begin);
      // The page is put after the index, by way of such a file, too.
      await until('no temporary file is left', async () => (await temporaryFiles(directory)).length === 0 || undefined);
    }
    await clients.finish(indexer.url);
    await clients.work(indexer.url, Math.max(uploads - clients.acknowledged, 0));
    assert.equal(await indexer.interrupt(), 0);
    await clients.check(directory);
    await assertPublished(directory);
    t.diagnostic(`${clients.acknowledged} changes acknowledged, none lost`);
    t.diagnostic(`serving again after ${spread(starts)}, the index right after ${spread(recoveries)}`);
  });
});

test('Ctrl-C under load: what was acknowledged is in the index when the process has ended', async (t) => {
  await inTemporaryDirectory(async (directory) => {
    await mkdir(join(directory, 'All'));
    const random = pseudoRandom('Ctrl-C');
    const clients = new UploadingClients(8, random);
    for (let stop = 0; stop < 4; stop += 1) {
      const indexer = await ServingIndexer.start(directory);
      const working = clients.work(indexer.url, 100);
      await new Promise((resolve) => setTimeout(resolve, random(400)));
      const begin = performance.now();
      assert.equal(await indexer.interrupt(), 0, indexer.output);
      const milliseconds = performance.now() - begin;
      await working;
      assert.ok(milliseconds < 8_000, `it took ${milliseconds} ms`);
      await clients.check(directory);
      await assertPublished(directory);
      assert.deepEqual(await temporaryFiles(directory), []);
    }
    t.diagnostic(`${clients.acknowledged} changes acknowledged, none lost`);
  });
});

test('a second Ctrl-C does not wait', async () => {
  await inTemporaryDirectory(async (directory) => {
    const indexer = await ServingIndexer.start(directory);
    // An upload that never ends would be waited for.
    const body = new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array(10)) });
    const options = { method: 'PUT', body, duplex: 'half' } as RequestInit;
    const broken = fetch(`${indexer.url}/All/endless-1.0.tgz`, options).catch(() => undefined);
    await until('the upload has begun', async () => (await temporaryFiles(directory)).length > 0 || undefined);
    indexer.signal('SIGINT');
    await until('it stops', () => indexer.output.includes('stopping') || undefined);
    // One that comes at once is taken for the first one, passed on by npm.
    await until('it leaves', () => {
      indexer.signal('SIGINT');
      return indexer.hasEnded || undefined;
    });
    assert.equal(await indexer.interrupt(), 130);
    await broken;
    const again = await ServingIndexer.start(directory);
    assert.deepEqual(await temporaryFiles(directory), []);
    assert.equal(await again.interrupt(), 0);
  });
});

for (const signal of ['SIGINT', 'SIGKILL'] as const)
  test(`index, ended by ${signal} at any moment, leaves an index that is whole, and ends its work the next time`, async () => {
    await inTemporaryDirectory(async (directory) => {
      const many = bulkLimits.hintsWithoutThreadsMax + 100;
      await makeRepository(directory, many);
      const random = pseudoRandom(signal);
      for (let round = 0; round < 6; round += 1) {
        await makeRepository(directory, 20, many + 20 * round);
        if (round === 3) await rm(join(directory, '.indexer'), { recursive: true, force: true });
        const moment = random(700);
        const ended = await run([...indexNow, directory], {}, async (child) => {
          await new Promise((resolve) => setTimeout(resolve, moment));
          child.kill(signal);
        });
        assert.match(ended.stderr, signal === 'SIGINT' ? /^(?:stopped after [^\n]+\n)?$/ : /^$/);
        await assertNothingBroken(directory);
      }
      const last = await run([...indexNow, directory]);
      assert.deepEqual([last.exitCode, last.stderr], [0, '']);
      await assertPublished(directory);
      assert.deepEqual(await temporaryFiles(directory), []);
    });
  });

/** What may be found in the place of the table, and what is said about it. */
const losses: Readonly<Record<string, { readonly lose: (table: string) => Promise<void>; readonly said: RegExp }>> = {
  'the table removed': {
    lose: async (table) => {
      for (const suffix of ['', '-wal', '-shm']) await rm(table + suffix, { force: true });
    },
    said: /40 packages in 1 repository, 40 changes to process/,
  },
  'the state directory removed': {
    lose: (table) => rm(join(table, '..'), { recursive: true }),
    said: /40 packages in 1 repository, 40 changes to process/,
  },
  'an empty table': { lose: (table) => truncate(table), said: /40 changes to process/ },
  'half of the table': {
    lose: async (table) => truncate(table, (await stat(table)).size / 2),
    said: /the table was damaged: building a new one/,
  },
  'random bytes in the place of the table': {
    lose: (table) => writeFile(table, noise(50_000)),
    said: /the table was damaged: building a new one/,
  },
  'a page of random bytes in the table': {
    lose: (table) => overwrite(table, 8_192, noise(4_096)),
    said: /the table was damaged: building a new one/,
  },
  'one other letter in a record': {
    lose: async (table) => overwrite(table, (await readFile(table)).lastIndexOf('Made for') + 3, Buffer.from('3')),
    said: /the table was damaged: building a new one/,
  },
};

async function overwrite(path: string, offset: number, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'r+');
  await file.write(bytes, 0, bytes.length, offset);
  await file.close();
}

describe('found at the start', () => {
  for (const [name, { lose, said }] of Object.entries(losses))
    test(`${name}: made again from the packages, the index never smaller meanwhile`, async () => {
      await inTemporaryDirectory(async (directory) => {
        await makeRepository(directory, 40);
        await writeFile(
          join(directory, 'All', 'made0000-1.0.tgz'),
          makePackage({ name: 'made0000-1.0', comment: 'Made for this test\n' }),
        );
        assert.equal((await run([...indexNow, directory])).exitCode, 0);
        const expected = await expectedSummary(directory);
        await lose(join(directory, '.indexer', 'records.sqlite'));
        const indexer = await ServingIndexer.start(directory, soon);
        await until('it is read again, or known', async () => {
          assert.equal(await servedSummary(indexer.url, 'gz'), expected);
          return said.test(indexer.output) || undefined;
        });
        assert.deepEqual(await upload(indexer.url, 'more-1.0'), [201, 'Stored All/more-1.0.tgz.\n']);
        await untilServed(indexer.url, await expectedSummary(directory));
        assert.equal(await indexer.interrupt(), 0);
      });
    });

  for (const [name, spoil, exitCode] of [
    ['a lock of random bytes', (state: string) => writeFile(join(state, 'lock.sqlite'), noise(5_000)), 0],
    [
      'another database as the lock',
      (state: string) => copyFile(join(state, 'records.sqlite'), join(state, 'lock.sqlite')),
      0,
    ],
    [
      'a directory as the lock',
      (state: string) => rm(join(state, 'lock.sqlite')).then(() => mkdir(join(state, 'lock.sqlite'))),
      3,
    ],
    ['a holder of random bytes', (state: string) => writeFile(join(state, 'holder'), noise(5_000)), 0],
    [
      'a directory as the holder',
      (state: string) => rm(join(state, 'holder')).then(() => mkdir(join(state, 'holder'))),
      0,
    ],
    ['metadata of random bytes', spoilMetadata, 0],
    [
      'a file for metadata',
      (state: string) =>
        rm(join(state, 'metadata'), { recursive: true }).then(() => writeFile(join(state, 'metadata'), '')),
      3,
    ],
    [
      'a directory as the table',
      (state: string) => rm(join(state, 'records.sqlite')).then(() => mkdir(join(state, 'records.sqlite'))),
      3,
    ],
    [
      'a file as the state directory',
      (state: string) => rm(state, { recursive: true }).then(() => writeFile(state, '')),
      3,
    ],
  ] as const)
    test(`${name}: ${exitCode === 0 ? 'the work is done' : 'a sentence that names it'}, and the index stays whole`, async () => {
      await inTemporaryDirectory(async (directory) => {
        await makeRepository(directory, 3);
        await run([...indexNow, directory]);
        await makeRepository(directory, 1, 3);
        await spoil(join(directory, '.indexer'));
        const { exitCode: found, stderr } = await run([...indexNow, directory]);
        assert.equal(found, exitCode, stderr);
        if (exitCode === 0) await assertPublished(directory);
        else assert.match(stderr, /^(?:pkgsrc-indexer|cannot publish the index of All): .*\.indexer[^\n]*\n$/);
        await assertNothingBroken(directory);
      });
    });
});

async function spoilMetadata(state: string): Promise<void> {
  for (const file of await readdir(join(state, 'metadata'))) await writeFile(join(state, 'metadata', file), noise(500));
}

describe('while serving', () => {
  for (const [name, lose] of Object.entries({
    'the table removed': (state: string) => rm(join(state, 'records.sqlite')),
    'the state directory removed': (state: string) => rm(state, { recursive: true }),
    'the lock removed': (state: string) => rm(join(state, 'lock.sqlite')),
    'another file in the place of the table': async (state: string) => {
      await writeFile(join(state, 'other'), noise(50_000));
      await rename(join(state, 'other'), join(state, 'records.sqlite'));
    },
  }))
    test(`${name}: it restarts by itself; uploads before, meanwhile and after are in the index`, async () => {
      await inTemporaryDirectory(async (directory) => {
        await makeRepository(directory, 40);
        const indexer = await ServingIndexer.start(directory, soon);
        await untilServed(indexer.url, await expectedSummary(directory));
        const clients = new UploadingClients(2, pseudoRandom(name));
        const working = clients.work(indexer.url, 20);
        await lose(join(directory, '.indexer'));
        await working;
        await until('it says so', () => /restarting/.test(indexer.output) || undefined);
        await until('it serves again', () => indexer.output.split('serving').length === 3 || undefined);
        await clients.finish(indexer.url);
        await clients.work(indexer.url, 20);
        await until('the index is right', async () => {
          const packages = (await packagesIn(directory)).length;
          const served = (await servedSummary(indexer.url, 'gz')) ?? '';
          assert.ok(served.split('\n\n').length - 1 >= 40, 'the index is never smaller than it was');
          return served.split('\n\n').length - 1 === packages || undefined;
        });
        await untilServed(indexer.url, await expectedSummary(directory));
        const second = await run([...indexNow, directory]);
        assert.match(second.stderr, /is in use by another indexer/, 'and its lock holds');
        assert.equal(await indexer.interrupt(), 0, indexer.output);
        await assertPublished(directory);
      });
    });

  test('random bytes written into the table: what it serves is never wrong, and the next start makes a new one', async () => {
    await inTemporaryDirectory(async (directory) => {
      await makeRepository(directory, 400);
      const indexer = await ServingIndexer.start(directory, soon);
      const before = await expectedSummary(directory);
      await untilServed(indexer.url, before);
      await indexer.interrupt();
      // Started again, the process holds little of the table in memory.
      const again = await ServingIndexer.start(directory, soon);
      const table = join(directory, '.indexer', 'records.sqlite');
      const { size } = await stat(table);
      await overwrite(table, 4096, noise(size - 4096));
      await makeRepository(directory, 1, 400);
      const after = await expectedSummary(directory);
      await until('the index is right', async () => {
        const served = await servedSummary(again.url, 'gz').catch(() => before);
        assert.ok(served === before || served === after);
        return served === after || undefined;
      });
      await again.interrupt();
      assert.equal((await run([...indexNow, directory])).exitCode, 0);
      await assertPublished(directory);
    });
  });
});

test('the clock set back while serving, and again before a start: every publication has a later date, and is whole', async () => {
  await inTemporaryDirectory(async (directory) => {
    await makeRepository(directory, 3);
    const dates: number[] = [];
    const published = async (url: string): Promise<void> => {
      await untilServed(url, await expectedSummary(directory));
      const { headers } = await fetch(`${url}/All/pkg_summary.gz`);
      dates.push(Date.parse(headers.get('last-modified') ?? ''));
    };
    const indexer = await ServingIndexer.start(directory, soon, { preload: 'clock-set-back.ts' });
    await published(indexer.url);
    for (const name of ['hour-1.0', 'hours-1.0']) {
      indexer.signal('SIGUSR2');
      await upload(indexer.url, name);
      await published(indexer.url);
    }
    assert.equal(await indexer.interrupt(), 0, indexer.output);
    const environment = { CLOCK_OFFSET_SECONDS: String(-7 * 86_400) };
    const again = await ServingIndexer.start(directory, soon, { preload: 'clock-set-back.ts', environment });
    await upload(again.url, 'week-1.0');
    await published(again.url);
    assert.equal(await again.interrupt(), 0, again.output);
    for (const [index, date] of dates.slice(1).entries()) assert.ok(date >= (dates[index] ?? 0) + 1000, `${dates}`);
  });
});

test('5,000 files at once: all in the index, in few publications', async (t) => {
  await inTemporaryDirectory(async (directory) => {
    await makeRepository(join(directory, '.staging'), 5_000);
    await mkdir(join(directory, 'All'));
    const indexer = await ServingIndexer.start(directory);
    const begin = performance.now();
    for (const file of await packagesIn(join(directory, '.staging')))
      await rename(join(directory, '.staging', 'All', file), join(directory, 'All', file));
    const moved = performance.now();
    await untilServed(indexer.url, await expectedSummary(directory), 60_000);
    const publications = indexer.output.split('published All').length - 1;
    const seconds = (performance.now() - begin) / 1000;
    const memory = await indexer.peakMemory();
    await indexer.interrupt();
    t.diagnostic(
      `renamed in ${(moved - begin).toFixed(0)} ms; in the index after ${seconds.toFixed(1)} s, ${publications} publications, peak memory ${(memory / 1e6).toFixed(0)} MB`,
    );
    assert.ok(publications <= 5, `${publications} publications`);
    assert.ok(memory < 300e6, `${memory} bytes`);
  });
});

describe('a watch', () => {
  test('that reports nothing of a directory: its packages are found within a patrol', async () => {
    await inTemporaryDirectory(async (directory) => {
      await addPackages(directory, 'unseen/a-1.0.tgz');
      const indexer = await ServingIndexer.start(directory, soon, { preload: 'watch.ts' });
      await untilRight(indexer.url, directory, 20_000);
      await addPackages(directory, 'unseen/b-1.0.tgz');
      await untilRight(indexer.url, directory, 20_000);
      await rm(join(directory, 'unseen', 'a-1.0.tgz'));
      await untilRight(indexer.url, directory, 20_000);
      assert.equal(await indexer.interrupt(), 0);
    });
  });

  test('that ends: the directory is polled, and watched again', async () => {
    await inTemporaryDirectory(async (directory) => {
      await makeRepository(directory, 3);
      const indexer = await ServingIndexer.start(directory, soon, { preload: 'watch.ts' });
      await writeFile(join(directory, 'All', 'interrupt'), '');
      await until('it is reported', () => /cannot be watched: Interrupted/.exec(indexer.output) ?? undefined);
      await writeFile(join(directory, 'All', 'meanwhile-1.0.tgz'), makePackage({ name: 'meanwhile-1.0' }));
      await untilServed(indexer.url, await expectedSummary(directory));
      const status = async () => (await (await fetch(`${indexer.url}/-/status`)).json()) as ServiceStatus;
      await until('it is watched', async () => (await status()).polled.length === 0 || undefined);
      await writeFile(join(directory, 'All', 'after-1.0.tgz'), makePackage({ name: 'after-1.0' }));
      await untilServed(indexer.url, await expectedSummary(directory));
      assert.equal(await indexer.interrupt(), 0);
    });
  });
});

test('a package that is renamed in and out, and one that is replaced in place, again and again', async () => {
  await inTemporaryDirectory(async (directory) => {
    await makeRepository(directory, 3);
    const indexer = await ServingIndexer.start(directory, soon);
    const inside = join(directory, 'All', 'moving-1.0.tgz');
    const outside = join(directory, '.staging', 'moving-1.0.tgz');
    const replaced = join(directory, 'All', 'replaced-1.0.tgz');
    await mkdir(join(directory, '.staging'));
    await writeFile(outside, makePackage({ name: 'moving-1.0' }));
    for (let round = 0; round < 40; round += 1) {
      await rename(outside, inside);
      // In place: emptied, and written to, as cp does.
      await writeFile(
        replaced,
        makePackage({ name: 'replaced-1.0', comment: `Round ${round}\n`, payload: { x: 100_000 } }),
      );
      await new Promise((resolve) => setTimeout(resolve, round % 10 === 0 ? 700 : 20));
      await rename(inside, outside);
    }
    await untilServed(indexer.url, await expectedSummary(directory));
    assert.doesNotMatch((await servedSummary(indexer.url, 'gz')) ?? '', /PKGNAME=moving/);
    await rename(outside, inside);
    await untilServed(indexer.url, await expectedSummary(directory));
    assert.doesNotMatch(indexer.output, /rejected|cannot/);
    assert.equal(await indexer.interrupt(), 0);
  });
});

async function temporaryFiles(directory: string): Promise<string[]> {
  return (await readdir(directory, { recursive: true })).filter((path) => path.includes('.indexer-tmp'));
}

/** Whatever index there is, pkgin reads it to its end. */
async function assertNothingBroken(directory: string): Promise<void> {
  for (const format of ['gz', 'zst'] as const) {
    const isThere = (await readdir(join(directory, 'All'))).includes(`pkg_summary.${format}`);
    if (isThere) await publishedSummary(directory, format);
  }
}

function spread(milliseconds: readonly number[]): string {
  const sorted = [...milliseconds].sort((a, b) => a - b);
  const at = (share: number) => (sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toFixed(0);
  return `${at(0.5)} ms (median), ${at(1)} ms (longest)`;
}
