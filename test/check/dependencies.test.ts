import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { checkConsistency, type PackageFacts } from '../../functions/check/consistency.ts';
import { complete, dependencyLimits, resolveDependencies } from '../../functions/check/dependencies.ts';
import { isThorough } from '../thoroughness.ts';
import { bestMatch } from '../version/one-by-one.ts';

function facts(name: string, depends: readonly string[] = []): PackageFacts {
  return { name, file: `${name}.tgz`, path: '', architectures: [], depends, requires: [], provides: [] };
}

/** 1,003 characters that took 86 s against a name of 7,000. */
const expensive = (index: number) => `*${'a'.repeat(945)}${index}{a,b}${'{a,b}'.repeat(9)}0c`;
const longName = `${'a'.repeat(7_000)}-1`;
/** A machine that runs other tests at the same time is several times slower. */
const secondsMax = 10;

describe('the dependencies of a repository', () => {
  test('are resolved as bestMatch does', () => {
    const name = fc.stringMatching(/^[ab]-[12](\.[01])?$/);
    const pattern = fc.stringMatching(/^[ab*](>=[12]|<2|-\[0-9\]\*|-1|\{-1,>1\})$/);
    fc.assert(
      fc.property(fc.array(name), fc.array(pattern), (names, depends) => {
        const packages = [...names.map((each) => facts(each)), facts('user-1', depends)];
        const resolutions = complete(resolveDependencies(packages));
        assert.equal(resolutions.size, new Set(depends).size);
        for (const each of depends)
          assert.equal(resolutions.get(each)?.name, bestMatch(each, [...names, 'user-1']), each);
      }),
    );
  });

  test('that are too complicated are findings of their package; all others are resolved, also those that come later', (context) => {
    const patterns = Array.from({ length: 300 }, (_, index) => expensive(index));
    const packages = [
      facts(longName),
      facts('evil-1', patterns),
      facts('user-1', ['gone>=1', 'good>=1', 'x{']),
      facts('good-1'),
    ];
    const started = process.cpuUsage();
    const { missingDependencies } = checkConsistency(packages);
    const seconds = process.cpuUsage(started).user / 1e6;
    context.diagnostic(`${seconds} s of CPU`);
    assert.ok(seconds < secondsMax);
    assert.deepEqual(
      missingDependencies.map(({ pattern, problem, neededBy }) => [pattern, problem, ...neededBy]),
      [
        ...patterns.map((pattern) => [pattern, 'too-complicated', 'evil-1']),
        ['gone>=1', undefined, 'user-1'],
        ['x{', 'unbalanced-braces', 'user-1'],
      ],
    );
  });

  const shapes: readonly (readonly [what: string, pattern: (index: number) => string, name: string])[] = [
    ['many sets', (index) => `*${'[a-y]'.repeat(190)}${index}`, longName],
    ['many * and sets', (index) => `${'*[!b]'.repeat(190)}${index}`, longName],
    ['long sets', (index) => `*[${'b'.repeat(900)}]${index}`, longName],
    ['many [ without ]', (index) => `${index}${'['.repeat(1_000)}`, longName],
    ['many alternatives of nothing', (index) => `${index}${'{a,b}'.repeat(10)}${'{}'.repeat(400)}`, longName],
    [
      'many alternatives of a range',
      (index) => `${'{x,x}'.repeat(10)}>=${index}${'.0'.repeat(400)}`,
      `${'x'.repeat(10)}-0.`,
    ],
    ['ranges over long versions', (index) => `x>=${index}.${'0.'.repeat(400)}`, `x-${'0.'.repeat(3_000)}`],
    ['everything', (index) => `{*,?*${index},[a-z]*}`, longName],
  ];
  for (const [what, pattern, name] of shapes) {
    test(`take bounded time: ${what}`, (context) => {
      const packages = [
        ...Array.from({ length: 200 }, (_, index) => facts(`${name}${index}`)),
        facts(
          'evil-1',
          Array.from({ length: 1_000 }, (_, index) => pattern(index)),
        ),
        facts('user-1', ['gone>=1', 'evil>=1']),
      ];
      const started = process.cpuUsage();
      const resolutions = complete(resolveDependencies(packages, dependencyLimits.stepsMax / (isThorough ? 10 : 50)));
      const seconds = process.cpuUsage(started).user / 1e6;
      context.diagnostic(`${seconds} s of CPU`);
      assert.ok(seconds < secondsMax / 5);
      assert.deepEqual(resolutions.get('gone>=1'), { name: undefined, problem: undefined });
      assert.deepEqual(resolutions.get('evil>=1'), { name: 'evil-1', problem: undefined });
    });
  }

  test('are too complicated one step past the limit of the report, and not at it', () => {
    const packages = [facts('a-1', ['a>=1'])];
    const steps = Array.from({ length: 100 }, (_, index) => index).find(
      (stepsMax) => complete(resolveDependencies(packages, stepsMax)).get('a>=1')?.problem === undefined,
    );
    assert.ok(steps !== undefined && steps > 4, `${steps}`);
    assert.equal(complete(resolveDependencies(packages, steps)).get('a>=1')?.name, 'a-1');
    assert.deepEqual(complete(resolveDependencies(packages, steps - 1)).get('a>=1'), {
      name: undefined,
      problem: 'too-complicated',
    });
    assert.equal(complete(resolveDependencies(packages, 0)).get('a>=1')?.problem, 'too-complicated');
  });

  test('leave a pause between any two patterns', () => {
    const pauses = (depends: readonly string[]) =>
      [...resolveDependencies([facts('a-1', depends)], dependencyLimits.stepsMax)].length;
    assert.equal(pauses(['a>=1', 'b>=1', 'c>=1']) - pauses([]), 3);
  });
});
