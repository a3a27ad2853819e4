import assert from 'node:assert/strict';
import { test } from 'node:test';
import { webLink } from '../../functions/browser/packages/web-link.ts';

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
