import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { Lease, type LeaseOptions, leaseKey, leaseLimits } from '../../../functions/adapters/store/lease.ts';
import { ManualClock } from '../manual-clock.ts';
import { MemoryObjects } from '../memory-objects.ts';

const { intervalMilliseconds, heldMilliseconds, deadMilliseconds, doubtMilliseconds } = leaseLimits;

function world(more: Partial<LeaseOptions> = {}) {
  const clock = new ManualClock();
  const objects = new MemoryObjects();
  const notices: string[] = [];
  const take = (holder: string, its: Partial<LeaseOptions> = {}) =>
    Lease.take({
      objects,
      name: 's3://bucket',
      holder,
      isPutConditional: true,
      clock,
      monotonic: () => clock.now().getTime(),
      onNotice: (sentence) => notices.push(sentence),
      ...more,
      ...its,
    });
  return { clock, objects, notices, take };
}

/** Released when the test ends, so that nothing waits for its next renewal. */
async function taken(test: TestContext, taking: Promise<Lease>): Promise<Lease> {
  const lease = await taking;
  test.after(() => lease.release());
  return lease;
}

/** As when a process is killed: nothing of it goes on. */
function killed(objects: MemoryObjects): LeaseOptions['objects'] & { isKilled: boolean } {
  const away = { isKilled: false };
  const unlessKilled = <T>(work: () => Promise<T>): Promise<T> => (away.isKilled ? new Promise(() => {}) : work());
  return Object.assign(away, {
    head: (key: string) => unlessKilled(() => objects.head(key)),
    readRange: (...args: Parameters<MemoryObjects['readRange']>) => unlessKilled(() => objects.readRange(...args)),
    put: (...args: Parameters<MemoryObjects['put']>) => unlessKilled(() => objects.put(...args)),
    delete: (key: string) => unlessKilled(() => objects.delete(key)),
  });
}

describe('the lease of a store', () => {
  it('is taken at once where there is none, says who has it, and is gone once it is released', async (t) => {
    const { objects, take } = world();
    const lease = await taken(t, take('one'));
    const body = JSON.parse(Buffer.from(objects.objects.get(leaseKey)?.body ?? []).toString());
    assert.equal(body.holder, 'one');
    assert.equal(body.pid, process.pid);
    lease.permitWrite();
    await lease.release();
    assert.equal(await objects.head(leaseKey), undefined);
  });

  it('refuses a second process within one interval', async (t) => {
    const { clock, take } = world();
    await taken(t, take('one'));
    const second = assert.rejects(take('two'), /s3:\/\/bucket is in use by another indexer \(process \d+ on .*stop it/);
    await clock.advance(intervalMilliseconds + leaseLimits.watchMilliseconds);
    await second;
  });

  it('is taken over within 20 s after its process was killed, and not before it stopped to write', async (t) => {
    const { clock, objects, take } = world();
    const reach = killed(objects);
    const first = await take('one', { objects: reach });
    reach.isKilled = true;
    let isTaken = false;
    const second = taken(t, take('two')).then((lease) => {
      isTaken = true;
      return lease;
    });
    await clock.advance(heldMilliseconds + 1);
    assert.throws(() => first.permitWrite(), { name: 'LeaseLost' });
    assert.equal(isTaken, false);
    await clock.advance(20_000 - heldMilliseconds);
    assert.equal(isTaken, true);
    (await second).permitWrite();
  });

  it('is taken over at once by the next process with the same table', async (t) => {
    const { objects, take } = world();
    const reach = killed(objects);
    await take('one', { objects: reach });
    reach.isKilled = true;
    (await taken(t, take('one'))).permitWrite();
  });

  it('permits no write once the store was away too long, and goes on when it is back', async (t) => {
    const { clock, objects, notices, take } = world();
    let isAway = false;
    const unlessAway = async <T>(work: () => Promise<T>): Promise<T> => {
      if (isAway) throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED', syscall: 'connect' });
      return await work();
    };
    const reach: LeaseOptions['objects'] = {
      head: (key) => unlessAway(() => objects.head(key)),
      readRange: (key, etag, offset, length) => unlessAway(() => objects.readRange(key, etag, offset, length)),
      put: (...args) => unlessAway(() => objects.put(...args)),
      delete: (key) => unlessAway(() => objects.delete(key)),
    };
    const lease = await taken(t, take('one', { objects: reach }));
    isAway = true;
    await clock.advance(heldMilliseconds);
    lease.permitWrite();
    await clock.advance(1);
    assert.throws(() => lease.permitWrite(), /the lease of s3:\/\/bucket could not be renewed for 1\d seconds/);
    await clock.advance(30_000);
    assert.equal(notices.length, 1, `${notices}`);
    assert.match(notices[0] ?? '', /^cannot renew the lease of s3:\/\/bucket, so nothing is written: .*; will retry$/);
    isAway = false;
    await clock.advance(leaseLimits.retryMilliseconds);
    lease.permitWrite();
    assert.equal(lease.isTaken, false);
    assert.equal(notices[1], 'renewed the lease of s3://bucket');
  });

  it('tells its first holder that it is lost', async (t) => {
    const { clock, objects, take } = world();
    const lease = await taken(t, take('one'));
    objects.upload(leaseKey, Buffer.from(JSON.stringify({ holder: 'two' })));
    await clock.advance(intervalMilliseconds);
    assert.equal(lease.isTaken, true);
    assert.throws(() => lease.permitWrite(), { name: 'LeaseLost' });
    await lease.release();
    assert.ok(await objects.head(leaseKey), 'what is not ours stays');
  });

  for (const [what, body] of [
    ['nothing', ''],
    ['no JSON', '\u0000<html>'],
    ['another JSON', '[1, "x"]'],
    ['an odd holder', '{"host": "\\u001b[2J", "pid": {"a": 1}}'],
    ['too much', `{"holder": "${'x'.repeat(10_000)}"}`],
  ] as const)
    it(`with ${what} in it stands for a process that was killed`, async (t) => {
      const { clock, objects, notices, take } = world();
      objects.upload(leaseKey, Buffer.from(body));
      const taking = taken(t, take('one'));
      await clock.advance(deadMilliseconds + leaseLimits.watchMilliseconds);
      (await taking).permitWrite();
      assert.equal(notices.join().includes('\u001b'), false);
    });

  describe('in a store without conditional puts', () => {
    it('has one holder, where two processes start in the same moment', async (t) => {
      const { clock, objects, take } = world({ isPutConditional: false });
      // Each finds no lease, and then each put succeeds.
      let heads = 0;
      const reach: LeaseOptions['objects'] = {
        head: async (key) => (heads++ < 2 ? undefined : await objects.head(key)),
        readRange: (key, etag, offset, length) => objects.readRange(key, etag, offset, length),
        put: async (key, body, options) => {
          const current = await objects.head(key);
          const condition = current === undefined ? { ifNoneMatch: '*' as const } : { ifMatch: current.etag };
          return await objects.put(key, body, { ...options, condition });
        },
        delete: (key) => objects.delete(key),
      };
      const both = Promise.allSettled([take('one', { objects: reach }), take('two', { objects: reach })]);
      await clock.advance(doubtMilliseconds);
      const settled = await both;
      assert.deepEqual(settled.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
      for (const each of settled) if (each.status === 'fulfilled') t.after(() => each.value.release());
    });
  });
});
