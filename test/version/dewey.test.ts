import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parseVersion } from '../../functions/version/dewey.ts';
import { anyText } from '../any-text.ts';
import { runs } from '../thoroughness.ts';
import { versionCases } from './dewey-cases.ts';
import { compareVersions } from './one-by-one.ts';

/** Words that mean something in a version, and some that do not. */
const word = fc.constantFrom(
  ...['0', '1', '2', '10', '007', '99999999999999999999', '.', '.', '.', '_', '-', '+', '~', 'a', 'b', 'Z', 'n', 'p'],
  ...['alpha', 'beta', 'pre', 'rc', 'RC', 'pl', 'nb', 'nb1', 'NB2', 'ü'],
);
const version = fc.array(word, { maxLength: 8 }).map((words) => words.join(''));

describe('compareVersions takes', () => {
  const expected = { '<': -1, '=': 0, '>': 1 } as const;
  for (const [what, cases] of versionCases) {
    test(what, () => {
      for (const [left, relation, right] of cases) {
        assert.equal(compareVersions(left, right), expected[relation], `${left} ${relation} ${right}`);
        assert.equal(compareVersions(right, left), 0 - expected[relation], `${right} against ${left}, reversed`);
      }
    });
  }

  test('numbers of any length by their true value', () => {
    assert.equal(compareVersions('20110824192219', '20110824192220'), -1);
    assert.equal(compareVersions('4294967296', '1'), 1);
    assert.equal(compareVersions('90071992547409931', '90071992547409930'), 1);
    assert.equal(compareVersions('000000000000000000001', '1'), 0);
    assert.equal(compareVersions('1nb90071992547409931', '1nb90071992547409930'), 1);
    assert.equal(compareVersions('9'.repeat(8_000), '1'.repeat(8_000)), 1);
  });
});

describe('compareVersions is a total order', () => {
  test('every version equals itself', () => {
    fc.assert(fc.property(version, (only) => compareVersions(only, only) === 0));
  });

  test('reversing the versions reverses the order', () => {
    fc.assert(
      fc.property(version, version, (left, right) => compareVersions(left, right) === 0 - compareVersions(right, left)),
      { numRuns: runs(2_000) },
    );
  });

  test('of three versions, sorted by pairs, the first is not after the last', () => {
    fc.assert(
      fc.property(version, version, version, (...versions) => {
        const [first, second, third] = versions.sort(compareVersions);
        assert.ok(first !== undefined && second !== undefined && third !== undefined);
        assert.ok(compareVersions(first, second) <= 0);
        assert.ok(compareVersions(second, third) <= 0);
        assert.ok(compareVersions(first, third) <= 0);
        if (compareVersions(first, third) === 0) assert.equal(compareVersions(first, second), 0);
      }),
      { numRuns: runs(5_000) },
    );
  });

  test('any text is a version', () => {
    fc.assert(
      fc.property(anyText(), anyText(), (left, right) => {
        assert.ok([-1, 0, 1].includes(compareVersions(left, right)));
      }),
    );
  });
});

test('parseVersion shows what a version is made of', () => {
  assert.deepEqual(parseVersion('1.0rc2a_3nb4'), { components: [1, 0, 0, -1, 2, 0, 1, 0, 3], revision: 4 });
  assert.deepEqual(parseVersion(''), { components: [], revision: 0 });
});
