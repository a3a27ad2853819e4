import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { zstdDecompressSync } from 'node:zlib';
import fc from 'fast-check';
import { checkConsistency, factsOf, libraryPrefixes, type PackageFacts } from '../../functions/check/consistency.ts';
import { listFindings } from '../../functions/check/findings.ts';
import { latin1 } from '../../functions/package/formats.ts';
import { readFields } from '../../functions/record/record-fields.ts';
import { bestMatch } from '../version/one-by-one.ts';

const data = new URL('../../../shared/data/pkg_summary-27k.zst', import.meta.url);

function facts(name: string, more: Partial<PackageFacts> = {}): PackageFacts {
  return { name, file: `${name}.tgz`, path: '', architectures: [], depends: [], requires: [], provides: [], ...more };
}

describe('checkConsistency', () => {
  test('finds nothing in a consistent repository, nor in an empty one', () => {
    const packages = [
      facts('app-1.0', {
        path: 'misc/app',
        depends: ['lib>=1.0<2'],
        requires: ['/usr/pkg/lib/lib.so.1', '/lib/libc.so'],
      }),
      facts('lib-1.5', { path: 'misc/lib', provides: ['/usr/pkg/lib/lib.so.1'] }),
    ];
    assert.deepEqual(listFindings(checkConsistency(packages)), []);
    assert.deepEqual(listFindings(checkConsistency([])), []);
    assert.equal(checkConsistency(packages).packages, 2);
  });

  test('reports a missing dependency once, with all packages that need it', () => {
    const packages = [
      facts('a-1', { depends: ['lib>=2', 'lib>=1', 'lib>=2'] }),
      facts('b-1', { depends: ['lib>=2', 'x{'] }),
      facts('lib-1'),
    ];
    const report = checkConsistency(packages);
    assert.deepEqual(report.missingDependencies, [
      { pattern: 'lib>=2', problem: undefined, neededBy: ['a-1', 'b-1'] },
      { pattern: 'x{', problem: 'unbalanced-braces', neededBy: ['b-1'] },
    ]);
    assert.equal(listFindings(report).length, 2);
  });

  test('distinguishes libraries of missing packages from those of the base system', () => {
    const packages = [
      facts('a-1', { requires: ['/usr/pkg/lib/gone.so', '/usr/lib/libm.so', '/lib/libc.so'] }),
      facts('b-1', { requires: ['/usr/pkg/qt5/lib/qt.so', '/usr/lib/libm.so', '/usr/pkg/lib/here.so'] }),
      facts('c-1', { provides: ['/usr/pkg/lib/here.so'] }),
    ];
    const { missingLibraries, systemLibraries } = checkConsistency(packages);
    assert.deepEqual(missingLibraries, [
      { library: '/usr/pkg/lib/gone.so', neededBy: ['a-1'] },
      { library: '/usr/pkg/qt5/lib/qt.so', neededBy: ['b-1'] },
    ]);
    assert.equal(systemLibraries, 2);
  });

  test('if no package provides a library, all are system libraries', () => {
    const { missingLibraries, systemLibraries } = checkConsistency([facts('a-1', { requires: ['/usr/pkg/lib/x.so'] })]);
    assert.deepEqual([missingLibraries, systemLibraries], [[], 1]);
  });

  test('reports files that share a PKGNAME', () => {
    const packages = [facts('a-1'), facts('b-1'), facts('a-1', { file: 'copy.tgz' })];
    const report = checkConsistency(packages);
    assert.deepEqual(report.duplicateNames, [{ name: 'a-1', files: ['a-1.tgz', 'copy.tgz'] }]);
    assert.equal(listFindings(report).length, 1);
  });

  test('reports several versions of a package, but not different packages of one PKGPATH', () => {
    const packages = [
      facts('py312-x-1.0', { path: 'devel/py-x' }),
      facts('py313-x-1.0', { path: 'devel/py-x' }),
      facts('py313-x-1.1', { path: 'devel/py-x' }),
      facts('py313-x-1.1', { path: 'devel/py-x', file: 'copy.tgz' }),
      facts('py313-x-1.2', { path: 'www/py-x' }),
      facts('old-1'),
      facts('old-2'),
      facts('copy-1', { path: 'misc/copy' }),
      facts('copy-1', { path: 'misc/copy', file: 'copy.tgz' }),
    ];
    assert.deepEqual(checkConsistency(packages).duplicatePaths, [
      { path: 'devel/py-x', names: ['py313-x-1.0', 'py313-x-1.1'] },
    ]);
  });

  test('lists what stops every client first', () => {
    const packages = [
      facts('a-1', { architectures: ['x86_64'], depends: ['b>=1', 'gone'] }),
      facts('b-1', { architectures: ['x86_64'], depends: ['a>=1'] }),
      facts('c-1', { architectures: ['i386'], requires: ['/usr/pkg/lib/gone.so'], provides: ['/usr/pkg/lib/c.so'] }),
      facts('c-1', { architectures: [''], file: 'copy.tgz', path: 'misc/c' }),
      facts('c-2', { path: 'misc/c' }),
    ];
    assert.deepEqual(
      listFindings(checkConsistency(packages)).map(({ kind, what, packages }) => [kind, what, packages.join()]),
      [
        ['foreignArchitectures', '(empty)', 'c-1'],
        ['foreignArchitectures', 'i386', 'c-1'],
        ['dependencyCycles', 'a-1 → b-1 → a-1', 'a-1,b-1'],
        ['missingDependencies', 'gone', 'a-1'],
        ['missingLibraries', '/usr/pkg/lib/gone.so', 'c-1'],
        ['duplicateNames', 'c-1', 'c-1.tgz,copy.tgz'],
        ['duplicatePaths', 'misc/c', 'c-1,c-2'],
      ],
    );
  });

  test('takes no longer for many prefixes and many libraries', () => {
    const provides = Array.from({ length: 100_000 }, (_, index) => `/${index}/lib/a.so`);
    const requires = Array.from({ length: 100_000 }, (_, index) => `/x${index}/lib/b.so`);
    const started = process.cpuUsage();
    const { missingLibraries, systemLibraries } = checkConsistency([facts('a-1', { provides, requires })]);
    assert.deepEqual([missingLibraries.length, systemLibraries], [0, 100_000]);
    const milliseconds = process.cpuUsage(started).user / 1_000;
    assert.ok(milliseconds < 5_000, `${milliseconds} ms of CPU`);
  });

  test('finds the libraries below prefixes, also where one prefix starts with another', () => {
    const segment = fc.constantFrom('a', 'b', 'ab', 'lib', 'usr');
    const path = fc.array(segment, { minLength: 1, maxLength: 3 }).map((segments) => `/${segments.join('/')}/lib/x.so`);
    fc.assert(
      fc.property(fc.array(path), fc.array(path), (provides, requires) => {
        const { missingLibraries } = checkConsistency([facts('a-1', { provides, requires })]);
        const prefixes = libraryPrefixes(provides);
        const isMissing = (library: string) =>
          !provides.includes(library) && prefixes.some((prefix) => library.startsWith(prefix));
        assert.deepEqual(new Set(missingLibraries.map(({ library }) => library)), new Set(requires.filter(isMissing)));
      }),
    );
  });

  test('a dependency is missing exactly where no name matches', () => {
    const name = fc.stringMatching(/^[ab]-[12](\.[01])?$/);
    const pattern = fc.stringMatching(/^[ab](>=[12]|<2|-\[0-9\]\*|-1)$/);
    fc.assert(
      fc.property(fc.array(name), fc.array(pattern), (names, depends) => {
        const report = checkConsistency([...names.map((each) => facts(each)), facts('user-1', { depends })]);
        const missing = depends.filter((each) => bestMatch(each, [...names, 'user-1']) === undefined);
        const reported = report.missingDependencies.map((each) => each.pattern);
        assert.deepEqual(new Set(reported), new Set(missing));
        assert.equal(reported.length, new Set(reported).size);
      }),
    );
  });
});

