import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Catalogue } from '../../functions/browser/packages/catalogue.ts';
import { buildFigures, figuresOf } from '../../functions/browser/packages/figures.ts';
import { Relations } from '../../functions/browser/packages/relations.ts';
import { packageRecord, sampleRecords } from './sample-repository.ts';

describe('the figures of a repository', () => {
  const catalogue = new Catalogue();
  for (const record of sampleRecords.slice(1)) catalogue.add(Buffer.from(record));
  const figures = figuresOf(catalogue, new Relations(catalogue));

  test('count packages, bytes and categories', () => {
    assert.equal(figures.packages, 11);
    assert.equal(figures.bytes, 2_500_000 + 7_000_000 + 50 + 1_001 + 7 * 1_000);
    assert.deepEqual(
      figures.categories.map(({ name, packages }) => [name, packages]),
      [
        ['devel', 3],
        ['misc', 3],
        ['databases', 2],
        ['www', 2],
        ['net', 1],
        ['x11', 1],
      ],
    );
    assert.deepEqual(figures.platforms, ['NetBSD 10.1 x86_64']);
  });

  test('carry the consistency report, with links', () => {
    assert.deepEqual(
      figures.missingDependencies.map(({ pattern, neededBy }) => [pattern, neededBy.links.map(({ key }) => key)]),
      [['nosuch>=3.1', ['app-2.0']]],
    );
    assert.deepEqual(
      figures.missingLibraries.map(({ library }) => library),
      ['/usr/pkg/lib/libgone.so.2'],
    );
    assert.equal(figures.systemLibraries, 1);
    assert.deepEqual(figures.duplicateNames, [{ name: 'twice-1.0', files: ['twice-1.0.tgz', 'twice-copy.tgz'] }]);
    assert.deepEqual(
      figures.duplicatePaths.map(({ path, packages }) => [path, packages.links.map(({ name }) => name)]),
      [['misc/libfoo', ['libfoo-1.0', 'libfoo-1.10', 'libfoo-1.9']]],
    );
  });

  test('carry what stops every client, and what cannot be installed', () => {
    const mixed = new Catalogue();
    const cycle = { DEPENDS: 'b>=1' };
    for (const text of [
      packageRecord('a-1', cycle),
      packageRecord('b-1', { DEPENDS: 'a>=1' }),
      packageRecord('c-1', { MACHINE_ARCH: 'aarch64' }),
    ])
      mixed.add(Buffer.from(text));
    const { foreignArchitectures, dependencyCycles } = figuresOf(mixed, new Relations(mixed));
    assert.deepEqual(
      foreignArchitectures.map(({ architecture, packages }) => [architecture, packages.links.map(({ name }) => name)]),
      [['aarch64', ['c-1']]],
    );
    assert.deepEqual(
      dependencyCycles.map(({ cycle, packages }) => [cycle, packages.links.map(({ name }) => name)]),
      [['a-1 → b-1 → a-1', ['a-1', 'b-1']]],
    );
    assert.deepEqual([figures.foreignArchitectures, figures.dependencyCycles], [[], []]);
  });

  test('count the packages with each warning, and with any', () => {
    assert.equal(figures.packagesWithWarnings, 3);
    assert.deepEqual(
      figures.warnings.map(({ code, packages }) => [code, packages.count]),
      [
        ['duplicate-pkgname', 2],
        ['name-mismatch', 1],
        ['not-installable', 1],
      ],
    );
  });

  test('are zero for an empty repository', () => {
    const empty = new Catalogue();
    const { packages, bytes, builds, categories } = figuresOf(empty, new Relations(empty));
    assert.deepEqual([packages, bytes, builds, categories], [0, 0, [], []]);
  });
});

describe('packages by build date', () => {
  const day = 86_400_000;
  const start = Date.UTC(2026, 0, 31, 23);

  test('by day, without gaps, and without those that have no date', () => {
    assert.deepEqual(buildFigures([start, 0, start + 2 * day, start]), [
      { period: '2026-01-31', packages: 2 },
      { period: '2026-02-01', packages: 0 },
      { period: '2026-02-02', packages: 1 },
    ]);
    assert.deepEqual(buildFigures([0]), []);
  });

  test('by month where days would be too many, and by year where months would', () => {
    assert.equal(buildFigures([start, start + 59 * day]).length, 60);
    assert.deepEqual(
      buildFigures([start, start + 60 * day]).map(({ period }) => period),
      ['2026-01', '2026-02', '2026-03', '2026-04'],
    );
    const years = buildFigures([start, start + 10 * 365 * day]).map(({ period }) => period);
    assert.deepEqual([years[0], years.at(-1), years.length], ['2026', '2036', 11]);
  });

  test('the last sixty periods at most', () => {
    const years = buildFigures([Date.UTC(1970, 1), Date.UTC(9_998, 1)]);
    assert.deepEqual([years.length, years.at(-1)], [60, { period: '9998', packages: 1 }]);
  });
});
