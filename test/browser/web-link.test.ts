import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sourceLink, webLink } from '../../functions/browser/packages/web-link.ts';

test('homepages on the web become links', () => {
  assert.equal(webLink('http://example.org/'), 'http://example.org/');
  assert.equal(webLink('HTTPS://example.org/a b'), 'https://example.org/a%20b');
});

test('nothing else does', () => {
  for (const homepage of [
    '',
    'example.org',
    '//example.org/',
    'javascript:alert(1)',
    'JavaScript://example.org/%0aalert(1)',
    ' javascript:alert(1)',
    'java\tscript:alert(1)',
    'data:text/html,<script>alert(1)</script>',
    'vbscript:x',
    'file:///etc/passwd',
    'ftp://example.org/',
    'blob:https://example.org/x',
    'http://',
    'http:// /',
  ]) {
    assert.equal(webLink(homepage), undefined, homepage);
  }
});

test('a PKGPATH leads to its source, and nothing else does', () => {
  assert.equal(sourceLink('www/firefox'), 'https://github.com/NetBSD/pkgsrc/tree/trunk/www/firefox');
  assert.equal(sourceLink('x11/gtk2+'), 'https://github.com/NetBSD/pkgsrc/tree/trunk/x11/gtk2+');
  for (const path of ['', 'firefox', '../../x', 'www/..', 'a/b/c', '/a/b', 'a/b?c', 'a b/c', 'https://x/y', '<b>/x'])
    assert.equal(sourceLink(path), undefined, path);
});
