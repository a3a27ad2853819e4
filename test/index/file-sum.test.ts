import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { changedSum, sumOf } from '../../functions/index/file-sum.ts';

test('a sum of files is that of their SHA-256s, modulo 2^256', () => {
  // Of `printf a.tgz | sha256sum`, added by hand.
  const sums: readonly (readonly [files: readonly string[], sum: string])[] = [
    [[], '0'.repeat(64)],
    [['a.tgz'], 'dc45e5a661fe96108c8215afe4ad577ced4a36253ed6d713a824889c143efc53'],
    [['a.tgz', 'b.tgz'], 'd1c8846cf215202af6274cc181e7261cca67fcfd8dd8a6ac1983b044657aa30a'],
    [['0.tgz', '6.tgz'], '3c00a6ead9b5288ed3468e42a7ef99193ed459b8eaca1cf3ebecde0eb147a69d'],
  ];
  for (const [files, sum] of sums) assert.equal(sumOf(files), sum, `${files}`);
});

test('whatever comes and goes, the sum is that of the files that are left, in any order', () => {
  const anyFiles = fc.uniqueArray(fc.string({ unit: 'grapheme' }), { maxLength: 20 });
  fc.assert(
    fc.property(anyFiles, anyFiles, fc.nat(20), (before, coming, going) => {
      const left = before.slice(0, going);
      const entered = coming.filter((file) => !before.includes(file));
      const expected = [...entered, ...before.slice(going)].reverse();
      assert.equal(changedSum(sumOf(before), entered, left), sumOf(expected));
    }),
  );
});

test('other files have another sum', () => {
  const sums = [[], ['a'], ['b'], ['a', 'b'], ['ab'], ['a', 'a']].map((files) => sumOf(files));
  assert.equal(new Set(sums).size, sums.length);
});
