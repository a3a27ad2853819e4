/** Arbitrary text as versions and dependency patterns. */

import { PackageNames } from '../../functions/version/package-names.ts';
import { compilePattern } from '../../functions/version/pattern.ts';
import type { Dice } from '../dice.ts';
import { bestMatch, compareVersions, matches } from '../version/one-by-one.ts';
import { Finding, type FuzzTarget } from './target.ts';

export const versionTarget: FuzzTarget = {
  name: 'version',
  weight: 1,
  async run(dice) {
    const [a, b, c] = [drawVersion(dice), drawVersion(dice), drawVersion(dice)];
    const input = JSON.stringify([a, b, c]);
    try {
      const [ab, ba, bc, ac] = [
        compareVersions(a, b),
        compareVersions(b, a),
        compareVersions(b, c),
        compareVersions(a, c),
      ];
      if (compareVersions(a, a) !== 0) throw new Error('a version is not equal to itself');
      if (ab + ba !== 0) throw new Error(`the order depends on the side: ${ab}, ${ba}`);
      if (ab <= 0 && bc <= 0 && ac > 0) throw new Error('a ≤ b ≤ c, and a > c');
      return `${ab}`;
    } catch (error) {
      throw new Finding('versions have a total order', input, error);
    }
  },
};

export const patternTarget: FuzzTarget = {
  name: 'pattern',
  weight: 2,
  async run(dice) {
    const pattern = drawPattern(dice);
    const names = Array.from({ length: dice.integer(0, 8) }, () => `${dice.pick(bases)}-${drawVersion(dice)}`);
    const input = JSON.stringify([pattern, names]);
    try {
      const { problem, matchers } = compilePattern(pattern);
      const matching = names.filter((name) => matches(pattern, name));
      if (problem !== undefined && ([...matchers()].length > 0 || matching.length > 0))
        throw new Error(`${problem}, and it matches`);
      const sorted = new PackageNames(names);
      const found = sorted.matching(pattern);
      if (found.toSorted().join('\n') !== [...new Set(matching)].sort().join('\n'))
        throw new Error(`a list finds ${found}`);
      if (sorted.best(pattern) !== bestMatch(pattern, names) || found[0] !== sorted.best(pattern))
        throw new Error(`the best is ${sorted.best(pattern)}, ${bestMatch(pattern, names)} or ${found[0]}`);
      return problem ?? (matching.length > 0 ? 'matches' : 'matches nothing');
    } catch (error) {
      throw new Finding('a pattern matches the same names everywhere', input, error);
    }
  },
};

const versionPieces = [
  '0',
  '1',
  '2',
  '10',
  '007',
  '.',
  '_',
  'a',
  'b',
  'Z',
  'alpha',
  'beta',
  'pre',
  'rc',
  'pl',
  'nb',
  'nb1',
  'nb02',
  '-',
  '+',
  '\xe9',
  '',
  '9'.repeat(15),
  '9'.repeat(16),
  '9'.repeat(400),
  '\0',
  ' ',
];

function drawVersion(dice: Dice): string {
  return Array.from({ length: dice.pick([1, 2, 3, 5, 8, 300]) }, () => dice.pick(versionPieces)).join('');
}

const bases = ['x', 'x-y', 'gtk2+', 'p5-A', '.x', '', '[a', '{', 'x\\'];
const patternPieces = [
  ...bases,
  '*',
  '?',
  '[0-9]*',
  '[!a-z]',
  '[^',
  '[]a]',
  '[a-',
  ']',
  '{',
  '}',
  ',',
  '{a,b}',
  '{,x{y,z}}',
  '>=',
  '<',
  '>',
  '<=',
  '==',
  '!=',
  '-',
  '\\',
  '*a',
  '1.0',
  'nb1',
  '(',
  '$',
  '\n',
  '\ud800',
];

function drawPattern(dice: Dice): string {
  const repeated = dice.chance(0.1)
    ? dice.pick(['{a,b}', '*a', '{', '[', '>=1', '\\', 'a*?', '{a,{b,', '}']).repeat(dice.pick([20, 100, 250, 600]))
    : '';
  return Array.from({ length: dice.integer(1, 8) }, () => dice.pick(patternPieces)).join('') + repeated;
}
