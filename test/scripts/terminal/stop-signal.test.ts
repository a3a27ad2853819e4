import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { describe, test } from 'node:test';
import { stopLimits, stopSignal } from '../../../scripts/terminal/stop-signal.ts';

describe('asked to stop', () => {
  const { sameSignalMilliseconds } = stopLimits;
  for (const [what, times, leaves] of [
    ['once', [0], 0],
    ['by a terminal and by npm, for one Ctrl-C', [0, sameSignalMilliseconds - 1], 0],
    ['by a second Ctrl-C', [0, sameSignalMilliseconds], 1],
  ] as const) {
    for (const signal of ['SIGINT', 'SIGTERM']) {
      test(`${what} (${signal}): ${leaves === 0 ? 'what is under way is finished' : 'nothing is waited for'}`, () => {
        const signals = new EventEmitter();
        let now = 0;
        let left = 0;
        const stop = stopSignal(signals, { now: () => new Date(now) }, () => (left += 1));
        assert.equal(stop.aborted, false);
        for (now of times) signals.emit(signal);
        assert.deepEqual([stop.aborted, left], [true, leaves]);
      });
    }
  }
});
