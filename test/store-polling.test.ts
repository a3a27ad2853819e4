import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { ETag, ObjectKey, Repository } from '../functions/ports.ts';
import type { ReindexOptions } from '../functions/reindex.ts';
import { pollLimits, StorePolling, type StorePollingOptions } from '../functions/store-polling.ts';
import { ManualClock } from './adapters/manual-clock.ts';

const { busyMilliseconds, quietMilliseconds, calmMilliseconds } = pollLimits;
const index = 'All/pkg_summary.gz';

describe('polling a store', () => {
  let clock: ManualClock;
  let comparisons: number;
  /** What the next comparison finds. */
  let hints: number;
  let indexes: Map<ObjectKey, ETag>;
  let failure: Error | undefined;
  let failures: unknown[];
  let changed: Repository[];
  let polling: StorePolling;

  beforeEach(() => {
    clock = new ManualClock();
    [comparisons, hints, failure, failures, changed] = [0, 0, undefined, [], []];
    indexes = new Map([[index, 'first']]);
  });
  afterEach(() => polling.close());

  async function start(more: Partial<StorePollingOptions> = {}): Promise<void> {
    const indexer = {
      reindex: async ({ onIndex = () => {} }: ReindexOptions = {}) => {
        comparisons += 1;
        if (failure !== undefined) throw failure;
        for (const [key, etag] of indexes) onIndex(key, etag);
        return { repositories: 1, packages: 1, hints };
      },
      rowChanged: (repository: Repository) => changed.push(repository),
    };
    const isOwnIndex = (_: ObjectKey, etag: ETag) => etag === 'ours';
    polling = new StorePolling({ indexer, isOwnIndex, clock, onFailed: (error) => failures.push(error), ...more });
    await polling.start();
  }

  /** How many comparisons there are in this time. */
  async function during(milliseconds: number): Promise<number> {
    const before = comparisons;
    await clock.advance(milliseconds);
    return comparisons - before;
  }

  it('is seldom while nothing changes, and frequent for a while after something did', async () => {
    await start();
    assert.equal(await during(2 * quietMilliseconds), 2);
    hints = 1;
    assert.equal(await during(quietMilliseconds), 1);
    hints = 0;
    assert.equal(await during(calmMilliseconds), calmMilliseconds / busyMilliseconds);
    assert.equal(await during(2 * quietMilliseconds), 2);
  });

  it('is as frequent as asked', async () => {
    await start({ pollMilliseconds: 1_000 });
    assert.equal(await during(10_000), 10);
    assert.match(polling.polled[0]?.reason ?? '', /every 1 s$/);
  });

  for (const [what, etag, expected] of [
    ['replaced', 'foreign', ['All']],
    ['removed', undefined, ['All']],
    ['published by this process', 'ours', []],
    ['left as it is', 'first', []],
  ] as const)
    it(`has an index that was ${what} published ${expected.length === 0 ? 'no more' : 'again, once'}`, async () => {
      await start();
      indexes = new Map(etag === undefined ? [] : [[index, etag]]);
      await during(3 * quietMilliseconds);
      assert.deepEqual(changed, expected);
    });

  it('waits while changes are worked on, but not for ever', async () => {
    let isBusy = true;
    await start({ isBusy: () => isBusy });
    assert.equal(await during(pollLimits.skippedMax * quietMilliseconds), 0);
    assert.equal(await during(quietMilliseconds), 1);
    isBusy = false;
    assert.equal(await during(2 * quietMilliseconds), 2);
  });

  it('goes on after a failure', async () => {
    await start();
    failure = new Error('the store is away');
    await during(quietMilliseconds);
    assert.deepEqual(failures, [failure]);
    failure = undefined;
    hints = 1;
    await during(quietMilliseconds);
    assert.deepEqual(failures, [new Error('the store is away'), undefined]);
    assert.equal(polling.intervalMilliseconds, busyMilliseconds);
  });
});
