import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FileNames } from '../../functions/index/file-names.ts';

test('gives back what was added, in that order, as often as it is asked', () => {
  const file = fc.string({ unit: 'grapheme' }).filter((name) => name.isWellFormed() && !name.includes('/'));
  fc.assert(
    fc.property(fc.array(file, { size: 'large' }), (files) => {
      const names = new FileNames();
      for (const name of files) names.add(name);
      assert.deepEqual([...names], files);
      assert.deepEqual([...names], files);
    }),
  );
});

test('takes names of any length, and as many as there are', () => {
  const files = [...Array(5_000).keys()].map((index) => `made-${index}.tgz`).concat('x'.repeat(100_000), 'y');
  const names = new FileNames();
  for (const name of files) names.add(name);
  assert.deepEqual([...names], files);
});
