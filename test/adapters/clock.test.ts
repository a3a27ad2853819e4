import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { SystemClock } from '../../functions/adapters/system-clock.ts';
import { ManualClock } from './manual-clock.ts';

describe('SystemClock', () => {
  const clock = new SystemClock();

  it('tells the time', () => {
    const before = Date.now();
    const now = clock.now().getTime();
    assert.ok(before <= now && now <= Date.now());
  });

  it('sleeps that long', async () => {
    const before = performance.now();
    await clock.sleep(20);
    // Timers count in whole milliseconds, and may begin within one.
    assert.ok(performance.now() - before >= 19);
  });

  it('wakes when it is aborted, and does not fall asleep when it already was', async () => {
    const abort = new AbortController();
    const asleep = Promise.all([clock.sleep(3_600_000, abort.signal), clock.sleep(3_600_000, abort.signal)]);
    abort.abort();
    await asleep;
    await clock.sleep(3_600_000, abort.signal);
  });

  it('does not wake at once from a sleep longer than a timer can be', async () => {
    const abort = new AbortController();
    let awake = false;
    const asleep = clock.sleep(1e12, abort.signal).then(() => {
      awake = true;
    });
    await clock.sleep(20);
    assert.equal(awake, false);
    abort.abort();
    await asleep;
  });

  it('keeps the process alive while it sleeps', async () => {
    const module = new URL('../../functions/adapters/system-clock.ts', import.meta.url).href;
    const program = `const { SystemClock } = await import('${module}');
      new SystemClock().sleep(50).then(() => process.stdout.write('awake'));`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program]);
    assert.equal(stdout, 'awake');
  });
});

describe('ManualClock', () => {
  it('wakes sleepers in the order of their times, each at its own', async () => {
    const clock = new ManualClock(new Date(0));
    const told: string[] = [];
    const sleep = (name: string, milliseconds: number) =>
      clock.sleep(milliseconds).then(() => told.push(`${name} at ${clock.now().getTime()}`));
    const sleeping = [sleep('c', 30), sleep('a', 10), sleep('b', 20), sleep('b2', 20)];
    void clock.sleep(5).then(() => sleep('within', 7));
    await clock.advance(25);
    assert.deepEqual(told, ['a at 10', 'within at 12', 'b at 20', 'b2 at 20']);
    assert.equal(clock.now().getTime(), 25);
    assert.equal(await clock.advanceToNext(), true);
    assert.equal(clock.now().getTime(), 30);
    assert.equal(await clock.advanceToNext(), false);
    await Promise.all(sleeping);
  });

  it('wakes a sleeper that is aborted', async () => {
    const clock = new ManualClock();
    const abort = new AbortController();
    const asleep = clock.sleep(1000, abort.signal);
    abort.abort();
    await asleep;
    await clock.sleep(1000, abort.signal);
    assert.equal(clock.sleepers, 0);
  });
});
