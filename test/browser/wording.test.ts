import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agoText, countText, dateText, sizeText } from '../../functions/browser/elements/wording.ts';

test('sizes', () => {
  const sizes = [0, 1, 999, 1_000, 9_687, 99_499, 99_500, 999_499, 999_500, 24_200_000, 34_900_000_000];
  assert.deepEqual(sizes.map(sizeText), [
    '',
    '1 B',
    '999 B',
    '1.0 kB',
    '9.7 kB',
    '99.5 kB',
    '100 kB',
    '999 kB',
    '1.0 MB',
    '24.2 MB',
    '34.9 GB',
  ]);
});

test('counts', () => {
  assert.deepEqual(
    [countText(0, 'package'), countText(1, 'package'), countText(27_699, 'package')],
    ['0 packages', '1 package', '27,699 packages'],
  );
  assert.equal(countText(2, 'library', 'libraries'), '2 libraries');
});

test('dates, in UTC', () => {
  assert.deepEqual([dateText(0), dateText(Date.UTC(2026, 6, 24, 23, 59))], ['', '2026-07-24']);
});

test('how long ago', () => {
  const now = Date.UTC(2026, 10, 22, 12);
  const ages: readonly (readonly [milliseconds: number, text: string])[] = [
    [-5_000, 'just now'],
    [59_999, 'just now'],
    [60_000, '1 minute ago'],
    [7_200_000, '2 hours ago'],
    [86_400_000, '1 day ago'],
    [45 * 86_400_000, '1 month ago'],
    [800 * 86_400_000, '2 years ago'],
  ];
  for (const [age, text] of ages) assert.equal(agoText(now - age, now), text);
});
