import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { keyLimits } from '../../functions/keys.ts';
import { Refusal } from '../../functions/server/answer.ts';
import {
  encodedPath,
  isServedName,
  packageKeyOf,
  parseRequestTarget,
  uploadKeyOf,
} from '../../functions/server/request-target.ts';
import { serverLimits } from '../../functions/server/server-limits.ts';
import { runs } from '../thoroughness.ts';

const parse = (url: string) => parseRequestTarget(url, serverLimits);
const refusedWith = (status: number) => (error: unknown) => error instanceof Refusal && error.status === status;

describe('a request target', () => {
  const accepted: readonly [url: string, expected: Partial<ReturnType<typeof parse>>][] = [
    ['/', { parts: [], trailingSlash: true, repeatedSlash: false }],
    ['/All', { parts: ['All'], trailingSlash: false }],
    ['/All/', { parts: ['All'], trailingSlash: true }],
    ['/All/gtk2+-2.24.tgz', { parts: ['All', 'gtk2+-2.24.tgz'] }],
    ['/All/gtk2%2B-2.24.tgz', { parts: ['All', 'gtk2+-2.24.tgz'] }],
    ['/%41ll/a%20b', { parts: ['All', 'a b'] }],
    ['/%c3%a4', { parts: ['ä'] }],
    ['/All/?list', { parts: ['All'], query: 'list' }],
    ['/All?a?b', { parts: ['All'], query: 'a?b' }],
    ['/?/../..', { parts: [], query: '/../..' }],
    ['/All//x.tgz', { parts: ['All', 'x.tgz'], repeatedSlash: true, trailingSlash: false }],
    ['//All', { parts: ['All'], repeatedSlash: true }],
    ['//', { parts: [], repeatedSlash: true, trailingSlash: true }],
    // Decoded once: what is left is the name of a file that nobody has.
    ['/%252e%252e/x', { parts: ['%2e%2e', 'x'] }],
    ['/%252f', { parts: ['%2f'] }],
    ['/a..b', { parts: ['a..b'] }],
    // The absolute form, which a server must understand (RFC 9112, section 3.2.2).
    ['http://127.0.0.1/All/x', { parts: ['All', 'x'], authority: '127.0.0.1' }],
    ['HTTPS://packages.example:8443/All/?list', { parts: ['All'], query: 'list', authority: 'packages.example:8443' }],
    ['http://[::1]:8080//All', { parts: ['All'], repeatedSlash: true, authority: '[::1]:8080' }],
    ['http://localhost', { parts: [], trailingSlash: true, authority: 'localhost' }],
    ['http://localhost?list', { parts: [], query: 'list', authority: 'localhost' }],
  ];
  for (const [url, expected] of accepted)
    it(`${url} is decoded`, () => {
      assert.deepEqual({ ...parse(url), ...expected }, parse(url));
    });

  const refused: readonly [url: string, status: number][] = [
    ['', 400],
    ['*', 400],
    ['All/x', 400],
    ['http://', 400],
    ['http:///All/', 400],
    ['http:/All/', 400],
    ['ftp://127.0.0.1/All/', 400],
    ['http://user@localhost/', 400],
    ['http://a b/', 400],
    ['http://localhost\\@evil.example/', 400],
    ['http://localhost/../x', 404],
    ['http://localhost/%2e%2e/x', 404],
    ['/a#b', 400],
    ['/%', 400],
    ['/%4', 400],
    ['/%zz', 400],
    ['/%ff', 400],
    ['/%c0%ae%c0%ae/', 400],
    ['/%ed%a0%80', 400],
    ['/a%00b', 400],
    ['/a%0d%0ab', 400],
    ['/a%7f', 400],
    ['/a%c2%85', 400],
    ['/a\\b', 400],
    ['/a%5cb', 400],
    ['/..%5c..%5cx', 400],
    ['/a%2fb', 400],
    ['/..%2f..%2fetc/passwd', 400],
    ['/.', 404],
    ['/..', 404],
    ['/../x', 404],
    ['/All/../x', 404],
    ['/%2e%2e/x', 404],
    ['/.%2E/x', 404],
    ['/%2e/x', 404],
    ['/.indexer/table.sqlite', 404],
    ['/%2eindexer/', 404],
    ['/All/.hidden.tgz', 404],
    ['/All//.hidden', 404],
    ['/...', 404],
  ];
  for (const [url, status] of refused)
    it(`${JSON.stringify(url)} is refused with ${status}`, () => assert.throws(() => parse(url), refusedWith(status)));

  it('may have targetBytesMax bytes and no more', () => {
    const longest = `/${'a'.repeat(serverLimits.targetBytesMax - 1)}`;
    assert.equal(parse(longest).parts[0]?.length, serverLimits.targetBytesMax - 1);
    assert.throws(() => parse(`${longest}a`), refusedWith(414));
  });

  it('is refused, or every part of it is a name below the root', () => {
    const pieces = fc.constantFrom(
      '/',
      '.',
      '..',
      '%2e',
      '%2F',
      '%5c',
      '\\',
      '%00',
      '%25',
      '%',
      'a',
      'ä',
      '?',
      '#',
      '+',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(pieces, fc.string({ maxLength: 3 })), { maxLength: 12 }), (tail) => {
        try {
          assert.ok(parse(`/${tail.join('')}`).parts.every(isServedName));
        } catch (error) {
          assert.ok(error instanceof Refusal, String(error));
        }
      }),
      { numRuns: runs(2_000) },
    );
  });

  it('is what its parts are encoded to', () => {
    const name = fc
      .string({ unit: 'grapheme', minLength: 1 })
      .filter((text) => text.isWellFormed() && isServedName(text));
    fc.assert(
      fc.property(fc.array(name, { maxLength: 5 }), fc.boolean(), (parts, trailingSlash) => {
        const path = encodedPath(parts, trailingSlash);
        assert.deepEqual(parse(path).parts, parts);
        assert.ok(!path.startsWith('//'));
      }),
    );
  });
});

