import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  compareByBytes,
  isIndexKey,
  isPackageKey,
  isUnusableKey,
  joinKey,
  plusAliasOf,
  splitKey,
} from '../functions/keys.ts';
import { anyText } from './any-text.ts';
import { runs } from './thoroughness.ts';

describe('a key', () => {
  it('is its repository and its file', () => {
    const cases = [
      ['All/x-1.0.tgz', 'All', 'x-1.0.tgz'],
      ['a/b/c/x-1.0.tgz', 'a/b/c', 'x-1.0.tgz'],
      ['x-1.0.tgz', '', 'x-1.0.tgz'],
      ['All/', 'All', ''],
      ['', '', ''],
    ] as const;
    for (const [key, repository, file] of cases) {
      assert.deepEqual(splitKey(key), { repository, file });
      assert.equal(joinKey(repository, file), key);
    }
  });

  it('is put together again from its parts', () => {
    const part = fc.string({ minLength: 1 }).map((text) => text.replaceAll('/', '_'));
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 4 }), (parts) => {
        const key = parts.join('/');
        const { repository, file } = splitKey(key);
        assert.equal(joinKey(repository, file), key);
        assert.equal(file, parts.at(-1));
      }),
    );
  });

  it('names a package by its suffix, unless a part of it is hidden or missing', () => {
    for (const key of ['x.tgz', 'All/x-1.0.tgz', 'a/x.tbz', 'x.txz', 'x.tzst', 'x.tar', 'a b/ü+~.tgz', 'a/x.y.tgz']) {
      assert.ok(isPackageKey(key), key);
    }
    const others = ['x.zip', 'x.tgz.asc', 'x.TGZ', 'tgz', 'All/', '', 'pkg_summary.gz', 'index.html', 'x.tar.gz'];
    const hidden = [
      '.tgz',
      '.x.tgz',
      'a/.x.tgz',
      '.a/x.tgz',
      'a/.b/x.tgz',
      '/x.tgz',
      'a//x.tgz',
      '../x.tgz',
      './x.tgz',
    ];
    for (const key of [...others, ...hidden]) assert.ok(!isPackageKey(key), key);
  });

  it('cannot be used where only an empty part keeps it from naming a package', () => {
    for (const key of ['/x.tgz', 'a//x.tgz', 'a///b/x.txz']) assert.ok(isUnusableKey(key), key);
    for (const key of ['x.tgz', 'a//x.zip', 'a//', '.a//x.tgz', 'a//.x.tgz', '']) assert.ok(!isUnusableKey(key), key);
  });

  it('has an alias where its file name has a plus: a blank for each', () => {
    assert.equal(plusAliasOf('c++/gtk2+-2.24++.tgz'), 'c++/gtk2 -2.24  .tgz');
    assert.equal(plusAliasOf('c++/x-1.0.tgz'), undefined);
  });

  it('is ordered by its bytes in UTF-8', () => {
    const text = anyText({ maxLength: 6 });
    const near = fc.constantFrom('a', 'a\u{1f600}', 'a\uffff', 'a\ue000', 'a\u{10000}', '', 'ab', 'a\u{1f600}b');
    fc.assert(
      fc.property(fc.oneof(text, near), fc.oneof(text, near), (a, b) => {
        const bytes = Buffer.compare(Buffer.from(a), Buffer.from(b));
        assert.equal(Math.sign(compareByBytes(a, b)), bytes);
      }),
      { numRuns: runs(2_000) },
    );
  });

  it('names an index by its whole file name', () => {
    for (const key of ['pkg_summary.gz', 'All/pkg_summary.zst', 'a/b/pkg_summary.xz', 'pkg_summary.bz2']) {
      assert.ok(isIndexKey(key), key);
      assert.ok(!isPackageKey(key));
    }
    for (const key of ['pkg_summary.txt', 'pkg_summary', 'pkg_summary.gz/x', 'xpkg_summary.gz', 'x.tgz']) {
      assert.ok(!isIndexKey(key), key);
    }
  });
});
