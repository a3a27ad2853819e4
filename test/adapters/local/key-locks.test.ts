import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { KeyLocks } from '../../../functions/adapters/local/key-locks.ts';
import { ManualClock } from '../manual-clock.ts';

describe('KeyLocks', () => {
  it('lets one hold a key at a time, in the order of asking, and does not mix up keys', async () => {
    const clock = new ManualClock();
    const locks = new KeyLocks();
    const told: string[] = [];
    const hold = (key: string, name: string) =>
      locks.hold(key, async () => {
        told.push(`${name} begins`);
        await clock.sleep(10);
        told.push(`${name} ends`);
        return name;
      });
    const holds = [hold('a', 'a1'), hold('a', 'a2'), hold('b', 'b1')];
    await clock.advance(15);
    holds.push(hold('a', 'a3'));
    await clock.advance(100);
    assert.deepEqual(await Promise.all(holds), ['a1', 'a2', 'b1', 'a3']);
    assert.deepEqual(
      told.filter((line) => line.startsWith('a')),
      ['a1 begins', 'a1 ends', 'a2 begins', 'a2 ends', 'a3 begins', 'a3 ends'],
    );
    assert.ok(told.indexOf('b1 begins') < told.indexOf('a1 ends'), 'b waited for a');
  });

  it('frees a key whose holder fails, and passes the failure on', async () => {
    const locks = new KeyLocks();
    const failing = locks.hold('a', () => Promise.reject(new Error('no')));
    const next = locks.hold('a', async () => 'next');
    await assert.rejects(failing, /no/);
    assert.equal(await next, 'next');
  });
});
