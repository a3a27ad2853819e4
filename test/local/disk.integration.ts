/** What may happen to the disk and to the rights on it: no upload is lost, the index stays whole, and nobody has to do anything. */

import assert from 'node:assert/strict';
import { chmod, chown, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { bulkLimits } from '../../functions/extract-threads.ts';
import { makePackage } from '../package-maker.ts';
import { indexNow, inTemporaryDirectory, run, ServingIndexer, soon, until } from './indexer-process.ts';
import {
  assertPublished,
  expectedSummary,
  madeName,
  makeRepository,
  publishedSummary,
  servedSummary,
  untilServed,
  upload,
} from './made-repository.ts';
import { ordinaryUser } from './ordinary-user.ts';
import { type Disk, type MountedDisk, mountSmallDisk, pretendFullDisk } from './small-disk.ts';

const noSpace = [507, 'No space left on the server. Nothing was changed.\n'];

async function onMountedDisk(t: TestContext, work: (disk: MountedDisk) => Promise<void>): Promise<void> {
  const disk = await mountSmallDisk();
  if (disk === undefined) return t.skip('this user may not mount a file system');
  await onDisk(disk, work);
}

async function onDisk<Kind extends Disk>(disk: Kind, work: (disk: Kind) => Promise<void>): Promise<void> {
  // The processes of the test end with this directory.
  await inTemporaryDirectory(() => work(disk)).finally(() => disk.remove());
}

describe('a full disk', () => {
  async function refusesAndRecovers(t: TestContext, disk: Disk): Promise<void> {
    const { directory } = disk;
    await makeRepository(directory, 20);
    const indexer = await ServingIndexer.start(directory, soon, disk.options);
    const before = await expectedSummary(directory);
    await untilServed(indexer.url, before);

    await disk.fill();
    const large = makePackage({ name: 'large-1.0', payload: { 'bin/large': 3_000_000 } });
    assert.deepEqual(await upload(indexer.url, 'large-1.0', large), noSpace);
    assert.deepEqual(await upload(indexer.url, madeName(0), large), noSpace, 'and the old one is kept');
    assert.equal(await servedSummary(indexer.url, 'gz'), before);
    assert.equal((await fetch(`${indexer.url}/-/healthz`)).status, 200);
    // A removal needs no room; that the index follows does.
    await rm(join(directory, 'All', `${madeName(1)}.tgz`));
    await until('it says so', () => /no space left|disk is full/.test(indexer.output) || undefined);
    assert.deepEqual(
      (await readdir(join(directory, 'All'))).filter((file) => file.startsWith('.')),
      [],
    );

    await disk.free();
    const begin = performance.now();
    const after = await expectedSummary(directory);
    await untilServed(indexer.url, after, 40_000);
    t.diagnostic(`the index was right ${((performance.now() - begin) / 1000).toFixed(1)} s after there was room again`);
    assert.equal((await upload(indexer.url, 'large-1.0', large))[0], 201);
    await untilServed(indexer.url, await expectedSummary(directory));
    assert.equal(await indexer.interrupt(), 0);
    assert.doesNotMatch(indexer.output, /\n\s+at /, 'no stack trace');
  }

  test('uploads get 507 and a sentence, the index stays, and recovers by itself when there is room', (t) =>
    onMountedDisk(t, (disk) => refusesAndRecovers(t, disk)));

  test('the same where the disk only pretends', async (t) =>
    onDisk(await pretendFullDisk(), (disk) => refusesAndRecovers(t, disk)));

  test('whatever room is left: each upload is stored and later in the index, or refused', (t) =>
    onMountedDisk(t, async (disk) => {
      const { directory } = disk;
      await makeRepository(directory, 3);
      const indexer = await ServingIndexer.start(directory, soon);
      await untilServed(indexer.url, await expectedSummary(directory));
      const stored: string[] = [];
      for (const kilobytes of [0, 4, 8, 16, 40, 100, 300]) {
        await disk.fill(1024 * kilobytes);
        for (let number = 0; ; number += 1) {
          const name = `left${kilobytes}-${number}`;
          const [status, text] = await upload(indexer.url, name, makePackage({ name, payload: { x: 10_000 } }));
          if (status === 201) stored.push(`${name}.tgz`);
          else {
            assert.deepEqual([status, text], noSpace);
            break;
          }
        }
        // As much of it as there is room for is read, or published, before the disk is filled otherwise.
        await new Promise((resolve) => setTimeout(resolve, 500));
        for (const format of ['gz', 'zst'] as const) await publishedSummary(directory, format);
      }
      await disk.free();
      const there = await readdir(join(directory, 'All'));
      assert.deepEqual(
        stored.filter((file) => !there.includes(file)),
        [],
      );
      assert.ok(stored.length > 10, `${stored.length} stored`);
      await untilServed(indexer.url, await expectedSummary(directory), 40_000);
      assert.equal(await indexer.interrupt(), 0);
      t.diagnostic(`${stored.length} uploads stored beside the refused ones, all of them in the index`);
    }));

  test('with the log on it: serving goes on, and so does the log afterwards', (t) =>
    onMountedDisk(t, async (disk) => {
      const { directory } = disk;
      await makeRepository(directory, 3);
      const logFile = join(directory, '.log');
      const indexer = await ServingIndexer.start(directory, soon, { logFile });
      const before = await expectedSummary(directory);
      await untilServed(indexer.url, before);
      await disk.fill();
      assert.deepEqual(await upload(indexer.url, 'large-1.0', Buffer.alloc(100_000)), noSpace);
      assert.equal(await servedSummary(indexer.url, 'gz'), before);
      await disk.free();
      assert.equal((await upload(indexer.url, 'logged-1.0'))[0], 201);
      await until('the log goes on', () => indexer.output.includes('indexed All/logged-1.0.tgz') || undefined);
      assert.equal(await indexer.interrupt(), 0);
    }));

  for (const packages of [100, bulkLimits.hintsWithoutThreadsMax + 1])
    test(`index of ${packages} packages ends with a sentence and 3, the old index stays, and the next one does the work`, (t) =>
      onMountedDisk(t, async (disk) => {
        const { directory } = disk;
        await makeRepository(directory, packages);
        assert.equal((await run([...indexNow, directory])).exitCode, 0);
        const before = await publishedSummary(directory, 'gz');
        for (const kilobytes of [0, 8, 100]) {
          await rm(join(directory, '.indexer'), { recursive: true });
          await makeRepository(directory, 1, 1000 + kilobytes);
          await disk.fill(1024 * kilobytes);
          const { exitCode, stderr } = await run([...indexNow, directory]);
          assert.equal(exitCode, 3, stderr);
          assert.match(stderr, /full|no space/);
          assert.doesNotMatch(stderr, /\n\s+at /);
          assert.equal(await publishedSummary(directory, 'gz'), before);
          await disk.free();
        }
        assert.equal((await run([...indexNow, directory])).exitCode, 0);
        await assertPublished(directory);
      }));
});

describe('a disk that is made read-only while serving', () => {
  test('is read from on, uploads get a sentence, and both go on once it is writable again', (t) =>
    onMountedDisk(t, async (disk) => {
      const { directory, elsewhere } = disk;
      await makeRepository(directory, 5);
      const indexer = await ServingIndexer.start(directory, [...soon, '--state', elsewhere]);
      const before = await expectedSummary(directory);
      await untilServed(indexer.url, before);
      disk.makeReadOnly();
      const [status, text] = await upload(indexer.url, 'more-1.0');
      assert.deepEqual([status, text], [500, 'The server has no permission to write to its repository.\n']);
      assert.equal(await servedSummary(indexer.url, 'gz'), before);
      // Behind its back: on the same disk, by another way.
      await writeFile(join(directory, '..', 'disk', 'All', 'other-1.0.tgz'), makePackage({ name: 'other-1.0' }));
      await until(
        'it says so',
        () => /cannot publish the index of All: the file system is read-only/.test(indexer.output) || undefined,
      );
      disk.makeWritable();
      await untilServed(indexer.url, await expectedSummary(directory), 40_000);
      assert.equal((await upload(indexer.url, 'more-1.0'))[0], 201);
      await untilServed(indexer.url, await expectedSummary(directory));
      assert.equal(await indexer.interrupt(), 0);
    }));

  test('keeps serve and index from starting, with a sentence', (t) =>
    onMountedDisk(t, async (disk) => {
      const { directory } = disk;
      await makeRepository(directory, 5);
      disk.makeReadOnly();
      for (const command of ['index', 'serve']) {
        const { exitCode, stdout, stderr } = await run([command, directory]);
        assert.deepEqual(
          [exitCode, stdout, stderr],
          [3, '', `pkgsrc-indexer: ${directory}: the file system is read-only\n`],
        );
      }
    }));
});

describe('a directory that goes away while serving', () => {
  test('unmounted and mounted again: no row is lost for it, and nothing is written below it', (t) =>
    onMountedDisk(t, async (disk) => {
      const { directory } = disk;
      await makeRepository(directory, 200);
      const indexer = await ServingIndexer.start(directory, soon);
      const before = await expectedSummary(directory);
      await untilServed(indexer.url, before);
      disk.unmount();
      await until('it says so', () => /was removed or replaced/.test(indexer.output) || undefined);
      await until('it serves what is there', () => indexer.output.split('serving').length === 3 || undefined);
      assert.equal((await fetch(`${indexer.url}/All/pkg_summary.gz`)).status, 404);
      assert.deepEqual(await readdir(directory), ['.indexer'], 'no index of packages that are not there');
      disk.mountAgain();
      await until('it serves again', () => indexer.output.split('serving').length === 4 || undefined);
      assert.equal(await servedSummary(indexer.url, 'gz'), before);
      assert.match(indexer.output.split('restarting').at(-1) ?? '', /200 packages in 1 repository, up to date/);
      await upload(indexer.url, 'more-1.0');
      await untilServed(indexer.url, await expectedSummary(directory));
      assert.equal(await indexer.interrupt(), 0, indexer.output);
    }));

  for (const how of ['removed', 'renamed'] as const)
    test(`${how}: it waits, and begins anew when there is one of that name`, async () => {
      await inTemporaryDirectory(async (top) => {
        const [directory, away] = [join(top, 'repository'), join(top, 'away')];
        await makeRepository(directory, 20);
        const indexer = await ServingIndexer.start(directory, soon);
        await untilServed(indexer.url, await expectedSummary(directory));
        if (how === 'removed') await rm(directory, { recursive: true });
        else await rename(directory, away);
        await until(
          'it says so',
          () => /there is no such file or directory; will retry/.test(indexer.output) || undefined,
        );
        assert.ok(indexer.output.split('\n').length < 40, `it says so once, not of every package:\n${indexer.output}`);
        assert.deepEqual(
          await readdir(top),
          how === 'removed' ? [] : ['away'],
          'it does not make the directory itself',
        );
        if (how === 'removed') await makeRepository(directory, 7);
        else await rename(away, directory);
        await until('it serves again', () => indexer.output.split('serving').length === 3 || undefined);
        await untilServed(indexer.url, await expectedSummary(directory));
        assert.equal(await indexer.interrupt(), 0, indexer.output);
      });
    });

  test('asked to stop while it waits, it does', async () => {
    await inTemporaryDirectory(async (top) => {
      const directory = join(top, 'repository');
      await makeRepository(directory, 1);
      const indexer = await ServingIndexer.start(directory, soon);
      await rm(directory, { recursive: true });
      await until('it waits', () => /will retry/.test(indexer.output) || undefined);
      assert.equal(await indexer.interrupt(), 0, indexer.output);
    });
  });
});

describe('without the right to', () => {
  async function asOrdinaryUser(
    t: TestContext,
    work: (
      directory: string,
      options: { readonly user: { readonly uid?: number; readonly gid?: number } },
    ) => Promise<void>,
  ): Promise<void> {
    const { user, skip } = ordinaryUser();
    if (skip !== undefined) return t.skip(skip);
    await inTemporaryDirectory(async (top) => {
      const directory = join(top, 'repository');
      await mkdir(join(directory, 'All'), { recursive: true });
      for (const path of [directory, join(directory, 'All')]) {
        if (user.uid !== undefined) await chown(path, user.uid, user.gid ?? user.uid);
      }
      await work(directory, { user });
    });
  }

  test('read one package: the others are in the index, and this one is once it may be read', (t) =>
    asOrdinaryUser(t, async (directory, options) => {
      await makeRepository(directory, 5);
      const closed = join(directory, 'All', `${madeName(2)}.tgz`);
      await chmod(closed, 0);
      const indexed = await run([...indexNow, directory], options);
      assert.equal(indexed.exitCode, 3);
      assert.match(indexed.stderr, /^cannot index All\/made0002-1.0.tgz: permission is denied/);
      assert.equal((await publishedSummary(directory, 'gz')).split('\n\n').length - 1, 4);

      const indexer = await ServingIndexer.start(directory, soon, options);
      await until(
        'it says so',
        () => /cannot read All\/made0002-1.0.tgz: permission is denied; will retry/.test(indexer.output) || undefined,
      );
      assert.deepEqual((await fetch(`${indexer.url}/All/${madeName(2)}.tgz`)).status, 403);
      await chmod(closed, 0o644);
      await untilServed(indexer.url, await expectedSummary(directory));
      assert.equal(await indexer.interrupt(), 0);
    }));

  test('read one package until long after it was given up: it is tried again by itself', (t) =>
    asOrdinaryUser(t, async (directory, options) => {
      // Above the package: that a directory may be entered again is no news of the packages in it.
      await makeRepository(join(directory, 'other'), 1);
      await makeRepository(directory, 1);
      await chmod(join(directory, 'other'), 0o755);
      const indexer = await ServingIndexer.start(directory, soon, options);
      await untilServed(indexer.url, await expectedSummary(directory));
      await chmod(join(directory, 'other', 'All'), 0o600);
      await writeFile(
        join(directory, 'other', 'All', `${madeName(0)}.tgz`),
        makePackage({ name: madeName(0), comment: 'New\n' }),
      );
      await until(
        'it is given up',
        () =>
          /other\/All\/made0000-1.0.tgz failed 6 times: permission is denied.*every 15 seconds/.test(indexer.output) ||
          undefined,
      );
      await chmod(join(directory, 'other', 'All'), 0o755);
      if (options.user.uid !== undefined)
        await chown(join(directory, 'other', 'All'), options.user.uid, options.user.uid);
      await until(
        'it is in the index',
        async () => {
          const answer = await fetch(`${indexer.url}/other/All/pkg_summary.gz`);
          return answer.status === 200 || undefined;
        },
        30_000,
      );
      assert.equal(await indexer.interrupt(), 0);
    }));

  test('read one directory (lost+found): it is skipped, which is said once', (t) =>
    asOrdinaryUser(t, async (directory, options) => {
      await makeRepository(directory, 2);
      await mkdir(join(directory, 'lost+found'));
      await chmod(join(directory, 'lost+found'), options.user.uid === undefined ? 0 : 0o700);
      const indexed = await run([...indexNow, directory], options);
      assert.equal(indexed.exitCode, 0, indexed.stderr);
      assert.equal(
        indexed.stderr,
        `skipped ${directory}/lost+found: permission is denied; if it holds packages, allow this user to read it\n`,
      );
      const indexer = await ServingIndexer.start(directory, soon, options);
      await makeRepository(directory, 1, 2);
      await untilServed(indexer.url, await expectedSummary(directory));
      assert.equal(indexer.output.split('skipped').length, 2);
      assert.equal(await indexer.interrupt(), 0);
      await chmod(join(directory, 'lost+found'), 0o755);
    }));

  test('write to the directory: a sentence', (t) =>
    asOrdinaryUser(t, async (directory, options) => {
      await makeRepository(directory, 2);
      if (options.user.uid !== undefined) await chown(directory, 0, 0);
      await chmod(directory, 0o555);
      for (const command of ['index', 'serve']) {
        const { exitCode, stderr } = await run([command, directory], options);
        assert.deepEqual([exitCode, stderr], [3, `pkgsrc-indexer: ${directory}: permission is denied\n`]);
      }
      await chmod(directory, 0o755);
    }));

  test('write to the state directory: a sentence that names it', (t) =>
    asOrdinaryUser(t, async (directory, options) => {
      await makeRepository(directory, 2);
      const state = join(directory, '..', 'state');
      await mkdir(state);
      await chmod(state, 0o555);
      const { exitCode, stderr } = await run([...indexNow, directory, '--state', state], options);
      assert.equal(exitCode, 3);
      assert.match(stderr, /^pkgsrc-indexer: [^\n]*\/state\/[^\n]*\n$/);
    }));
});
