import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseStoreName, stateDirectoryOf } from '../../../functions/adapters/store/store-address.ts';

test('the name of a store is a bucket and perhaps a prefix', () => {
  for (const [name, bucket, prefix] of [
    ['s3://b', 'b', ''],
    ['s3://b/', 'b', ''],
    ['s3://my.bucket-1/a/b', 'my.bucket-1', 'a/b/'],
    ['s3://b/a//', 'b', 'a/'],
  ] as const) {
    const address = parseStoreName(name, { endpoint: 'http://store.test/' });
    assert.deepEqual([address.bucket, address.prefix, address.endpoint], [bucket, prefix, 'http://store.test']);
    assert.equal(address.name, name.replace(/\/+$/, ''));
  }
  for (const name of ['s3://', 's3:///a', 's3://b/a//b', 's3://b/.hidden', 's3://b/../c', 's3://a b', 'http://b'])
    assert.throws(() => parseStoreName(name), { name: 'UsageError' }, name);
});

test('each store has a place of its own for its table', () => {
  const stores = [
    parseStoreName('s3://b'),
    parseStoreName('s3://b/a'),
    parseStoreName('s3://b-a'),
    parseStoreName('s3://b/a/c'),
    parseStoreName('s3://b/a-c'),
    parseStoreName('s3://b', { endpoint: 'http://one.test' }),
    parseStoreName('s3://b', { endpoint: 'http://other.test' }),
  ];
  const places = stores.map(stateDirectoryOf);
  assert.equal(new Set(places).size, stores.length);
  for (const place of places) assert.match(place, /\/pkgsrc-indexer\/b[\w.-]+$/);
});
