/**
 * Generated package names and dependency patterns in the proportions of a real repository (26,711 patterns of 27,699
 * packages). They are the same every time.
 */

import { SeededRandom } from '../bench/seeded-random.ts';

export interface MadeDependencies {
  readonly names: readonly string[];
  readonly patterns: readonly string[];
}

const syllables = 'ba ce di fo gu ka le mi no pu ra se ti vo xa ze lib net db gtk qt kit x11 utf'.split(' ');
const prefixes = ['', '', '', 'py313-', 'py312-', 'p5-', 'ruby33-', 'php84-', 'R-', 'hs-', 'lua54-', 'tex-'];

/** A pattern for packages with this base; one of them has this version. */
type Form = (base: string, version: string, random: SeededRandom) => string;

/** By frequency in percent. */
const forms: readonly (readonly [percent: number, form: Form])[] = [
  [70, (base, version) => `${base}>=${version}`],
  [22, (base) => `${base}-[0-9]*`],
  [3, (base, version, random) => `${base}>=${version}<${random.whole(1, 99)}`],
  [1, (base, version) => `${base}-${version}{,nb[0-9]*}`],
  [1, (base, version) => `${base}>${version}`],
  [0.5, (base, version) => `${base}<${version}`],
  [0.5, (base, version) => `${base}-${version.split('.')[0]}*`],
  [0.5, (base, version) => `{${base},${base}-devel,${base}-lts}>=${version}`],
  [0.5, (base, version) => `{${base}>=${version},${base}-client-[0-9]*}`],
  [0.5, (base) => `${base}{,-client,-server}-[0-9]*`],
  [0.5, (base, version) => `${base}-${version}`],
];

export function madeDependencies(patterns: number, seed = 1): MadeDependencies {
  const random = new SeededRandom(seed);
  const names = new Set<string>();
  const made = new Set<string>();
  while (made.size < patterns) {
    const base =
      random.pick(prefixes) + Array.from({ length: random.whole(1, 4) }, () => random.pick(syllables)).join('');
    const versions = Array.from({ length: random.whole(1, 3) }, () => madeVersion(random));
    for (const version of versions) {
      // A few patterns match no package.
      if (random.isTrue(0.97)) names.add(`${base}-${version}`);
      made.add(formFor(random)(base, random.isTrue(0.8) ? version : madeVersion(random), random));
    }
  }
  return { names: [...names], patterns: [...made] };
}

function madeVersion(random: SeededRandom): string {
  const numbers = Array.from({ length: random.whole(1, 4) }, () =>
    random.pickByRank([0, 1, 2, 3, 10, 21, 2026, 20261124]),
  );
  const ending = random.isTrue(0.1) ? random.pick(['a', 'b', 'rc1', 'beta2', 'alpha', 'pl3', 'pre1', '_1', '.']) : '';
  return numbers.join('.') + ending + (random.isTrue(0.4) ? `nb${random.whole(1, 60)}` : '');
}

function formFor(random: SeededRandom): Form {
  let rest = random.next() * forms.reduce((sum, [percent]) => sum + percent, 0);
  for (const [percent, form] of forms) {
    rest -= percent;
    if (rest < 0) return form;
  }
  throw new Error('expected the forms to add up to all of them');
}
