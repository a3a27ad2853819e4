import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareArchitectures, compareTotals } from '../../functions/check/architectures.ts';

type Packages = readonly (readonly [name: string, ...architectures: string[]])[];

function compare(packages: Packages): string {
  const named = packages.map(([name, ...architectures]) => ({ name, architectures }));
  const { architecture, foreign } = compareArchitectures(named);
  assertTotals(packages);
  return [architecture ?? 'none', ...foreign.map((each) => `${each.architecture || '(empty)'}: ${each.names}`)].join(
    '; ',
  );
}

/** The numbers alone give the same, where each package is there once and has one architecture. */
function assertTotals(packages: Packages): void {
  if (packages.some((each) => each.length > 2) || new Set(packages.map(([name]) => name)).size < packages.length)
    return;
  const { architecture, foreign } = compareArchitectures(
    packages.map(([name, ...architectures]) => ({ name, architectures })),
  );
  const totals = new Map<string, number>();
  for (const value of packages.flatMap(([, ...values]) => values)) totals.set(value, (totals.get(value) ?? 0) + 1);
  assert.deepEqual(compareTotals(totals), {
    architecture,
    foreign: foreign.map((each) => ({ architecture: each.architecture, packages: each.names.length })),
  });
}

const cases: readonly (readonly [what: string, packages: Packages, expected: string])[] = [
  ['no package', [], 'none'],
  ['no architecture', [['a'], ['b']], 'none'],
  ['one', [['a', 'x86_64'], ['b', 'x86_64'], ['c']], 'x86_64'],
  [
    'the minority, however early it comes',
    [
      ['a', 'i386'],
      ['b', 'x86_64'],
      ['c', 'x86_64'],
    ],
    'x86_64; i386: a',
  ],
  [
    'of two of one size the first by name',
    [
      ['a', 'x86_64'],
      ['b', 'aarch64'],
    ],
    'aarch64; x86_64: a',
  ],
  [
    'the more frequent minority first',
    [
      ['a', 'z'],
      ['b', 'z'],
      ['c', 'z'],
      ['d', 'y'],
      ['e', 'x'],
      ['f', 'x'],
    ],
    'z; x: e,f; y: d',
  ],
  [
    'one that starts with another is compatible',
    [
      ['a', 'x86_64v3'],
      ['b', 'x86_64'],
      ['c', 'x86_64v2'],
    ],
    'x86_64',
  ],
  [
    'levels of x86_64 are compatible without it',
    [
      ['a', 'x86_64v3'],
      ['b', 'x86_64v4'],
    ],
    'x86_64',
  ],
  [
    'a prefix in the middle of others',
    [
      ['a', 'earm'],
      ['b', 'earmv7hf'],
      ['c', 'ea'],
      ['d', 'i386'],
    ],
    'ea; i386: d',
  ],
  [
    'an empty value is always foreign',
    [
      ['a', ''],
      ['b', ''],
      ['c', 'x86_64'],
    ],
    'x86_64; (empty): a,b',
  ],
  ['only empty values', [['a', '']], 'none; (empty): a'],
  [
    'each value of a package counts',
    [
      ['a', 'x86_64', 'i386'],
      ['b', 'x86_64'],
    ],
    'x86_64; i386: a',
  ],
  [
    'a package that comes twice is named once',
    [
      ['a', 'i386'],
      ['a', 'i386'],
      ['b', 'x86_64'],
      ['c', 'x86_64'],
    ],
    'x86_64; i386: a',
  ],
];

for (const [what, packages, expected] of cases) {
  test(`architectures: ${what}`, () => {
    assert.equal(compare(packages), expected);
  });
}
