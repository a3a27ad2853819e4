import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { Settling, settlingLimits } from '../../../functions/adapters/local/settling.ts';
import { ManualClock } from '../manual-clock.ts';

const { settleMilliseconds, tailMilliseconds } = settlingLimits;
const key = 'All/x-1.0.tgz';

describe('Settling', () => {
  let clock: ManualClock;
  let settling: Settling;
  beforeEach(() => {
    clock = new ManualClock();
    settling = new Settling({ clock, settleMilliseconds });
  });

  /** What is left for a file that last changed so long ago. A test that gives no tail does not expect it to be read. */
  async function left(etag: string, changedMillisecondsAgo: number, isTailWhole?: boolean): Promise<number> {
    let isTailRead = false;
    const milliseconds = await settling.millisecondsLeft(key, async () => ({
      etag,
      changedAt: new Date(clock.now().getTime() - changedMillisecondsAgo),
      isTailWhole: async () => {
        isTailRead = true;
        return isTailWhole ?? false;
      },
    }));
    assert.ok(!isTailRead || isTailWhole !== undefined, 'the tail was read');
    return milliseconds;
  }

  it('needs no time for a file that is gone', async () => {
    settling.heard(key);
    assert.equal(await settling.millisecondsLeft(key, async () => undefined), 0);
  });

  it('takes a file that stands still for long, without reading its tail', async () => {
    assert.equal(await left('a', settleMilliseconds + tailMilliseconds), 0);
  });

  it('waits until size and times have stood still for the time to settle, to the millisecond', async () => {
    assert.equal(await left('a', 0), settleMilliseconds);
    await clock.advance(settleMilliseconds - 1);
    assert.equal(await left('a', settleMilliseconds - 1), 1);
    await clock.advance(1);
    assert.equal(await left('a', settleMilliseconds, true), 0);
  });

  it('waits from the last change of a file that goes on growing', async () => {
    assert.equal(await left('a', 0), settleMilliseconds);
    for (const etag of ['b', 'c', 'd']) {
      await clock.advance(settleMilliseconds);
      assert.equal(await left(etag, 500), settleMilliseconds - 500, etag);
    }
  });

  it('waits from the last event, which says more than the file', async () => {
    assert.equal(await left('a', 0), settleMilliseconds);
    await clock.advance(1_500);
    settling.heard(key);
    await clock.advance(500);
    assert.equal(await left('b', 501), settleMilliseconds - 500);
  });

  it('believes a later time of the file where no event told of that change', async () => {
    settling.heard(key);
    await clock.advance(1_500);
    assert.equal(await left('a', 200), settleMilliseconds - 200);
  });

  it('waits by its own clock where the file is dated by another one', async () => {
    for (const changedMillisecondsAgo of [-3_600_000, 3_600_000]) {
      settling = new Settling({ clock, settleMilliseconds });
      settling.heard(key);
      assert.equal(await left('a', changedMillisecondsAgo), settleMilliseconds);
      await clock.advance(1_000);
      assert.equal(await left('b', changedMillisecondsAgo), settleMilliseconds);
      await clock.advance(1_000);
      assert.equal(await left('b', changedMillisecondsAgo + 1_000), settleMilliseconds - 1_000);
    }
  });

  it('waits for a file from the future as for one of now', async () => {
    assert.equal(await left('a', -60_000), settleMilliseconds);
  });

  it('waits for the rest of a file whose tail shows that more is to come, but not for ever', async () => {
    let waited = 0;
    for (let next = await left('a', 0); next > 0; next = await left('a', waited, false)) {
      assert.ok(next <= settleMilliseconds, `checked again within ${next} ms`);
      await clock.advance(next);
      waited += next;
    }
    assert.equal(waited, settleMilliseconds + tailMilliseconds);
  });

  it('takes the file as soon as its tail is there', async () => {
    assert.ok((await left('a', settleMilliseconds, false)) > 0);
    await clock.advance(1_000);
    assert.equal(await left('b', 500), settleMilliseconds - 500);
    await clock.advance(settleMilliseconds - 500);
    assert.equal(await left('b', settleMilliseconds, true), 0);
  });

  it('leaves a file that cannot be read, or whose tail cannot, to extract, at once and at each retry', async () => {
    const refused = () => Promise.reject(Object.assign(new Error('permission is denied'), { code: 'EACCES' }));
    for (const isTailRefused of [false, true]) {
      settling.heard(key);
      await clock.advance(settleMilliseconds);
      // From another clock: it settles by the time since it was first seen.
      const changedAt = new Date(clock.now().getTime() + 3_600_000);
      const read = isTailRefused ? async () => ({ etag: 'a', changedAt, isTailWhole: refused }) : refused;
      for (let tries = 0; tries < 3; tries += 1) assert.equal(await settling.millisecondsLeft(key, read), 0);
      assert.equal(await left('b', 0), settleMilliseconds);
    }
  });

  it('begins again after it took a file', async () => {
    assert.equal(await left('a', settleMilliseconds, true), 0);
    settling.heard(key);
    assert.equal(await left('b', 0), settleMilliseconds);
  });

  it('takes every file at once where no time to settle is wanted, whatever its tail', async () => {
    settling = new Settling({ clock, settleMilliseconds: 0 });
    assert.equal(await left('a', 0, true), 0);
    assert.equal(await left('b', 0, false), 0);
    settling.heard(key);
    assert.equal(await left('c', 0, false), 0);
  });
});
