import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ProgressFacts, progressLine } from '../../../scripts/terminal/progress.ts';

test('a progress line shows amount, speed, remaining time and a bar, as far as they fit in one line', () => {
  const facts = { what: 'reading', value: 50, total: 1_000, elapsedMilliseconds: 2_000 };
  const cases: readonly (readonly [changed: Partial<ProgressFacts>, columns: number, line: string])[] = [
    [{}, 80, `reading  ${'━'.repeat(1)}${'─'.repeat(29)}  50 of 1,000, 25/s, 38 s left`],
    [{ value: 0 }, 80, `reading  ${'─'.repeat(30)}  0 of 1,000`],
    [{ value: 3 }, 80, `reading  ${'─'.repeat(30)}  3 of 1,000, 1.5/s, 11 min left`],
    [{ value: 1_000 }, 80, `reading  ${'━'.repeat(30)}  1,000 of 1,000, 500/s, 2.0 s`],
    [{ value: 2_000 }, 80, `reading  ${'━'.repeat(30)}  2,000 of 1,000, 1,000/s, 2.0 s`],
    [{}, 50, 'reading  ──────────  50 of 1,000, 25/s, 38 s left'],
    [{}, 44, 'reading  50 of 1,000, 25/s, 38 s left'],
    [{}, 38, 'reading  50 of 1,000, 25/s, 38 s left'],
    [{}, 37, 'reading  50 of 1,000'],
    [{}, 20, '50 of 1,000'],
    [{}, 11, ''],
  ];
  for (const [changed, columns, line] of cases) {
    assert.equal(progressLine({ ...facts, ...changed }, columns), line);
    assert.ok(line.length < columns, `${line.length} of ${columns}`);
  }
});
