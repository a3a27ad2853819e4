import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Catalogue, type Column } from '../../functions/browser/packages/catalogue.ts';
import { parseBuildDate } from '../../functions/browser/packages/listed-package.ts';
import { packageDetails } from '../../functions/browser/packages/package-details.ts';
import { Relations } from '../../functions/browser/packages/relations.ts';
import { hostileName, packageRecord, record, sampleRecords } from './sample-repository.ts';

function catalogueOf(records: readonly string[]): Catalogue {
  const catalogue = new Catalogue();
  for (const each of records) catalogue.add(Buffer.from(each));
  return catalogue;
}

const sample = catalogueOf(sampleRecords);
const relations = new Relations(sample);

function details(
  key: string,
  { catalogue, by }: { catalogue: Catalogue; by: Relations } = { catalogue: sample, by: relations },
) {
  const found = packageDetails(catalogue, by, key);
  assert.ok(found.outcome === 'found', `expected a package ${key}`);
  return found;
}

describe('Catalogue', () => {
  test('lists what a record says', () => {
    const { packages } = catalogueOf([packageRecord('py313-foo-bar-1.0nb2', { CATEGORIES: 'www python' })]);
    assert.deepEqual(packages, [
      {
        key: 'py313-foo-bar-1.0nb2',
        name: 'py313-foo-bar-1.0nb2',
        base: 'py313-foo-bar',
        version: '1.0nb2',
        comment: 'About py313-foo-bar-1.0nb2',
        file: 'py313-foo-bar-1.0nb2.tgz',
        categories: 'www python',
        libraries: [],
        size: 1_000,
        built: Date.UTC(2026, 6, 24, 2, 36, 42),
      },
    ]);
  });

  test('drops a record without PKGNAME, as clients do, and makes do without anything else', () => {
    const catalogue = catalogueOf([record({ COMMENT: 'x' }), record({ PKGNAME: 'x' })]);
    const [only] = catalogue.packages;
    assert.equal(catalogue.packages.length, 1);
    assert.deepEqual([only?.base, only?.version, only?.size, only?.built], ['x', '', 0, 0]);
  });

  test('gives packages that share a PKGNAME keys of their own', () => {
    assert.equal(sample.packages[sample.indexOf('twice-1.0') ?? -1]?.size, 1_000);
    assert.equal(sample.packages[sample.indexOf('twice-copy.tgz') ?? -1]?.size, 1_001);
  });

  test('reads UTF-8 where a record is that, and Latin-1 where it is not', () => {
    const catalogue = new Catalogue();
    catalogue.add(Buffer.from(packageRecord('a-1', { COMMENT: 'Größe' }), 'utf8'));
    catalogue.add(Buffer.from(packageRecord('b-1', { COMMENT: 'Größe' }), 'latin1'));
    assert.deepEqual(
      catalogue.packages.map(({ comment }) => comment),
      ['Größe', 'Größe'],
    );
  });

  test('sorts by each column', () => {
    const catalogue = catalogueOf([
      packageRecord('b-1.10', {
        COMMENT: 'x',
        CATEGORIES: 'net',
        FILE_SIZE: '3',
        BUILD_DATE: '2026-01-02 00:00:00 +0000',
      }),
      packageRecord('B-1.9', {
        COMMENT: 'Y',
        CATEGORIES: 'devel',
        FILE_SIZE: '20',
        BUILD_DATE: '2026-01-01 00:00:00 +0000',
      }),
      packageRecord('a-1.0nb1', { COMMENT: 'z', CATEGORIES: 'www', FILE_SIZE: '1', BUILD_DATE: '' }),
      packageRecord('c-1.0rc1', {
        COMMENT: 'x',
        CATEGORIES: 'net',
        FILE_SIZE: '',
        BUILD_DATE: '2025-01-02 00:00:00 +0000',
      }),
    ]);
    const expected: Readonly<Record<Column, readonly number[]>> = {
      name: [2, 1, 0, 3],
      version: [3, 2, 1, 0],
      comment: [0, 3, 1, 2],
      category: [1, 0, 3, 2],
      size: [3, 2, 0, 1],
      built: [2, 3, 1, 0],
    };
    for (const column of Object.keys(expected) as Column[]) {
      assert.deepEqual([...catalogue.order(column)], expected[column], column);
    }
  });
});

test('build dates', () => {
  const dates: readonly (readonly [text: string, date: number])[] = [
    ['2026-07-24 02:36:42 +0000', Date.UTC(2026, 6, 24, 2, 36, 42)],
    ['2026-07-24 02:36:42 -0130', Date.UTC(2026, 6, 24, 4, 6, 42)],
    ['2026-07-24 02:36', Date.UTC(2026, 6, 24, 2, 36)],
    ['2026-07-24T02:36:42', Date.UTC(2026, 6, 24, 2, 36, 42)],
    ['', 0],
    ['2026-13-45 99:99:99 +0000', 0],
    ['yesterday', 0],
    ['<b>', 0],
    ['+275760-01-01', 0],
    ['1960-01-01 00:00:00 +0000', 0],
  ];
  for (const [text, date] of dates) assert.equal(parseBuildDate(text), date, text);
});

