import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { zstdDecompressSync } from 'node:zlib';
import fc from 'fast-check';
import { PackageNames } from '../../functions/version/package-names.ts';
import { bestMatch, compilePattern, matches } from '../../functions/version/pattern.ts';

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
      { numRuns: 3_000 },
    );
    assert.ok(found > 300, `only ${found} generated names matched`);
  });
});

describe('the dependencies of 27,699 packages', () => {
  const file = new URL('../../../shared/data/pkg_summary-27k.zst', import.meta.url);
  const unlessAbsent = existsSync(file) ? {} : { skip: `${file.pathname} is not on this machine` };

  test('resolve, but for packages that are not there', unlessAbsent, (context) => {
    const lines = zstdDecompressSync(readFileSync(file)).toString('latin1').split('\n');
    const valuesOf = (field: string) =>
      lines.filter((line) => line.startsWith(`${field}=`)).map((line) => line.slice(field.length + 1));
    const list = valuesOf('PKGNAME');
    const patterns = [...new Set(valuesOf('DEPENDS'))];
    assert.equal(list.length, 27_699);
    assert.equal(patterns.length, 26_711);

    const started = performance.now();
    const names = new PackageNames(list);
    const compiled = patterns.map(compilePattern);
    const best = compiled.map((pattern) => names.best(pattern));
    const milliseconds = Math.round(performance.now() - started);
    const resolved = best.filter((name) => name !== undefined).length;
    context.diagnostic(`${resolved} of ${patterns.length} patterns resolve, in ${milliseconds} ms`);

    assert.deepEqual(
      compiled.filter(({ problem }) => problem !== undefined),
      [],
    );
    assert.equal(resolved, 26_634);
    for (let index = 0; index < compiled.length; index += 2_000) {
      const pattern = compiled[index];
      assert.ok(pattern);
      assert.equal(best[index], bestMatch(pattern, list), pattern.text);
    }
  });
});
