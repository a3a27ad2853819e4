import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { columns } from '../../functions/browser/packages/catalogue.ts';
import { formatRoute, parseRoute, type Route, wholeList } from '../../functions/browser/packages/route.ts';

const routes: readonly (readonly [hash: string, route: Route])[] = [
  ['#/', wholeList],
  ['#/?q=perl+json', { ...wholeList, text: 'perl json' }],
  ['#/?q=c%2B%2B&category=devel', { ...wholeList, text: 'c++', category: 'devel' }],
  ['#/?sort=-built', { ...wholeList, sort: { column: 'built', isDescending: true } }],
  ['#/package/gtk2%2B-2.24.33', { view: 'package', key: 'gtk2+-2.24.33' }],
  ['#/package/%3Cb%3E%2F%3F%23-1', { view: 'package', key: '<b>/?#-1' }],
  ['#/categories', { view: 'categories' }],
  ['#/repository', { view: 'repository' }],
];

for (const [hash, route] of routes) {
  test(`${hash} leads there and back`, () => {
    assert.deepEqual(parseRoute(hash), route);
    assert.equal(formatRoute(route), hash);
  });
}

test('a hash that is none of ours leads to the list', () => {
  for (const hash of ['', '#', '#nonsense', '#/?sort=colour', '#/?', '#/packages']) {
    assert.deepEqual(parseRoute(hash), wholeList, hash);
  }
});

test('a broken percent sign is taken as it stands', () => {
  assert.deepEqual(parseRoute('#/package/100%-1'), { view: 'package', key: '100%-1' });
});

test('every route survives its URL', () => {
  const text = fc.string({ unit: 'grapheme' }).filter((each) => each.isWellFormed());
  const sort = fc.option(fc.tuple(fc.constantFrom(...columns), fc.boolean()), { nil: undefined });
  const list = fc.tuple(text, text, sort).map(([search, category, by]): Route => {
    return { view: 'packages', text: search, category, sort: by && { column: by[0], isDescending: by[1] } };
  });
  const single = text.map((key): Route => ({ view: 'package', key }));
  fc.assert(fc.property(fc.oneof(list, single), (route) => assert.deepEqual(parseRoute(formatRoute(route)), route)));
});