describe('the key of a package', () => {
  const keyOf = (url: string) => packageKeyOf(parse(url), serverLimits);

  it('is the decoded path', () => {
    assert.equal(keyOf('/All/x-1.0.tgz'), 'All/x-1.0.tgz');
    assert.equal(keyOf('/x-1.0.txz'), 'x-1.0.txz');
    assert.equal(keyOf('/a/b/c/gtk2%2b-2.24.tgz'), 'a/b/c/gtk2+-2.24.tgz');
  });

  for (const url of [
    '/',
    '/All/',
    '/All/x',
    '/All/pkg_summary.gz',
    '/All/x.tgz/',
    '/All//x.tgz',
    '//x.tgz',
    '/x.tgz?a',
  ])
    it(`is not ${url}`, () => assert.throws(() => keyOf(url), refusedWith(400)));

  for (const url of [
    '/All/pkg_summary.xz/x-1.0.tgz',
    '/All/pkg_summary.gz/All/x-1.0.tgz',
    '/pkg_summary.zst/x-1.0.tgz',
    '/All/index.html/x-1.0.tgz',
  ])
    it(`is not ${url} for an upload: the name of an index or of the page is not a directory's`, () => {
      assert.throws(() => uploadKeyOf(parse(url), serverLimits), refusedWith(400));
      assert.equal(keyOf(url), url.slice(1), 'but such a package can be removed');
    });

  it('has parts of keyPartBytesMax bytes at most', () => {
    const { keyPartBytesMax } = serverLimits;
    const longest = `${'ä'.repeat((keyPartBytesMax - 5) / 2)}x.tgz`;
    assert.equal(Buffer.byteLength(longest), keyPartBytesMax);
    assert.equal(keyOf(`/${encodeURIComponent(longest)}`), longest);
    assert.throws(() => keyOf(`/${encodeURIComponent(`x${longest}`)}`), refusedWith(400));
  });

  it('has directoriesMax directories at most', () => {
    const deepest = `${'d/'.repeat(keyLimits.directoriesMax)}x-1.0.tgz`;
    assert.equal(keyOf(`/${deepest}`), deepest);
    assert.throws(() => keyOf(`/d/${deepest}`), refusedWith(400));
  });

  it('has keyBytesMax bytes at most', () => {
    const longest = `${`${'d'.repeat(200)}/`.repeat(5)}${'x'.repeat(15)}.tgz`;
    assert.equal(longest.length, serverLimits.keyBytesMax);
    assert.equal(keyOf(`/${longest}`), longest);
    assert.throws(() => keyOf(`/${longest.replace('x', 'xx')}`), refusedWith(400));
  });
});
