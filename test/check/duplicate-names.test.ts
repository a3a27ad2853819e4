import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DuplicateNames } from '../../functions/check/duplicate-names.ts';
import { findDuplicates } from '../../functions/record/hazards.ts';

test('files that share their PKGNAME are counted, as findDuplicates finds them', () => {
  const anyNames = fc.array(fc.oneof(fc.constantFrom('', 'a-1', 'b-1', 'c-1'), fc.string()), { maxLength: 40 });
  fc.assert(
    fc.property(anyNames, (names) => {
      const duplicates = new DuplicateNames();
      for (const name of names) duplicates.add(name);
      const expected = findDuplicates(names.map((name, index) => ({ name, file: `${index}.tgz` })));
      assert.equal(duplicates.count(), expected.size);
    }),
  );
});

test('… among any number of names', () => {
  const duplicates = new DuplicateNames();
  for (let name = 0; name < 5_000; name += 1) duplicates.add(`${name}`);
  assert.equal(duplicates.count(), 0);
  for (const name of ['7', '7', '4999']) duplicates.add(name);
  assert.equal(duplicates.count(), 5);
});
