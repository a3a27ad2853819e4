import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { createContext, runInContext } from 'node:vm';
import fc from 'fast-check';

const code = readFileSync(new URL('../../infra/viewer-request.js', import.meta.url), 'utf8');

const edge = createContext({});
runInContext(code, edge);

/** Runs the function as the edge does: a script without modules or Node, whose global `handler` is called. */
function handled(uri: string): Record<string, unknown> & { readonly uri: string } {
  const event = {
    version: '1.0',
    request: { method: 'GET', uri, querystring: {}, headers: { host: { value: 'host.test' } } },
  };
  return JSON.parse(runInContext(`JSON.stringify(handler(${JSON.stringify(event)}))`, edge));
}

for (const [uri, expected] of [
  ['/All/gtk2+-2.24.tgz', '/All/gtk2%2B-2.24.tgz'],
  ['/All/libstdc++-1.0.tgz', '/All/libstdc%2B%2B-1.0.tgz'],
  ['/All/gtk2%2B-2.24.tgz', '/All/gtk2%2B-2.24.tgz'],
  ['/All/x%20y~%7e-1.0.tgz', '/All/x%20y~%7e-1.0.tgz'],
  ['/c++/All/pkg_summary.gz', '/c%2B%2B/All/pkg_summary.gz'],
  ['/', '/index.html'],
  ['/All/', '/All/index.html'],
  ['/c++/All/', '/c%2B%2B/All/index.html'],
  ['/All/index.html', '/All/index.html'],
  ['/README', '/README'],
  ['/NetBSD/10.0', '/NetBSD/10.0'],
  ['/SmartOS-All', '/SmartOS-All'],
] as const) {
  test(`${uri} is asked of S3 as ${expected}`, () => assert.equal(handled(uri).uri, expected));
}

for (const uri of ['/All/.indexer-state/confirmed.json', '/.x', '/All/%2eindexer-state/confirmed.json', '/%2E./x']) {
  test(`${uri} is hidden`, () => assert.deepEqual(handled(uri), { statusCode: 404, statusDescription: 'Not Found' }));
}

for (const [uri, location] of [
  ['/All', 'https://host.test/All/'],
  ['/packages/NetBSD/10.0/All', 'https://host.test/packages/NetBSD/10.0/All/'],
  // Not to another host.
  ['//evil.test/All', 'https://host.test//evil.test/All/'],
  ['/\\evil.test/All', 'https://host.test/\\evil.test/All/'],
] as const) {
  test(`${uri}, a repository without its slash, is sent to ${location}`, () => {
    assert.deepEqual(handled(uri), {
      statusCode: 302,
      statusDescription: 'Found',
      headers: { location: { value: location } },
    });
  });
}

test('S3 decodes any rewritten path to the one that the client meant, + included', () => {
  const asS3Decodes = (path: string) => decodeURIComponent(path.replaceAll('+', ' '));
  fc.assert(
    fc.property(fc.webPath(), (end) => {
      const path = `${end}/x`;
      fc.pre(!/\/(\.|%2e)/i.test(path));
      assert.equal(asS3Decodes(handled(path).uri), decodeURIComponent(path));
    }),
  );
});

test('nothing but the path changes', () => {
  assert.deepEqual(
    { ...handled('/a+b'), uri: '' },
    {
      method: 'GET',
      uri: '',
      querystring: {},
      headers: { host: { value: 'host.test' } },
    },
  );
});

test('it fits in a CloudFront function', () => assert.ok(Buffer.byteLength(code) <= 10_240));
