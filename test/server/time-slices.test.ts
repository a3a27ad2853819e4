import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CannotRun } from '../../functions/failures.ts';
import { TimeSlices, timeSliceLimits } from '../../functions/server/time-slices.ts';

describe('TimeSlices', () => {
  const { sliceMilliseconds } = timeSliceLimits;

  it('lets others run once a slice is over, and not before', async () => {
    let now = 0;
    const slices = new TimeSlices(new AbortController().signal, () => now);
    now = sliceMilliseconds - 1;
    assert.equal(slices.pause(), undefined);
    now = sliceMilliseconds;
    let othersRan = false;
    setImmediate(() => {
      othersRan = true;
    });
    await slices.pause();
    assert.ok(othersRan);
    assert.equal(slices.pause(), undefined, 'a new slice has begun');
  });

  it('ends the work when it is told to stop', async () => {
    let now = 0;
    const stop = new AbortController();
    const slices = new TimeSlices(stop.signal, () => now);
    stop.abort();
    now = sliceMilliseconds;
    await assert.rejects(async () => await slices.pause(), new CannotRun('the server is stopping'));
  });
});