describe('the details of a package', () => {
  test('resolve each dependency to the package that a client would install, or say that it is missing', () => {
    assert.deepEqual(
      details('app-2.0').depends.map(({ pattern, satisfiedBy }) => [pattern, satisfiedBy?.key]),
      [
        ['libfoo>=1.0', 'libfoo-1.10'],
        ['{mysql,mariadb}-client-[0-9]*', 'mariadb-client-10.6'],
        ['nosuch>=3.1', undefined],
        ['libfoo-[0-9]*', 'libfoo-1.10'],
        ['gtk2+>=2.0', 'gtk2+-2.24.33'],
      ],
    );
  });

  test('say why no package at all could satisfy a pattern', () => {
    assert.deepEqual(
      details(hostileName).depends.map(({ problem }) => problem),
      [undefined, undefined, 'unbalanced-braces'],
    );
  });

  test('name those that need it, each once', () => {
    const { neededBy } = details('libfoo-1.10');
    assert.deepEqual(
      neededBy.links.map(({ name }) => name),
      [hostileName, 'app-2.0', 'gtk2+-2.24.33'],
    );
    assert.equal(neededBy.count, 3);
    assert.equal(details('libfoo-1.9').neededBy.count, 0);
  });

  test('add up what a client downloads besides', () => {
    assert.deepEqual(details('app-2.0').everythingNeeded, { packages: 3, bytes: 1_000 + 1_000 + 7_000_000 });
    assert.deepEqual(details('libfoo-1.0').everythingNeeded, { packages: 0, bytes: 0 });
  });

  test('follow a circle of dependencies once', () => {
    const circle = catalogueOf([
      packageRecord('a-1', { DEPENDS: 'b>=1' }),
      packageRecord('b-1', { DEPENDS: ['c>=1', 'b>=1'] }),
      packageRecord('c-1', { DEPENDS: 'a>=1' }),
    ]);
    const found = details('b-1', { catalogue: circle, by: new Relations(circle) });
    assert.deepEqual(found.everythingNeeded, { packages: 2, bytes: 2_000 });
    assert.deepEqual(
      found.neededBy.links.map(({ name }) => name),
      ['a-1'],
    );
  });

  test('tell libraries of packages, of missing packages and of the system apart', () => {
    const { requires } = details('app-2.0');
    assert.deepEqual(
      requires.map(({ library, isMissing, providers }) => [
        library,
        isMissing,
        providers.links.map(({ name }) => name),
      ]),
      [
        ['/usr/pkg/lib/libfoo.so.1', false, ['libfoo-1.10']],
        ['/usr/pkg/lib/libgone.so.2', true, []],
        ['/usr/lib/libc.so.12', false, []],
      ],
    );
    assert.deepEqual(
      details('libfoo-1.10').provides.map(({ library, consumers }) => [library, consumers.count]),
      [
        ['/usr/pkg/lib/libfoo.so.1', 1],
        ['/usr/pkg/lib/libfoo.so', 0],
      ],
    );
  });

  test('show conflicts with the packages here that they mean', () => {
    assert.deepEqual(
      details('app-2.0').conflicts.map(({ pattern, matching }) => [pattern, matching.links.map(({ name }) => name)]),
      [
        ['app1-[0-9]*', ['app1-1.0']],
        ['none-[0-9]*', []],
      ],
    );
  });

  test('carry the warnings that the command line gives', () => {
    const codes = (key: string) => details(key).warnings.map(({ code }) => code);
    assert.deepEqual(codes('app-2.0'), []);
    assert.deepEqual(codes('gtk2+-2.24.33'), []);
    assert.deepEqual(codes('zlast-alpha'), ['not-installable']);
    assert.deepEqual(codes('twice-1.0'), ['duplicate-pkgname']);
    assert.deepEqual(codes('twice-copy.tgz'), ['name-mismatch', 'duplicate-pkgname']);
    for (const { remedy } of details('twice-copy.tgz').warnings) assert.match(remedy, /\.$/);
  });

  test('keep the lines of the description, and the facts that the record has', () => {
    const found = details('app-2.0');
    assert.equal(found.description, 'What app-2.0 is.\n\nAnd more of it.');
    assert.deepEqual(found.options, ['ssl', 'inet6']);
    assert.deepEqual(
      [found.licence, found.homepage, found.path, found.installedSize],
      ['apache-2.0 OR mit', 'https://example.org/app', 'misc/app', 9_000_000],
    );
    assert.deepEqual(
      found.facts.map(([name]) => name),
      ['System', 'System version', 'Architecture', 'Built', 'File'],
    );
  });

  test('of a name without a version are those of the newest', () => {
    assert.equal(details('libfoo-1.9').newer?.name, 'libfoo-1.10');
    assert.equal(details('twice-copy.tgz').newer, undefined, 'of the same version');
    assert.deepEqual([details('libfoo').listed.key, details('libfoo').newer], ['libfoo-1.10', undefined]);
  });

  test('of a package that is gone lead to its newest version, if there is one', () => {
    const missing = (key: string) => packageDetails(sample, relations, key);
    const newest = { key: 'libfoo-1.10', name: 'libfoo-1.10', comment: 'About libfoo-1.10' };
    assert.deepEqual(missing('libfoo-0.5'), { outcome: 'missing', newest });
    for (const key of ['nosuch-3.0', 'nosuch', '__proto__', ''])
      assert.deepEqual(missing(key), { outcome: 'missing', newest: undefined }, key);
  });

  test('cut lists that are too long to show', () => {
    const users = Array.from({ length: 600 }, (_, index) => packageRecord(`user${index}-1`, { DEPENDS: 'base>=1' }));
    const catalogue = catalogueOf([packageRecord('base-1'), ...users]);
    const found = details('base-1', { catalogue, by: new Relations(catalogue) });
    assert.equal(found.neededBy.count, 600);
    assert.equal(found.neededBy.links.length, 500);
  });
});
