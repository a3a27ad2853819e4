import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { createContext, runInContext } from 'node:vm';
import fc from 'fast-check';

const code = readFileSync(new URL('../../infra/encode-plus.js', import.meta.url), 'utf8');

const edge = createContext({});
runInContext(code, edge);

/** Runs the function as the edge does: a script without modules or Node, whose global `handler` is called. */
function rewritten(uri: string): { readonly uri: string; readonly headers: object } {
  const event = { version: '1.0', request: { method: 'GET', uri, querystring: {}, headers: { host: { value: 'h' } } } };
  return JSON.parse(runInContext(`JSON.stringify(handler(${JSON.stringify(event)}))`, edge));
}

for (const [uri, expected] of [
  ['/All/gtk2+-2.24.tgz', '/All/gtk2%2B-2.24.tgz'],
  ['/All/libstdc++-1.0.tgz', '/All/libstdc%2B%2B-1.0.tgz'],
  ['/All/gtk2%2B-2.24.tgz', '/All/gtk2%2B-2.24.tgz'],
  ['/All/x%20y~%7e-1.0.tgz', '/All/x%20y~%7e-1.0.tgz'],
  ['/c++/All/pkg_summary.gz', '/c%2B%2B/All/pkg_summary.gz'],
  ['/', '/'],
] as const) {
  test(`${uri} is asked of S3 as ${expected}`, () => assert.equal(rewritten(uri).uri, expected));
}

test('S3 decodes any rewritten path to the one that the client meant, + included', () => {
  const asS3Decodes = (path: string) => decodeURIComponent(path.replaceAll('+', ' '));
  fc.assert(
    fc.property(fc.webPath(), (path) => {
      assert.equal(asS3Decodes(rewritten(path).uri), decodeURIComponent(path));
    }),
  );
});

test('nothing but the path changes', () => {
  assert.deepEqual(
    { ...rewritten('/a+b'), uri: '' },
    {
      method: 'GET',
      uri: '',
      querystring: {},
      headers: { host: { value: 'h' } },
    },
  );
});

test('it fits in a CloudFront function', () => assert.ok(Buffer.byteLength(code) <= 10_240));
