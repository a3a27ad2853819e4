import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { patternLimits } from '../../functions/version/limits.ts';
import {
  comparePreference,
  compilePattern,
  type PatternProblem,
  parsePackageName,
} from '../../functions/version/pattern.ts';
import { anyText } from '../any-text.ts';
import { runs } from '../thoroughness.ts';
import { bestMatch, matches } from './one-by-one.ts';
import { patternCases } from './pattern-cases.ts';

describe('matches', () => {
  for (const { what, pattern, matching, others } of patternCases) {
    test(`${what}: ${pattern}`, () => {
      for (const name of matching) assert.equal(matches(pattern, name), true, `${pattern} should match ${name}`);
      for (const name of others) assert.equal(matches(pattern, name), false, `${pattern} should not match ${name}`);
    });
  }

  test('a \\ at the end as itself', () => {
    assert.equal(matches('*\\', 'foo\\'), true);
    assert.equal(matches('*\\', 'foo'), false);
  });

  test('a range exactly as the versions compare', () => {
    const version = fc.stringMatching(/^[0-9]{1,2}(\.[0-9]|rc1|nb1|a)*$/);
    fc.assert(
      fc.property(version, version, (limit, found) => {
        const [atLeast, more, atMost, less] = ['>=', '>', '<=', '<'].map((op) =>
          matches(`x${op}${limit}`, `x-${found}`),
        );
        assert.equal(atLeast, !less);
        assert.equal(atMost, !more);
        assert.ok(atLeast || atMost);
        assert.equal(matches(`x>=${limit}<${limit}`, `x-${found}`), false);
        assert.equal(matches(`x>=${limit}<=${limit}`, `x-${found}`), atLeast && atMost);
      }),
    );
  });

  test('every name starts with the prefix of the matcher that accepts it', () => {
    const piece = fc.constantFrom(
      'a',
      'b',
      '-',
      '1',
      '.',
      '*',
      '?',
      '[a-b]',
      '[',
      ']',
      '\\',
      '>=',
      '<',
      '{a,b}',
      '{,1}',
    );
    const pattern = fc.array(piece, { maxLength: 7 }).map((pieces) => pieces.join(''));
    const letter = fc.constantFrom('a', 'b', '-', '1', '.', '*', '[', ']', '\\');
    const name = fc.array(letter, { maxLength: 7 }).map((letters) => letters.join(''));
    let accepted = 0;
    fc.assert(
      fc.property(pattern, name, (pattern, name) => {
        for (const { prefix, accepts } of compilePattern(pattern).matchers()) {
          if (!accepts(parsePackageName(name))) continue;
          accepted += 1;
          assert.ok(name.startsWith(prefix), `${pattern} accepts ${name}, which does not start with ${prefix}`);
        }
      }),
      { numRuns: runs(5_000) },
    );
    assert.ok(accepted > runs(100), `only ${accepted} of the generated names matched`);
  });

  test('any text is a pattern, and any text is a name', () => {
    const text = fc.oneof(anyText(), fc.stringMatching(/^[{},<>=*?[\]\\ab1-]*$/));
    fc.assert(
      fc.property(text, text, (pattern, name) => {
        assert.equal(typeof matches(pattern, name), 'boolean');
      }),
      { numRuns: runs(2_000) },
    );
  });
});

describe('an invalid pattern has a problem', () => {
  const { patternCharactersMax, alternativesMax } = patternLimits;
  const cases: readonly (readonly [what: string, pattern: string, problem: PatternProblem | undefined])[] = [
    ['a usual one', 'foo>=1', undefined],
    ['unbalanced braces', 'foo{a,b', 'unbalanced-braces'],
    ['as long as allowed', 'f'.repeat(patternCharactersMax), undefined],
    ['too long', 'f'.repeat(patternCharactersMax + 1), 'too-long'],
    ['as many alternatives as allowed', '{0,1}'.repeat(Math.log2(alternativesMax)), undefined],
    ['one too many', `{a,${'{0,1}'.repeat(Math.log2(alternativesMax))}}`, 'too-many-alternatives'],
    ['2 to the power of 200 alternatives', '{0,1}'.repeat(200), 'too-many-alternatives'],
    ['alternatives in alternatives', `${'{a,'.repeat(250)}${'}'.repeat(250)}`, undefined],
    ['{ only', '{'.repeat(patternCharactersMax), 'unbalanced-braces'],
    ['pairs of braces', '{}'.repeat(500), undefined],
  ];
  for (const [what, pattern, problem] of cases) {
    test(`${what}: ${problem ?? 'no problem'}`, () => {
      const compiled = compilePattern(pattern);
      assert.equal(compiled.problem, problem);
      assert.equal([...compiled.matchers()].length === 0, problem !== undefined);
      if (problem !== undefined) assert.equal(matches(compiled, pattern), false);
    });
  }
});

