import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { zstdDecompressSync } from 'node:zlib';
import fc from 'fast-check';
import { compareParsed } from '../../functions/version/dewey.ts';
import { PackageNames } from '../../functions/version/package-names.ts';
import { comparePreference, compilePattern, parsePackageName } from '../../functions/version/pattern.ts';
import { isThorough, runs } from '../thoroughness.ts';
import { type MadeDependencies, madeDependencies } from './made-dependencies.ts';
import { bestMatch, matches } from './one-by-one.ts';

describe('PackageNames', () => {
  const names = new PackageNames([
    'foo-1.0',
    'foo-bar-2.0',
    'foo-1.10',
    'foobar-1',
    'fo-1',
    'foo-1.9',
    'foo-1.9',
    'foo',
  ]);

  test('lists what a pattern means, the best first, each name once', () => {
    assert.deepEqual(names.matching('foo-[0-9]*'), ['foo-1.10', 'foo-1.9', 'foo-1.0']);
    assert.deepEqual(names.matching('foo{,-bar}>=1.9'), ['foo-bar-2.0', 'foo-1.10', 'foo-1.9']);
    assert.deepEqual(names.matching('{foo-[0-9]*,foo>=1.10}'), ['foo-1.10', 'foo-1.9', 'foo-1.0']);
    assert.deepEqual(names.matching('foo'), ['foo-1.10', 'foo-1.9', 'foo-1.0', 'foo']);
    assert.deepEqual(names.matching('bar'), []);
    assert.deepEqual(names.matching('foo{'), []);
  });

  test('finds the best of them', () => {
    assert.equal(names.best('foo>=1'), 'foo-1.10');
    assert.equal(names.best(compilePattern('foo<1.10')), 'foo-1.9');
    assert.equal(names.best('*'), 'foo-bar-2.0');
    assert.equal(names.best('foo>2'), undefined);
    assert.equal(new PackageNames([]).best('*'), undefined);
  });

  test('finds what trying every name finds', () => {
    const name = fc.stringMatching(/^[ab.]{0,2}(-[ab.0-2]{0,2}){0,2}$/);
    const piece = fc.constantFrom('a', 'b', '-', '.', '1', '*', '?', '[a-b]', '[', '\\', '>=', '<1', '{a,b}', '{,-}');
    const pattern = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join(''));
    let found = 0;
    fc.assert(
      fc.property(fc.array(name), pattern, (list, pattern) => {
        const names = new PackageNames(list);
        const matching = [...new Set(list)].filter((one) => matches(pattern, one));
        assert.deepEqual(names.matching(pattern).toSorted(), matching.toSorted());
        assert.equal(names.matching(pattern)[0], bestMatch(pattern, list));
        assert.equal(names.best(pattern), bestMatch(pattern, list));
        found += matching.length;
      }),
      { numRuns: runs(3_000) },
    );
    assert.ok(found > runs(300), `only ${found} generated names matched`);
  });
});

const realIndex = new URL('../../../shared/data/pkg_summary-27k.zst', import.meta.url);

/** Those of 27,699 real packages in a thorough run if they are present, otherwise generated ones. */
function dependencies(): MadeDependencies & { readonly areReal: boolean } {
  if (!isThorough || !existsSync(realIndex)) return { ...madeDependencies(runs(16_000)), areReal: false };
  const lines = zstdDecompressSync(readFileSync(realIndex)).toString('latin1').split('\n');
  const valuesOf = (field: string) =>
    lines.filter((line) => line.startsWith(`${field}=`)).map((line) => line.slice(field.length + 1));
  return { names: valuesOf('PKGNAME'), patterns: [...new Set(valuesOf('DEPENDS'))], areReal: true };
}

describe('the dependencies of a whole repository', () => {
  const { names, patterns, areReal } = dependencies();

  test('are patterns without a problem, and resolve as trying every name does', (context) => {
    assert.ok(patterns.length >= runs(16_000), `${patterns.length} patterns`);
    const started = performance.now();
    const sorted = new PackageNames(names);
    const compiled = patterns.map(compilePattern);
    const best = compiled.map((pattern) => sorted.best(pattern));
    const milliseconds = Math.round(performance.now() - started);
    const resolved = best.filter((name) => name !== undefined).length;
    const source = areReal ? 'real' : 'made';
    context.diagnostic(`${resolved} of ${patterns.length} ${source} patterns resolve, in ${milliseconds} ms`);

    assert.deepEqual(
      compiled.filter(({ problem }) => problem !== undefined),
      [],
    );
    if (areReal) assert.deepEqual([names.length, patterns.length, resolved], [27_699, 26_711, 26_634]);
    assert.ok(resolved > patterns.length / 2 && resolved < patterns.length);
    for (let index = 0; index < compiled.length; index += Math.ceil(compiled.length / 10)) {
      const pattern = compiled[index];
      assert.ok(pattern);
      assert.equal(best[index], bestMatch(pattern, names), pattern.text);
    }
  });

  test('have versions in one total order, and names in one order of preference', () => {
    const parsed = names.map(parsePackageName);
    isTotalOrder(
      parsed.map(({ version }) => version),
      compareParsed,
    );
    isTotalOrder(parsed, comparePreference);
    const ordered = parsed.toSorted(comparePreference);
    for (const [index, name] of ordered.entries()) {
      const next = ordered[index + 1];
      if (next !== undefined) assert.equal(comparePreference(name, next), name.text === next.text ? 0 : -1);
    }
  });
});

/** Asserts that no sorted value comes after a later one: pairs at many distances, in both directions. */
function isTotalOrder<Value>(values: readonly Value[], compare: (left: Value, right: Value) => number): void {
  const ordered = values.toSorted(compare);
  for (let distance = 0; distance < ordered.length; distance = 2 * distance + 1) {
    for (let index = 0; index + distance < ordered.length; index += 1) {
      const [left, right] = [ordered[index] as Value, ordered[index + distance] as Value];
      const order = compare(left, right);
      if (order > 0 || order !== 0 - compare(right, left)) assert.fail(`${distance} apart: ${left}, ${right}`);
    }
  }
}
