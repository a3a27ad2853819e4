import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { pkgAddNames } from '../browser/pkg-add-reader.ts';
import { bundledPage } from './bundled-page.ts';

const files = ['app-2.0.tgz', 'gtk2+-2.24.tgz', 'libfoo-1.0.tbz'];

function pageOf(...given: readonly string[]): string {
  return Buffer.from(bundledPage.render(given)).toString();
}

const isPackage = (name: string) => /\.t[a-z]+$/.test(name);

describe('the page', () => {
  test('has at most 60 KB compressed, with its script and style', (context) => {
    const bytes = gzipSync(bundledPage.render([]), { level: 9 }).length;
    context.diagnostic(`${bytes} bytes`);
    assert.ok(bytes > 10_000 && bytes <= 60_000, `${bytes} bytes`);
  });

  test('is the same for the same files, and another for others', () => {
    assert.deepEqual(bundledPage.render(files), bundledPage.render([...files]));
    assert.notDeepEqual(bundledPage.render(files), bundledPage.render(files.slice(1)));
  });

  test('allows exactly its own script and style, and nothing from elsewhere', () => {
    const page = pageOf(...files);
    const [, policy = ''] = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(page) ?? [];
    const directives = new Map(
      policy.split('; ').map((each) => [each.split(' ')[0], each.split(' ').slice(1).join(' ')]),
    );
    const [, script = ''] = /<script>(.*?)<\/script>/s.exec(page) ?? [];
    const [, style = ''] = /<style>(.*?)<\/style>/s.exec(page) ?? [];
    const hashOf = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
    assert.ok(script.length > 10_000 && style.length > 1_000);
    assert.deepEqual(Object.fromEntries(directives), {
      'default-src': "'none'",
      'script-src': hashOf(script),
      'style-src': hashOf(style),
      'connect-src': "'self'",
      'worker-src': 'blob:',
      'img-src': 'data:',
      'base-uri': "'none'",
      'form-action': "'none'",
      'require-trusted-types-for': "'script'",
      'trusted-types': 'catalogue',
    });
    assert.ok(page.indexOf('Content-Security-Policy') < page.indexOf('<style>'), 'it holds only for what follows it');
    assert.equal(page.match(/<script/g)?.length, 1);
    assert.doesNotMatch(script, /\b(outerHTML|insertAdjacentHTML|document\.write|eval|Buffer|process|require)\b/);
  });

  test('is made by sources that never set markup: preact could, and the policy would refuse it', () => {
    const sources = globSync('functions/browser/**/*.{ts,tsx}', { cwd: new URL('../..', import.meta.url) });
    assert.ok(sources.length > 30, `${sources}`);
    for (const source of sources) {
      const text = readFileSync(new URL(`../../${source}`, import.meta.url), 'utf8');
      assert.doesNotMatch(text, /innerHTML/i, source);
    }
  });
});

describe('the list of links', () => {
  test('shows pkg_add every package, and nothing else that looks like one', () => {
    assert.deepEqual(pkgAddNames(pageOf(...files)).filter(isPackage), files);
    assert.deepEqual(pkgAddNames(pageOf()).filter(isPackage), []);
  });

  test('needs no more for that than the list: a page without a script gives the same', () => {
    const page = pageOf(...files);
    assert.deepEqual(pkgAddNames(page), pkgAddNames(page.replace(/<script>.*<\/script>/s, '')));
  });

  test('is valid where a name would end it', () => {
    const names = [
      '</noscript><script>alert(1)</script>-1.tgz',
      '"><b>-1.tgz',
      "a'b&amp;c-1.tgz",
      'new\nline-1.tgz',
      '%2e-1.tgz',
    ];
    const page = pageOf(...names);
    assert.deepEqual(pkgAddNames(page).filter(isPackage), names);
    assert.equal(page.match(/<\/noscript>/g)?.length, 1);
    assert.equal(page.match(/<script/g)?.length, 1);
    assert.equal(page.match(/<b>/g), null);
  });

  test('gives back whatever names went in', () => {
    const name = fc.string({ unit: 'grapheme' }).filter((each) => each.isWellFormed() && !each.includes('/'));
    fc.assert(
      fc.property(fc.array(name), (names) => {
        const given = names.map((each) => `${each}.tgz`);
        assert.deepEqual(pkgAddNames(pageOf(...given)).filter(isPackage), given);
      }),
    );
  });
});

test('the reader takes links as pkg_add does', () => {
  const cases: readonly (readonly [page: string, names: readonly string[]])[] = [
    ['<a href="x-1.tgz">x</a>', ['x-1.tgz']],
    ['<A  class="a b" HREF = "x-1.tgz">', ['x-1.tgz']],
    ['<abbr href="x-1.tgz"><ahref="y">', []],
    ["<a href='x-1.tgz'><a href=x-1.tgz>", []],
    ['<a title=">" href="x-1.tgz">', []],
    ['<a href="../x-1.tgz"><a href="/x-1.tgz"><a href="..">', []],
    ['if (a<b && c>d) x="<br"; e=">"; <a href="x%2B-1.tgz">', ['x+-1.tgz']],
    ['<a href="x-1.tgz', []],
    ['<', []],
  ];
  for (const [page, names] of cases) assert.deepEqual(pkgAddNames(page), names, page);
});