test('the prefixes of packages come from their libraries, and are never those of the base system', () => {
  const libraries = [
    '/usr/pkg/lib/a.so',
    '/usr/pkg/gcc10/lib/gcc/b.so',
    '/opt/mylib/lib64/c.so',
    '/usr/lib/d.so',
    '/lib/e.so',
    'f.so',
    'lib/g.so',
    '/usr/pkg/libexec/h.so',
    '/mylib/i.so',
  ];
  assert.deepEqual(libraryPrefixes(libraries), ['/usr/pkg/', '/usr/pkg/gcc10/', '/opt/mylib/']);
});

test('27,699 records are checked', {
  skip: existsSync(data) ? false : `${data.pathname} is absent`,
}, (context) => {
  const records = latin1(zstdDecompressSync(readFileSync(data))).split(/(?<=\n)\n/);
  const began = process.cpuUsage();
  const report = checkConsistency(
    records.filter((record) => record !== '').map((record) => factsOf(readFields(record))),
  );
  const milliseconds = process.cpuUsage(began).user / 1_000;
  context.diagnostic(`${report.packages} records: ${milliseconds.toFixed(0)} ms`);
  assert.equal(report.packages, 27_699);
  assert.ok(report.missingDependencies.some(({ pattern }) => pattern === 'libtirpc>=1.3.3'));
  assert.equal(report.missingDependencies.length, 77);
  assert.deepEqual(report.foreignArchitectures, []);
  assert.deepEqual(report.dependencyCycles, []);
});
