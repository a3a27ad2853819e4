import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import fc from 'fast-check';
import { MemoryHints } from '../../../functions/adapters/local/memory-hints.ts';
import type { Hint } from '../../../functions/ports.ts';
import { runs } from '../../thoroughness.ts';
import { hintQueueContract } from '../hint-queue.contract.ts';
import { ManualClock, settle } from '../manual-clock.ts';

hintQueueContract('MemoryHints', async () => {
  const delivered: Hint[] = [];
  const work = async (hint: Hint) => {
    delivered.push(hint);
  };
  const clock = new ManualClock();
  const queue = new MemoryHints({ work, clock });
  return {
    queue,
    delivered: async () => delivered,
    pass: (milliseconds) => clock.advance(milliseconds),
    close: () => queue.close(),
  };
});

const limits = { hintsConcurrentMax: 3, hintTriesMax: 4, retryMillisecondsMin: 100 };

describe('MemoryHints', () => {
  let clock: ManualClock;
  let queue: MemoryHints;
  /** What happened: `key` or `key!` (forced) when work begins; see `told` for the rest. */
  let begun: string[];
  let told: string[];
  /** The works that go on, to be ended by the test, in the order in which they began. */
  let works: { readonly key: string; succeed(): void; fail(message: string): void }[];
  const start = new Date('2026-01-01T00:00:00Z').getTime();

  /** A queue whose works end when the test says so. */
  beforeEach(() => {
    clock = new ManualClock(new Date(start));
    [begun, told, works] = [[], [], []];
    queue = new MemoryHints({
      work: ({ key, force }) => {
        begun.push(force ? `${key}!` : key);
        return new Promise<void>((succeed, reject) => {
          works.push({ key, succeed, fail: (message) => reject(new Error(message)) });
        });
      },
      clock,
      limits,
      onError: ({ key }, error, tries) => told.push(`${key}: ${(error as Error).message} (${tries})`),
      onDeadLetter: ({ hint, message, tries }) => told.push(`dead: ${hint.key}: ${message} (${tries})`),
    });
  });

  async function succeed(key: string): Promise<void> {
    const index = works.findIndex((work) => work.key === key);
    works.splice(index, 1)[0]?.succeed();
    assert.notEqual(index, -1, `${key} is not worked on`);
    await settle();
  }
  async function fail(key: string, message = 'no'): Promise<void> {
    const index = works.findIndex((work) => work.key === key);
    works.splice(index, 1)[0]?.fail(message);
    assert.notEqual(index, -1, `${key} is not worked on`);
    await settle();
  }
  const send = (...keys: string[]) => queue.send(keys.map((key) => ({ key })));

  it('works on so many at a time, in the order in which they came', async () => {
    await send('a', 'b', 'c', 'd', 'e');
    assert.deepEqual(begun, ['a', 'b', 'c']);
    assert.equal(queue.pending, 5);
    await succeed('b');
    assert.deepEqual(begun, ['a', 'b', 'c', 'd']);
    assert.equal(queue.pending, 4);
  });

  describe('hints for one key', () => {
    it('are one while they wait, and forced if any of them was', async () => {
      await send('a', 'b', 'c');
      await queue.send([{ key: 'd' }, { key: 'e' }, { key: 'd', force: true }]);
      await queue.send([{ key: 'd' }]);
      for (const key of ['a', 'b', 'c']) await succeed(key);
      assert.deepEqual(begun, ['a', 'b', 'c', 'd!', 'e']);
    });

    it('that is worked on cause it to be worked on once more, afterwards', async () => {
      await send('a', 'a');
      await send('a');
      await queue.send([{ key: 'a', force: true }]);
      await send('a', 'b');
      assert.deepEqual(begun, ['a', 'b'], 'never two at once, and others do not wait for it');
      await succeed('a');
      assert.deepEqual(begun, ['a', 'b', 'a!']);
      await succeed('a');
      await succeed('b');
      assert.equal(queue.pending, 0);
    });

    it('keep the force of a work that fails', async () => {
      await queue.send([{ key: 'a', force: true }]);
      await send('a');
      await fail('a');
      assert.deepEqual(begun, ['a!', 'a!']);
      await queue.sendAfter([{ key: 'a' }], 50);
      await fail('a');
      await clock.advance(50);
      assert.deepEqual(begun, ['a!', 'a!', 'a!']);
    });
  });

  describe('a hint that may wait', () => {
    it('is worked on when the key has been left alone for so long', async () => {
      await queue.sendAfter([{ key: 'a' }], 500);
      await clock.advance(400);
      await queue.sendAfter([{ key: 'a' }], 500);
      await clock.advance(499);
      assert.deepEqual(begun, []);
      assert.equal(queue.pending, 1);
      await clock.advance(1);
      assert.deepEqual(begun, ['a']);
      await clock.advance(10_000);
      assert.deepEqual(begun, ['a']);
    });

    it('waits no longer when another one for the key may not', async () => {
      await queue.sendAfter([{ key: 'a', force: true }], 500);
      await send('a');
      assert.deepEqual(begun, ['a!']);
      await succeed('a');
      await clock.advance(500);
      assert.deepEqual(begun, ['a!']);
    });

    it('holds back one for the key that has not begun yet', async () => {
      await send('a', 'b', 'c', 'd');
      await queue.sendAfter([{ key: 'd' }], 500);
      for (const key of ['a', 'b', 'c']) await succeed(key);
      assert.deepEqual(begun, ['a', 'b', 'c']);
      await clock.advance(500);
      assert.deepEqual(begun, ['a', 'b', 'c', 'd']);
    });

    it('waits for the work on its key to end, too', async () => {
      await send('a');
      await queue.sendAfter([{ key: 'a' }], 500);
      await clock.advance(500);
      assert.deepEqual(begun, ['a']);
      await succeed('a');
      assert.deepEqual(begun, ['a', 'a']);
    });
  });

  describe('work that fails', () => {
    it('is tried again after waits that double, and given up after so many tries', async () => {
      await queue.send([{ key: 'a', force: true }]);
      for (const wait of [100, 200, 400]) {
        await fail('a', `before ${wait}`);
        const tries = begun.length;
        await clock.advance(wait - 1);
        assert.equal(begun.length, tries);
        assert.equal(queue.pending, 1);
        await clock.advance(1);
        assert.equal(begun.length, tries + 1);
      }
      assert.deepEqual(queue.deadLetters, []);
      await fail('a', 'for good');
      const at = new Date(start + 700);
      const error = new Error('for good');
      assert.deepEqual(queue.deadLetters, [
        { hint: { key: 'a', force: true }, error, message: 'for good', tries: 4, at },
      ]);
      assert.deepEqual(told, [
        'a: before 100 (1)',
        'a: before 200 (2)',
        'a: before 400 (3)',
        'a: for good (4)',
        'dead: a: for good (4)',
      ]);
      assert.equal(queue.pending, 0);
      await clock.advance(100_000);
      assert.deepEqual(begun, ['a!', 'a!', 'a!', 'a!']);
    });

    it('leaves room for others while it waits to be tried again', async () => {
      await send('a', 'b', 'c', 'd');
      await fail('a');
      assert.deepEqual(begun, ['a', 'b', 'c', 'd']);
    });

    it('is tried at once when there is news of its key, with all tries before it', async () => {
      await send('a');
      await fail('a');
      await clock.advance(100);
      await fail('a');
      await send('a');
      assert.equal(begun.length, 3);
      await fail('a');
      assert.deepEqual(told.at(-1), 'a: no (1)');
    });

    it('may fail with anything', async () => {
      const odd = new MemoryHints({ work: () => Promise.reject('a text'), clock, limits });
      await odd.send([{ key: 'a' }]);
      while (await clock.advanceToNext());
      assert.equal(odd.deadLetters[0]?.message, 'a text');
    });

    it('does not make two dead letters of one key, and a later success clears the one', async () => {
      const die = async (key: string) => {
        await send(key);
        for (let tries = 0; tries < limits.hintTriesMax; tries += 1) {
          await fail(key, `try ${tries}`);
          await clock.advance(1000);
        }
      };
      await die('a');
      await die('b');
      await die('a');
      assert.deepEqual(
        queue.deadLetters.map(({ hint }) => hint.key),
        ['b', 'a'],
      );
      await send('a', 'c');
      assert.equal(queue.deadLetters.length, 2, 'cleared before it succeeded');
      await succeed('c');
      await succeed('a');
      assert.deepEqual(
        queue.deadLetters.map(({ hint }) => hint.key),
        ['b'],
      );
    });
  });

  describe('a dead letter', () => {
    async function die(hint: Hint, message = 'no'): Promise<void> {
      const { key } = hint;
      await queue.send([hint]);
      for (let tries = 0; tries < limits.hintTriesMax; tries += 1) {
        await fail(key, message);
        await clock.advance(1000);
      }
      told = [];
    }

    it('has one more try when asked for, and is told again only where the reason is another one', async () => {
      await die({ key: 'a', force: true }, 'the disk is full');
      for (const message of ['the disk is full', 'the disk is full', 'no such disk']) {
        queue.retryDeadLetters();
        await fail('a', message);
        await clock.advance(100_000);
        assert.equal(queue.pending, 0);
      }
      assert.deepEqual(told, [
        'a: the disk is full (4)',
        'a: the disk is full (4)',
        'a: no such disk (4)',
        'dead: a: no such disk (4)',
      ]);
      queue.retryDeadLetters();
      assert.equal(begun.at(-1), 'a!');
      await succeed('a');
      assert.deepEqual(queue.deadLetters, []);
      queue.retryDeadLetters();
      assert.equal(queue.pending, 0);
    });

    it('that is on its way already is left to its tries', async () => {
      await die({ key: 'a' });
      await send('a');
      queue.retryDeadLetters();
      assert.equal(queue.pending, 1);
      await fail('a');
      assert.deepEqual(told, ['a: no (1)']);
      queue.retryDeadLetters();
      assert.equal(queue.pending, 1);
    });
  });

  describe('idle', () => {
    it('resolves at once where nothing is to be done', async () => {
      await queue.idle();
      await queue.send([]);
      await queue.idle();
    });

    it('waits for what waits, is delayed, is tried again and is worked on', async () => {
      let isIdle = false;
      await send('a');
      await queue.sendAfter([{ key: 'b' }], 500);
      const idle = Promise.all([queue.idle(), queue.idle()]).then(() => {
        isIdle = true;
      });
      await fail('a');
      await clock.advance(100);
      await succeed('a');
      await clock.advance(400);
      await settle();
      assert.equal(isIdle, false);
      await succeed('b');
      await idle;
    });
  });

  describe('close', () => {
    it('ends what is here, without waiting for its time, and takes nothing more', async () => {
      let isClosed = false;
      await send('a', 'retried', 'c', 'd');
      await queue.sendAfter([{ key: 'delayed' }], 60_000);
      await fail('retried');
      const closed = queue.close().then(() => {
        isClosed = true;
      });
      await assert.rejects(queue.send([{ key: 'x' }]), /after the queue was closed/);
      await assert.rejects(queue.sendAfter([{ key: 'x' }], 1), /after the queue was closed/);
      for (const key of ['a', 'c', 'd', 'delayed']) await succeed(key);
      assert.equal(isClosed, false);
      await fail('retried', 'still not');
      await closed;
      assert.deepEqual(begun, ['a', 'retried', 'c', 'd', 'delayed', 'retried']);
      assert.deepEqual(
        queue.deadLetters.map(({ hint, message, tries }) => [hint.key, message, tries]),
        [['retried', 'still not', 2]],
      );
      assert.equal(clock.sleepers, 0);
      await queue.close();
    });

    it('resolves after the work in progress where the rest is dropped', async () => {
      await send('a', 'b', 'c', 'waits');
      await queue.sendAfter([{ key: 'delayed' }], 60_000);
      const closed = queue.close();
      queue.drop();
      for (const key of ['a', 'b', 'c']) await succeed(key);
      await closed;
      assert.deepEqual(begun, ['a', 'b', 'c']);
      assert.deepEqual([queue.pending, clock.sleepers], [0, 0]);
      queue.drop();
    });

    it('of an empty queue resolves at once', async () => {
      await queue.close();
    });
  });

  it('whatever comes in whatever order: after the last hint for a key its work begins once more', async () => {
    const step = fc.record({
      key: fc.constantFrom('a', 'b', 'c', 'd'),
      force: fc.boolean(),
      delay: fc.constantFrom(undefined, 0, 10, 300),
      pause: fc.constantFrom(0, 1, 10, 250),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), fc.infiniteStream(fc.nat(100)), async (steps, numbers) => {
        const clock = new ManualClock();
        const number = (): number => numbers.next().value ?? 0;
        /** Per key, hints whose work has not begun since. */
        const owed = new Map<string, { force: boolean }>();
        const working = new Set<string>();
        let most = 0;
        const work = async ({ key, force = false }: Hint): Promise<void> => {
          assert.ok(!working.has(key), `${key} is worked on twice at once`);
          working.add(key);
          most = Math.max(most, working.size);
          const owes = owed.get(key);
          if (owes?.force) assert.ok(force, `${key} lost its force`);
          owed.delete(key);
          await clock.sleep(number());
          working.delete(key);
          if (number() >= 30) return;
          owed.set(key, { force: force || owed.get(key)?.force === true });
          throw new Error('no');
        };
        const queue = new MemoryHints({ work, clock, limits: { ...limits, hintTriesMax: 1000 } });
        for (const { key, force, delay, pause } of steps) {
          owed.set(key, { force: force || owed.get(key)?.force === true });
          await (delay === undefined ? queue.send([{ key, force }]) : queue.sendAfter([{ key, force }], delay));
          await clock.advance(pause);
        }
        while (await clock.advanceToNext());
        assert.deepEqual([...owed.keys()], []);
        assert.equal(queue.pending, 0);
        assert.ok(most <= limits.hintsConcurrentMax);
      }),
      { numRuns: runs(100) },
    );
  });
});
