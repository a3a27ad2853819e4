import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import fc from 'fast-check';
import { Debouncer } from '../../../functions/adapters/local/debouncer.ts';
import { ManualClock, settle } from '../manual-clock.ts';

const limits = {
  quietMilliseconds: 1000,
  waitMillisecondsMax: 10_000,
  changedFilesMax: 3,
  retryMillisecondsMin: 200,
  retryMillisecondsMax: 10_000,
};

describe('Debouncer', () => {
  let clock: ManualClock;
  let debouncer: Debouncer;
  /** `repository at second` of each run's beginning. */
  let begun: string[];
  let told: string[];
  /** What each run was told to have changed. */
  let changes: (readonly string[] | 'all')[];
  let runs: { succeed(): void; fail(): void }[];
  const start = new Date('2026-01-01T00:00:00Z').getTime();

  /** Runs end when the test says so. */
  beforeEach(() => {
    clock = new ManualClock(new Date(start));
    [begun, told, changes, runs] = [[], [], [], []];
    debouncer = new Debouncer({
      work: (repository, changed) => {
        changes.push(changed === 'all' ? 'all' : [...changed]);
        begun.push(`${repository} at ${clock.now().getTime() - start}`);
        return new Promise<void>((succeed, reject) => {
          runs.push({ succeed, fail: () => reject(new Error('no')) });
        });
      },
      clock,
      limits,
      onError: (repository, error, failures) => told.push(`${repository}: ${(error as Error).message} (${failures})`),
    });
  });

  /** Ends the run that began first. */
  async function end(how: 'succeed' | 'fail' = 'succeed'): Promise<void> {
    const run = runs.shift();
    assert.ok(run, 'nothing is run');
    run[how]();
    await settle();
  }

  it('runs once a repository has been quiet', async () => {
    debouncer.touch('All');
    await clock.advance(900);
    debouncer.touch('All');
    debouncer.touch('All');
    await clock.advance(60_000);
    assert.deepEqual(begun, ['All at 1900']);
    assert.equal(debouncer.pending, 1);
    await end();
    assert.equal(debouncer.pending, 0);
    assert.equal(clock.sleepers, 0);
  });

  it('runs so long after the first touch although it is never quiet, again and again', async () => {
    for (let at = 0; at < 25_000; at += 500) {
      debouncer.touch('All');
      await clock.advance(500);
      if (runs.length > 0) await end();
    }
    assert.deepEqual(begun, ['All at 10000', 'All at 20000']);
    await clock.advance(1000);
    assert.deepEqual(begun.at(-1), 'All at 25500');
  });

  it('keeps repositories apart', async () => {
    debouncer.touch('one');
    await clock.advance(500);
    debouncer.touch('two');
    await clock.advance(1000);
    assert.deepEqual(begun, ['one at 1000', 'two at 1500']);
  });

  it('runs a repository that is touched during its run again, afterwards', async () => {
    debouncer.touch('All');
    await clock.advance(1000);
    debouncer.touch('All');
    await clock.advance(5000);
    debouncer.touch('All');
    assert.deepEqual(begun, ['All at 1000'], 'never two at once');
    await end();
    assert.deepEqual(begun, ['All at 1000', 'All at 6000'], 'it was due already');
    await end();
    assert.equal(clock.sleepers, 0);
    assert.equal(debouncer.pending, 0);
  });

  it('lets a touch during a run wait its own time when the run ends before', async () => {
    debouncer.touch('All');
    await clock.advance(1000);
    debouncer.touch('All');
    await clock.advance(100);
    await end();
    await clock.advance(900);
    assert.deepEqual(begun, ['All at 1000', 'All at 2000']);
  });

  describe('a run that fails', () => {
    it('is run again after waits that double, up to the longest, until it succeeds', async () => {
      debouncer.touch('All');
      await clock.advance(1000);
      for (let failures = 0; failures < 9; failures += 1) {
        await end('fail');
        await clock.advance(limits.retryMillisecondsMax);
      }
      const waits = [200, 400, 800, 1600, 3200, 6400, 10_000, 10_000, 10_000];
      assert.equal(begun.length, 10);
      assert.deepEqual(
        told,
        waits.map((_, index) => `All: no (${index + 1})`),
      );
      await end();
      assert.equal(debouncer.pending, 0);
    });

    for (const [failures, wait] of [200, 400, 800, 1600, 3200, 6400, 10_000, 10_000].entries()) {
      it(`waits ${wait} ms after failure ${failures + 1}`, async () => {
        debouncer.touch('All');
        await clock.advance(1000);
        for (let count = 0; count < failures; count += 1) {
          await end('fail');
          await clock.advanceToNext();
        }
        await end('fail');
        const before = begun.length;
        await clock.advance(wait - 1);
        assert.equal(begun.length, before);
        await clock.advance(1);
        assert.equal(begun.length, before + 1);
      });
    }

    it('is not run earlier, nor twice, for a touch while it waits', async () => {
      debouncer.touch('All');
      await clock.advance(1000);
      for (let failures = 0; failures < 4; failures += 1) {
        await end('fail');
        await clock.advanceToNext();
      }
      await end('fail');
      const before = begun.length;
      debouncer.touch('All');
      await clock.advance(3199);
      assert.equal(begun.length, before);
      await clock.advance(1);
      await end();
      await clock.advance(60_000);
      assert.equal(begun.length, before + 1);
    });

    it('is run for the touch that came during it', async () => {
      debouncer.touch('All');
      await clock.advance(1000);
      debouncer.touch('All');
      await end('fail');
      await clock.advance(1000);
      assert.deepEqual(begun, ['All at 1000', 'All at 2000']);
      await end();
      assert.equal(debouncer.pending, 0);
    });

    it('begins its waits anew after a success', async () => {
      debouncer.touch('All');
      await clock.advance(1000);
      await end('fail');
      await clock.advance(200);
      debouncer.touch('All');
      await end();
      await clock.advance(1000);
      await end('fail');
      assert.deepEqual(told, ['All: no (1)', 'All: no (1)']);
    });
  });

  describe('tells a run what changed', () => {
    it('since the one before began: each file once', async () => {
      for (const file of ['b', 'a', 'b']) debouncer.touch('All', file);
      debouncer.touch('other', 'c');
      await clock.advance(1000);
      debouncer.touch('All', 'd');
      await end();
      await end();
      await clock.advance(1000);
      assert.deepEqual(changes, [['b', 'a'], ['c'], ['d']]);
    });

    it('anything, where one touch names no file', async () => {
      for (const file of ['a', undefined, 'b']) debouncer.touch('All', file);
      await clock.advance(1000);
      assert.deepEqual(changes, ['all']);
    });

    it('again after one that failed, with what came since', async () => {
      debouncer.touch('All', 'a');
      await clock.advance(1000);
      debouncer.touch('All', 'b');
      await end('fail');
      await clock.advance(1000);
      await end('fail');
      await clock.advance(400);
      await end();
      debouncer.touch('All', 'c');
      await clock.advance(1000);
      assert.deepEqual(
        changes.map((files) => (files === 'all' ? files : files.toSorted())),
        [['a'], ['a', 'b'], ['a', 'b'], ['c']],
      );
    });

    it('anything again, where that is what failed', async () => {
      debouncer.touch('All');
      await clock.advance(1000);
      await end('fail');
      debouncer.touch('All', 'a');
      await clock.advance(1000);
      assert.deepEqual(changes, ['all', 'all']);
    });

    it('so many files one by one, and anything where it is one more', async () => {
      for (const count of [limits.changedFilesMax, limits.changedFilesMax + 1]) {
        for (let file = 0; file < count; file += 1) debouncer.touch('All', `${file}`);
        await clock.advance(1000);
        await end();
      }
      assert.deepEqual(changes, [['0', '1', '2'], 'all']);
    });
  });

  it('runs what a run asks for while it is closed, and closes then', async () => {
    let isClosed = false;
    debouncer.touch('All', 'a');
    const closed = debouncer.close().then(() => {
      isClosed = true;
    });
    debouncer.touch('All');
    await end();
    assert.equal(isClosed, false);
    assert.throws(() => debouncer.touch('other'), /after the debouncer was closed/);
    await end();
    await closed;
    assert.deepEqual(changes, [['a'], 'all']);
    assert.throws(() => debouncer.touch('All'), /after the debouncer was closed/);
    assert.equal(clock.sleepers, 0);
  });

  describe('close', () => {
    it('runs what is waiting, one repository after the other, and retries nothing', async () => {
      let isClosed = false;
      debouncer.touch('two');
      await clock.advance(1000);
      await end('fail');
      debouncer.touch('three');
      debouncer.touch('one');
      const closed = debouncer.close().then(() => {
        isClosed = true;
      });
      assert.throws(() => debouncer.touch('four'), /after the debouncer was closed/);
      for (const how of ['succeed', 'fail', 'succeed'] as const) {
        assert.equal(runs.length, 1);
        assert.equal(isClosed, false);
        await end(how);
      }
      await closed;
      assert.deepEqual(begun, ['two at 1000', 'one at 1000', 'three at 1000', 'two at 1000']);
      assert.equal(clock.sleepers, 0);
      assert.equal(debouncer.pending, 0);
    });

    it('waits for a run in progress, and then runs what came during it', async () => {
      let isClosed = false;
      debouncer.touch('All');
      await clock.advance(1000);
      debouncer.touch('All');
      const closed = debouncer.close().then(() => {
        isClosed = true;
      });
      await end();
      assert.deepEqual(begun, ['All at 1000', 'All at 1000']);
      assert.equal(isClosed, false);
      await end();
      await closed;
    });

    it('resolves at once where nothing is waiting', async () => {
      await debouncer.close();
    });
  });

  it('whenever it is touched: a run begins after it, not before its quiet time and not after its time', async () => {
    const touches = fc.array(fc.record({ repository: fc.constantFrom('one', 'two'), pause: fc.nat(4000) }), {
      minLength: 1,
      maxLength: 30,
    });
    await fc.assert(
      fc.asyncProperty(touches, fc.nat(3000), async (steps, runMilliseconds) => {
        const clock = new ManualClock();
        const now = () => clock.now().getTime();
        const first = new Map<string, number>();
        const last = new Map<string, number>();
        const running = new Map<string, number>();
        const work = async (repository: string) => {
          assert.ok(!running.has(repository), 'two at once');
          const waited = now() - (first.get(repository) ?? Number.NaN);
          const quiet = now() - (last.get(repository) ?? Number.NaN);
          assert.ok(quiet >= 1000 || waited >= 10_000, `run ${quiet} ms after the last touch`);
          assert.ok(waited <= 10_000 + runMilliseconds, `run ${waited} ms after the first touch`);
          first.delete(repository);
          running.set(repository, now());
          await clock.sleep(runMilliseconds);
          running.delete(repository);
        };
        const debouncer = new Debouncer({ work, clock, limits });
        for (const { repository, pause } of steps) {
          debouncer.touch(repository);
          if (!first.has(repository)) first.set(repository, now());
          last.set(repository, now());
          await clock.advance(pause);
        }
        while (await clock.advanceToNext());
        assert.deepEqual([...first.keys()], []);
        assert.equal(debouncer.pending, 0);
      }),
      { numRuns: 50 },
    );
  });
});