describe('matching takes no more than (length of the pattern) × (length of the name) steps', () => {
  for (const [what, pattern, name] of [
    ['many *', `${'*a'.repeat(500)}b`, 'a'.repeat(8_000)],
    ['many * and sets', `${'*[a-z]'.repeat(150)}0`, 'a'.repeat(8_000)],
    ['many [ without ]', '['.repeat(1_000), '['.repeat(8_000)],
    ['many numbers', `x>=${'1.'.repeat(400)}`, `x-${'1.'.repeat(4_000)}`],
    ['many alternatives of many *', `${'{a,b}'.repeat(10)}${'*a'.repeat(100)}b`, 'a'.repeat(200)],
  ] as const) {
    test(what, () => {
      const started = performance.now();
      assert.equal(typeof matches(pattern, name), 'boolean');
      const milliseconds = performance.now() - started;
      assert.ok(milliseconds < 5_000, `took ${milliseconds} ms`);
    });
  }
});

describe('bestMatch takes', () => {
  for (const { what, pattern, names, best } of [
    {
      what: 'the greatest version',
      pattern: 'foo-[0-9]*',
      names: ['foo-1.9', 'foo-1.10', 'foo-1.2'],
      best: 'foo-1.10',
    },
    { what: 'the greatest revision', pattern: 'foo>=1', names: ['foo-1nb9', 'foo-1nb10', 'foo-1'], best: 'foo-1nb10' },
    { what: 'the greatest that matches', pattern: 'foo<2', names: ['foo-1', 'foo-2', 'foo-0'], best: 'foo-1' },
    { what: 'nothing where nothing matches', pattern: 'bar', names: ['foo-1'], best: undefined },
    { what: 'nothing from nothing', pattern: 'foo', names: [], best: undefined },
    { what: 'of equal versions the first name', pattern: '{b,a}>=1', names: ['b-1', 'a-1'], best: 'a-1' },
    {
      what: 'of equal versions, spelt differently, the first name',
      pattern: 'foo',
      names: ['foo-1.0', 'foo-1'],
      best: 'foo-1',
    },
    { what: 'the greater version of different packages', pattern: '{b,a}>=1', names: ['a-1', 'b-2'], best: 'b-2' },
    {
      what: 'a name without a version only if there is no other',
      pattern: 'foo',
      names: ['foo', 'foo-0'],
      best: 'foo-0',
    },
    { what: 'a name without a version', pattern: 'foo', names: ['foo', 'bar-1'], best: 'foo' },
  ]) {
    test(what, () => {
      assert.equal(bestMatch(pattern, names), best);
      assert.equal(bestMatch(pattern, names.toReversed()), best);
    });
  }

  test('the same whatever the order of the names', () => {
    const name = fc.stringMatching(/^[ab](-[ab0-2](\.[0-2]|nb1|rc1)?)?$/);
    fc.assert(
      fc.property(fc.array(name), (names) => {
        const best = bestMatch('*', names);
        assert.equal(bestMatch('*', names.toReversed()), best);
        assert.equal(bestMatch('*', names.toSorted()), best);
        assert.equal(best === undefined, names.length === 0);
      }),
    );
  });

  test('by an order that is total: only a name itself is neither better nor worse', () => {
    const name = fc.stringMatching(/^[ab](-[0-2](\.0|nb1|rc1)?)?$/).map(parsePackageName);
    fc.assert(
      fc.property(name, name, name, (...names) => {
        const [worst, middle, best] = names.sort(comparePreference);
        assert.ok(worst !== undefined && middle !== undefined && best !== undefined);
        assert.ok(comparePreference(worst, best) <= 0);
        assert.equal(comparePreference(worst, middle), 0 - comparePreference(middle, worst));
        assert.equal(comparePreference(worst, best) === 0, worst.text === best.text);
      }),
      { numRuns: runs(2_000) },
    );
  });
});
