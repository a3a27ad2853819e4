import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Hint } from '../functions/ports.ts';
import { retryLimits, retrySummary } from '../functions/retry-summary.ts';
import { ManualClock } from './adapters/manual-clock.ts';
import { MemoryRecords } from './adapters/memory-records.ts';

const { waitMillisecondsMin, waitMillisecondsMax, clockSkewMilliseconds } = retryLimits;

function world() {
  const sent: (readonly [key: string, milliseconds: number])[] = [];
  const hints = {
    send: async () => assert.fail('expected a delay'),
    sendAfter: async (of: readonly Hint[], milliseconds: number) => {
      sent.push(...of.map(({ key }) => [key, milliseconds] as const));
    },
  };
  return { hints, retries: new MemoryRecords(), clock: new ManualClock(), sent };
}

describe('retrySummary', () => {
  it('requests the repository again after a wait that doubles with each failure, up to a limit', async () => {
    const ports = world();
    for (let failures = 0; failures < 8; failures += 1) {
      const at = await retrySummary(ports, 'All');
      await ports.clock.advance(at.getTime() - ports.clock.now().getTime());
    }
    const waits = [15, 30, 60, 120, 240, 480, 600, 600].map((seconds) => 1_000 * seconds);
    assert.deepEqual(
      ports.sent,
      waits.map((wait) => ['All/pkg_summary.gz', wait]),
    );
  });

  it('counts the failures of each repository by itself, and from the beginning after a success', async () => {
    const ports = world();
    await retrySummary(ports, 'All');
    await retrySummary(ports, '');
    await ports.retries.setRetry('All', undefined);
    await retrySummary(ports, 'All');
    assert.deepEqual(
      ports.sent,
      ['All/pkg_summary.gz', 'pkg_summary.gz', 'All/pkg_summary.gz'].map((key) => [key, waitMillisecondsMin]),
    );
  });

  it('sends nothing while a request is on its way, and one as soon as that may have arrived', async () => {
    const ports = world();
    const at = await retrySummary(ports, 'All');
    await ports.clock.advance(waitMillisecondsMin - clockSkewMilliseconds - 1);
    assert.deepEqual(await retrySummary(ports, 'All'), at);
    assert.equal(ports.sent.length, 1);
    await ports.clock.advance(1);
    await retrySummary(ports, 'All');
    assert.equal(ports.sent.length, 2);
  });

  it('has not recorded a request that was not sent', async () => {
    const ports = world();
    const hints = { ...ports.hints, sendAfter: () => Promise.reject(new Error('refused')) };
    await assert.rejects(retrySummary({ ...ports, hints }, 'All'), /refused/);
    assert.equal(await ports.retries.retry('All'), undefined);
  });

  it('waits no longer than a queue can delay, and less than an alarm needs to notice', () => {
    const quarterOfAnHour = 900_000;
    assert.ok(waitMillisecondsMax < quarterOfAnHour);
  });
});
