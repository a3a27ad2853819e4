import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  heldBackOf,
  heldBackSentence,
  heldBackText,
  isSameHoldBack,
  isTooSmall,
} from '../../functions/index/hold-back.ts';
import type { HeldBack, HoldBackReason } from '../../functions/ports.ts';

describe('a publication is held back', () => {
  const cases: readonly (readonly [HoldBackReason, number, number, number | undefined, boolean])[] = [
    ['rules', 1_000, 900, undefined, false],
    ['rules', 1_000, 899, undefined, true],
    ['foreign-index', 1_000, 899, undefined, true],
    ['adoption', 1_000, 899, undefined, true],
    // So few may go in any case …
    ['rules', 20, 11, undefined, false],
    ['rules', 20, 10, undefined, true],
    ['adoption', 5, 0, undefined, false],
    // … but an index of others never gives way to one without any package.
    ['foreign-index', 1, 0, undefined, true],
    ['foreign-index', 1, 0, 100, true],
    ['foreign-index', 0, 0, undefined, false],
    // Deletions alone are no reason, unless the operator says so.
    ['max-shrink', 1_000, 0, undefined, false],
    ['max-shrink', 1_000, 0, 100, false],
    ['max-shrink', 1_000, 950, 5, false],
    ['max-shrink', 1_000, 949, 5, true],
    ['max-shrink', 4, 3, 0, true],
    ['max-shrink', 4, 4, 0, false],
    // It stands for any reason.
    ['rules', 1_000, 500, 50, false],
    ['rules', 1_000, 499, 50, true],
    ['rules', 10, 9, 5, true],
    ['max-shrink', 10, 20, 0, false],
  ];
  for (const [reason, from, to, maxShrink, expected] of cases) {
    it(`${expected ? 'yes' : 'no'}: ${reason}, ${from} → ${to}, --max-shrink ${maxShrink}`, () =>
      assert.equal(isTooSmall({ reason, from, to }, maxShrink), expected));
  }
});

describe('what is held back', () => {
  const heldBack: HeldBack = {
    reason: 'foreign-index',
    from: 20_002,
    to: 3_880,
    files: ['a-1.0.tgz', 'b-1.0.tgz', 'é-1.0.tgz', 'd-1.0.tgz'],
    index: '"e"',
    since: new Date('2026-01-01T00:00:00Z'),
  };

  it('is a sentence with both numbers and the first names', () => {
    assert.equal(
      heldBackSentence(heldBack),
      'held back: would-shrink: from 20,002 packages to 3,880 packages (another program made the index that is there); ' +
        'missing: a-1.0.tgz, b-1.0.tgz, é-1.0.tgz and 16,119 more',
    );
    assert.match(heldBackSentence({ ...heldBack, from: 2, to: 0, files: ['a', 'b'] }), /; missing: a, b$/);
    assert.match(heldBackSentence({ ...heldBack, files: ['\u001b[2J.tgz'] }), /missing: \\x1b\[2J\.tgz and/);
  });

  it('is stored as text', () => assert.deepEqual(heldBackOf(heldBackText(heldBack)), heldBack));

  it('is the same as long as it says the same, whenever that was found', () => {
    assert.ok(isSameHoldBack(heldBack, { ...heldBack, since: new Date() }));
    for (const other of [{ to: 3_881 }, { from: 1 }, { files: [] }, { reason: 'rules' as const }, { index: '"f"' }])
      assert.equal(isSameHoldBack(heldBack, { ...heldBack, ...other }), false);
  });
});
