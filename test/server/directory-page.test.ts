import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { renderDirectoryPage } from '../../functions/server/directory-page.ts';
import { pageFrame } from '../../functions/server/page-frame.ts';
import { isServedName } from '../../functions/server/request-target.ts';
import type { DirectoryEntry } from '../../functions/server/served-tree.ts';

const entry = (name: string, more: Partial<DirectoryEntry> = {}): DirectoryEntry => ({
  kind: 'file',
  name,
  size: 1_234_567,
  lastModified: new Date('2026-01-02T03:04:05Z'),
  ...more,
});

const everybody = { who: 'all' } as const;

async function render(
  entries: readonly DirectoryEntry[],
  more: { path?: string; readme?: string } = {},
): Promise<string> {
  const { path = '/All/', readme } = more;
  const site = {
    url: 'http://packages.example',
    views: { operations: everybody, metrics: everybody, health: everybody },
  };
  const frame = await pageFrame({ title: path, depth: path.split('/').length - 2, tab: 'Files', site });
  return Buffer.from(await renderDirectoryPage({ path, entries, readme, frame })).toString();
}

/** The links that pkg_add takes for files: in double quotes, and without a slash. */
function linkedNames(page: string): string[] {
  const links = [...page.matchAll(/<a\s+href="([^"]*)"/gi)].map((match) => match[1] ?? '');
  return links.filter((link) => !link.includes('/')).map((link) => decodeURIComponent(link));
}

const hostileNames = [
  '<script>alert(1)</script>.tgz',
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  'javascript:alert(1)',
  'a&amp;b.tgz',
  'a b?c#d%20.tgz',
  'gtk2+-2.24.tgz',
  'x~1.tgz',
  '\u202etxt.exe',
  'ä-1.0.tgz',
  '</style><a href="evil">',
];

describe('the page of a directory', () => {
  it('shows name, size and date', async () => {
    const page = await render([entry('x-1.0.tgz')]);
    assert.ok(
      page.includes('<a href="x-1.0.tgz"><bdi>x-1.0.tgz</bdi></a></td><td>1,234,567</td><td>2026-01-02 03:04</td>'),
    );
  });

  it('links every name, however hostile, and nothing else', async () => {
    const page = await render(
      hostileNames.map((name) => entry(name)),
      { readme: hostileNames.join('\n') },
    );
    assert.deepEqual(linkedNames(page), hostileNames);
    for (const element of ['<script>alert', '<img', '<a href="evil"', "onmouseover='"])
      assert.ok(!page.includes(element));
  });

  it('escapes the path of the directory', async () => {
    const page = await render([], { path: '/<b>/' });
    assert.ok(
      page.includes('<h1>/&lt;b&gt;/</h1>') && page.includes('<title>/&lt;b&gt;/</title>') && !page.includes('<b>'),
    );
  });

  it('gives pkg_add neither directories nor the way up', async () => {
    const page = await render([entry('All', { kind: 'directory' })]);
    assert.ok(page.includes('<a href="All/">') && page.includes('<a href="../">'));
    assert.deepEqual(linkedNames(page), []);
  });

  it('has no way up from the root', async () => assert.ok(!(await render([], { path: '/' })).includes('../')));

  it('links any name that is served so that pkg_add reads it again', () => {
    const name = fc.string({ unit: 'grapheme' }).filter((text) => text.isWellFormed() && isServedName(text));
    return fc.assert(
      fc.asyncProperty(fc.array(name), async (names) => {
        assert.deepEqual(linkedNames(await render(names.map((one) => entry(one)))), names);
      }),
    );
  });
});
