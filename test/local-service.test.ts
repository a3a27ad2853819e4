/** The service over a real directory, with a watch that reports what the test says and a clock that the test moves. */

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { asyncCalls, type FileCalls } from '../functions/adapters/local/file-calls.ts';
import type { WatchDirectory } from '../functions/adapters/local/watch-directory.ts';
import { Service, type ServiceOptions } from '../functions/local-service.ts';
import type { PublicationEvent } from '../functions/publication-event.ts';
import { Activity } from '../functions/server/activity.ts';
import type { ServiceStatus } from '../functions/server/service-status.ts';
import { ManualClock } from './adapters/manual-clock.ts';
import { makePackage } from './package-maker.ts';

/** From the start of the service: before the first comparison of everything, which finds whatever another part misses. */
const testMilliseconds = 500_000;

describe('Service', () => {
  let directory: string;
  let clock: ManualClock;
  let log: string[];
  let hooked: PublicationEvent[];
  let watch: { events: Parameters<WatchDirectory>[1]; isClosed: boolean } | undefined;
  /** Packages that fail to be opened. */
  let unreadable: Set<string>;
  let service: Service | undefined;
  /** When the test's time is up. */
  let end: number;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'local-service-'));
    await mkdir(join(directory, 'All'));
    clock = new ManualClock();
    log = [];
    hooked = [];
    unreadable = new Set();
    watch = undefined;
  });
  afterEach(async () => {
    await stop();
    await rm(directory, { recursive: true, force: true });
  });

  /** The clock goes on slowly meanwhile, since two publications of a repository are a second apart; nothing settles in that time. */
  async function stop(): Promise<void> {
    let isStopped = service === undefined;
    const stopped = service?.stop().finally(() => {
      isStopped = true;
    });
    for (; !isStopped; await setTimeout(2)) await clock.advance(20);
    service = undefined;
    await stopped;
  }

  async function start(
    settle = 2,
    own: Omit<Partial<ServiceOptions>, 'port'> & { port?: number | undefined } = {},
  ): Promise<void> {
    const calls: FileCalls = {
      ...asyncCalls,
      open: async (path, flags) => {
        if ([...unreadable].some((file) => path.endsWith(file)))
          throw Object.assign(new Error('closed'), { code: 'EACCES', syscall: 'open' });
        return await asyncCalls.open(path, flags);
      },
    };
    const watchDirectory: WatchDirectory = async (_root, events) => {
      const begun = { events, isClosed: false };
      watch = begun;
      return {
        polled: [{ kind: 'file system', reason: 'its file system (nfs)', directories: 2 }],
        close: async () => {
          begun.isClosed = true;
        },
      };
    };
    const { port, ...others } = { port: 0 as number | undefined, ...own };
    const options: ServiceOptions = {
      ...(port === undefined ? {} : { port }),
      formats: ['gz', 'zst'],
      page: false,
      debounce: 1,
      settle,
      localUploads: true,
      hooks: [{ name: 'hook', deliver: async (event: PublicationEvent) => void hooked.push(event) }],
      ...others,
    };
    service = await Service.start(directory, options, new Activity(clock), {
      log: (line) => log.push(line),
      clock,
      watch: watchDirectory,
      calls,
    });
    end = clock.now().getTime() + testMilliseconds;
  }

  const armPackage = makePackage({ name: 'arm-1.0', buildInfo: 'MACHINE_ARCH=aarch64\n' });
  const put = (file: string, name = file) => writeFile(join(directory, file), makePackage({ name: `${name}-1.0` }));

  /**
   * Moves the clock until this holds, up to `end`, and then waits some real seconds for the disk.
   * @throws if it does not come true.
   */
  async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
    for (; !(await holds()) && clock.now().getTime() < end; await setTimeout(2)) await clock.advance(500);
    for (const deadline = performance.now() + 5_000; !(await holds()); await setTimeout(2))
      assert.ok(performance.now() < deadline, `expected that ${what}; the log is:\n${log.join('\n')}`);
  }

  /** What is to hold at the next second, as soon as the disk is done. */
  async function untilNow(line: string): Promise<void> {
    end = clock.now().getTime();
    await untilLogged(line);
  }

  const untilLogged = (line: string) => until(`"${line}" is logged`, () => log.some((each) => each.startsWith(line)));

  async function status(): Promise<ServiceStatus> {
    return (await (await fetch(`http://127.0.0.1:${service?.port}/-/status`)).json()) as ServiceStatus;
  }

  /** With one package, published. */
  async function startPublished(): Promise<void> {
    await put('All/first-1.0.tgz', 'first');
    await start();
    await untilLogged('published All: 1 package');
    await until('it has nothing more to do', async () => {
      const { pending, publications } = (await status()).queue;
      return pending + publications === 0;
    });
    log.splice(0);
  }

  it('tells its hooks of each publication, and counts that', async () => {
    await startPublished();
    await put('All/more-1.0.tgz', 'more');
    watch?.events.onFile('All/more-1.0.tgz');
    await untilLogged('published All: 2 packages');
    assert.deepEqual(
      hooked.map(({ repository, packages, added }) => [repository, packages, added]),
      [
        ['All', 1, ['first-1.0.tgz']],
        ['All', 2, ['more-1.0.tgz']],
      ],
    );
    assert.ok((hooked[0]?.sequence ?? 0) < (hooked[1]?.sequence ?? 0));
    const metrics = await (await fetch(`http://127.0.0.1:${service?.port}/-/metrics`)).text();
    assert.match(metrics, /^pkgsrc_indexer_hook_deliveries_total\{outcome="delivered"\} 2$/m);
  });

  it('follows the directory without a port as well', async () => {
    await put('All/first-1.0.tgz', 'first');
    await start(2, { port: undefined });
    assert.equal(service?.port, undefined);
    await untilLogged('published All: 1 package');
    assert.ok(log.includes(`watching ${directory}    to stop: Ctrl-C`), log.join('\n'));
  });

  it('indexes what is there when it starts, and greets', async () => {
    await startPublished();
    await put('All/more-1.0.tgz', 'more');
    await stop();
    await start();
    assert.deepEqual(
      log.map((line) => line.replace(directory, 'DIR').replaceAll(/:\d+\//g, ':PORT/')),
      [
        'DIR: 2 packages in 1 repository, 1 change to process',
        'serving DIR on http://127.0.0.1:PORT/',
        'for pkgin, add to repositories.conf:',
        '  http://127.0.0.1:PORT/All',
        'to upload:  curl -T PACKAGE.tgz http://127.0.0.1:PORT/All/  (this machine alone: never put a proxy before it)',
        'status:  http://127.0.0.1:PORT/-/    to stop: Ctrl-C',
      ],
    );
    await untilLogged('published All: 2 packages');
  });

  it('indexes a file that the watch reports, once it has settled', async () => {
    await startPublished();
    await put('All/more-1.0.tgz', 'more');
    watch?.events.onFile('All/more-1.0.tgz');
    await clock.advance(1_600);
    watch?.events.onFile('All/more-1.0.tgz');
    await clock.advance(1_999);
    assert.equal((await status()).queue.pending, 1, 'it may still be growing');
    assert.deepEqual(log, []);
    await untilLogged('indexed All/more-1.0.tgz');
    await untilLogged('published All: 2 packages');
  });

  it('keeps what it has of a file that is still growing when it is stopped', async () => {
    await startPublished();
    await stop();
    // Longer than the clock goes on while it stops.
    await start(300);
    log.splice(0);
    await put('All/first-1.0.tgz', 'other');
    watch?.events.onFile('All/first-1.0.tgz');
    await stop();
    assert.deepEqual(log, []);
    await start();
    await untilLogged('indexed All/first-1.0.tgz');
  });

  it('compares a directory, and no other, when the watch reports it', async () => {
    await startPublished();
    await mkdir(join(directory, 'All/below'));
    await put('All/more-1.0.tgz', 'more');
    await put('All/below/unseen-1.0.tgz', 'unseen');
    await rm(join(directory, 'All/first-1.0.tgz'));
    watch?.events.onDirectory('All/');
    await untilLogged('indexed All/more-1.0.tgz');
    await untilLogged('removed All/first-1.0.tgz');
    await untilLogged('published All: 1 package');
    assert.ok(!log.some((line) => line.includes('unseen')));
  });

  for (const prefix of ['All/', ''])
    it(`compares everything below "${prefix}" when the watch reports it`, async () => {
      await startPublished();
      await mkdir(join(directory, 'All/below'));
      await put('All/more-1.0.tgz', 'more');
      await put('All/below/more-1.0.tgz', 'more');
      watch?.events.onTree(prefix);
      await untilLogged('indexed All/more-1.0.tgz');
      await untilLogged('indexed All/below/more-1.0.tgz');
      await rm(join(directory, 'All'), { recursive: true });
      watch?.events.onTree(prefix);
      await untilLogged('removed All/more-1.0.tgz');
      await untilLogged('removed All/below/more-1.0.tgz');
    });

  it('tells what is polled: in the log, and in the status', async () => {
    await startPublished();
    watch?.events.onNotice('it is polled');
    assert.deepEqual(log, ['it is polled']);
    assert.deepEqual((await status()).polled, [{ directories: 2, reason: 'its file system (nfs)', setting: null }]);
  });

  it('finds an index that is not ours when the watch reports its directory', async () => {
    await startPublished();
    // Of a format that is not published: it is deleted.
    const foreign = join(directory, 'All/pkg_summary.bz2');
    await writeFile(foreign, 'foreign');
    watch?.events.onDirectory('All/');
    await until('it is deleted', () => !existsSync(foreign));
  });

  for (const [what, change] of [
    ['is replaced by another one', (path: string) => writeFile(path, 'foreign')],
    ['is removed', (path: string) => rm(path)],
  ] as const)
    it(`publishes again when an index ${what}`, async () => {
      await startPublished();
      await change(join(directory, 'All/pkg_summary.zst'));
      watch?.events.onFile('All/pkg_summary.zst');
      await untilLogged('published All');
    });

  it('compares everything every ten minutes: the watch may have missed something', async () => {
    await startPublished();
    for (const number of [1, 2]) {
      await put(`All/unseen${number}-1.0.tgz`, `unseen${number}`);
      await writeFile(join(directory, 'All/pkg_summary.gz'), 'foreign');
      end += 600_000;
      await untilLogged(`indexed All/unseen${number}-1.0.tgz`);
      await untilLogged(`published All: ${1 + number} packages`);
    }
  });

  it('retries dead letters', async () => {
    await startPublished();
    unreadable.add('late-1.0.tgz');
    await put('All/late-1.0.tgz', 'late');
    watch?.events.onFile('All/late-1.0.tgz');
    await untilLogged('All/late-1.0.tgz failed 6 times: permission is denied; will retry every 15 seconds');
    assert.deepEqual(
      log.filter((line) => line.startsWith('cannot read')),
      ['cannot read All/late-1.0.tgz: permission is denied; will retry'],
      'it is reported once',
    );
    unreadable.clear();
    await untilLogged('indexed All/late-1.0.tgz');
    assert.deepEqual((await status()).queue.deadLetters, []);
  });

  describe('over HTTP', () => {
    const url = (path: string) => `http://127.0.0.1:${service?.port}/${path}`;
    const upload = async (name: string) => {
      const body = makePackage({ name: `${name}-1.0` });
      assert.equal((await fetch(url(`All/${name}-1.0.tgz`), { method: 'PUT', body })).status, 201);
    };

    it('indexes an upload at once, and removes a package', async () => {
      await startPublished();
      await upload('more');
      await untilNow('indexed All/more-1.0.tgz');
      assert.equal((await fetch(url('All/first-1.0.tgz'), { method: 'DELETE' })).status, 204);
      assert.equal((await fetch(url('All/first-1.0.tgz'), { method: 'DELETE' })).status, 404);
      await untilNow('removed All/first-1.0.tgz');
      end += 20_000;
      await untilLogged('published All: 1 package');
      const { counts, publications } = await status();
      assert.deepEqual(counts, { uploads: 1, indexed: 2, rejected: 0, removed: 1, publications: 2 });
      assert.equal(publications[0]?.latency?.changes, 2);
    });

    it('answers with the status as it is now, and reads failed packages again', async () => {
      await startPublished();
      await writeFile(join(directory, 'All/bad-1.0.tgz'), 'not a package');
      watch?.events.onFile('All/bad-1.0.tgz');
      assert.deepEqual((await status()).repositories[0]?.pending, ['All/bad-1.0.tgz']);
      await untilLogged('rejected All/bad-1.0.tgz: not-a-package');
      const [repository] = (await status()).repositories;
      assert.deepEqual([repository?.packages, repository?.rejected.map(({ file }) => file)], [1, ['bad-1.0.tgz']]);
      assert.equal(repository?.at, clock.now().toISOString());

      log.splice(0);
      await put('All/bad-1.0.tgz', 'good');
      const retry = await fetch(url('-/retry'), {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: '{"all":true}',
      });
      assert.deepEqual([retry.status, await retry.json()], [202, { retried: 1 }]);
      await untilLogged('indexed All/bad-1.0.tgz');
    });
  });

  it('keeps an index of others whose packages are not there, says so, and publishes once that is confirmed', async () => {
    const records = Array.from({ length: 25 }, (_, number) => `PKGNAME=p-${number}\nCOMMENT=c\n\n`).join('');
    const foreign = gzipSync(records);
    await writeFile(join(directory, 'All/pkg_summary.gz'), foreign);
    await start(0);
    await untilLogged('All: held back: would-shrink: from 25 packages to 0 packages');
    assert.ok(log.some((line) => line.endsWith('; to publish it: the page /-/, or POST /-/adopt')));
    // A package that comes does not change it.
    await put('All/first-1.0.tgz', 'first');
    watch?.events.onFile('All/first-1.0.tgz');
    await untilLogged('All: held back: would-shrink: from 25 packages to 1 package');
    assert.ok(foreign.equals(await readFile(join(directory, 'All/pkg_summary.gz'))));
    const [repository] = (await status()).repositories;
    assert.equal(repository?.heldBack?.to, 1);
    assert.equal(repository.heldBack.files.length, 10);
    const adopt = (name: string) =>
      fetch(`http://127.0.0.1:${service?.port}/-/adopt`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ repository: name }),
      });
    assert.equal((await adopt('other')).status, 409);
    assert.equal((await adopt('All')).status, 202);
    await untilLogged('published All: 1 package');
    assert.equal((await status()).repositories[0]?.heldBack, null);
    assert.equal((await adopt('All')).status, 409);
    const hidden = await fetch(`http://127.0.0.1:${service?.port}/All/.indexer-state/confirmed.json`);
    assert.equal(hidden.status, 404);
  });

  it('holds back what drops more than it may', async () => {
    await put('All/first-1.0.tgz', 'first');
    await put('All/second-1.0.tgz', 'second');
    await start(0, { maxShrink: 10, port: undefined });
    await untilLogged('published All: 2 packages');
    await rm(join(directory, 'All/first-1.0.tgz'));
    watch?.events.onFile('All/first-1.0.tgz');
    await untilLogged('All: held back: would-shrink: from 2 packages to 1 package (more than --max-shrink allows)');
    assert.ok(
      log.some((line) => line.includes('; to publish it: stop this, run index --adopt with')),
      'no HTTP',
    );
  });

  it('judges what is there, and what is uploaded, by the rules that it is started with', async () => {
    await writeFile(join(directory, 'All/arm-1.0.tgz'), armPackage);
    await start();
    await untilLogged('indexed All/arm-1.0.tgz');
    await untilLogged('published All: 1 package');
    await stop();
    log.splice(0);
    await start(2, { arch: ['x86_64'] });
    await untilLogged('rejected All/arm-1.0.tgz: foreign-architecture');
    await untilLogged('published All: 0 packages');
    const url = `http://127.0.0.1:${service?.port}/All/arm-1.0.tgz`;
    const { status: code } = await fetch(url, { method: 'PUT', body: armPackage });
    assert.equal(code, 422);
  });

  describe('ends', () => {
    const ended = () => Promise.race([service?.untilEnd(new AbortController().signal), setTimeout(5_000, 'never')]);

    it('when it is asked to, and publishes what is in the queue', async () => {
      await startPublished();
      await put('All/more-1.0.tgz', 'more');
      watch?.events.onFile('All/more-1.0.tgz');
      await untilLogged('indexed All/more-1.0.tgz');
      assert.equal(await service?.untilEnd(AbortSignal.abort()), 'asked');
      await stop();
      assert.ok(log.some((line) => line.startsWith('published All: 2 packages')));
      assert.equal(watch?.isClosed, true);
      assert.equal(clock.sleepers, 0);
    });

    it('when its table is removed: another indexer may work here already, so it does nothing more', async () => {
      await startPublished();
      unreadable.add('more-1.0.tgz');
      await put('All/more-1.0.tgz', 'more');
      watch?.events.onFile('All/more-1.0.tgz');
      await untilLogged('cannot read All/more-1.0.tgz');
      log.splice(0);
      unreadable.clear();
      await rm(join(directory, '.indexer/records.sqlite'));
      assert.equal(await ended(), 'state');
      await stop();
      assert.deepEqual(log, []);
    });

    it('when its directory is replaced, without publishing anything there', async () => {
      await startPublished();
      await put('All/more-1.0.tgz', 'more');
      watch?.events.onFile('All/more-1.0.tgz');
      await rename(directory, `${directory}-before`);
      await mkdir(join(directory, 'All'), { recursive: true });
      assert.equal(await ended(), 'directory');
      await stop();
      assert.deepEqual(log, []);
      await rm(`${directory}-before`, { recursive: true });
    });
  });
});
