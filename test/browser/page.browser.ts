/** The package browser in Debian's Chromium: `SCREENSHOTS=DIR npm run test:browser` keeps its pictures, to be looked at. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import type { Page } from 'playwright-core';
import { inFrames, publishedAs } from './index-layouts.ts';
import { pkgAddNames } from './pkg-add-reader.ts';
import { filesOf, hostileName, markup, sampleRecords, sampleSummary } from './sample-repository.ts';
import { eventually, expectRows, heading, narrow, ServedPages, shot } from './served-pages.ts';

let pages: ServedPages;

before(async () => {
  pages = await ServedPages.open();
  const files = filesOf(sampleSummary);
  for (const [path, index] of Object.entries(layouts)) pages.serve(path, files, index);
  pages.serve('damaged', files, {
    zst: zstdCompressSync(sampleSummary).subarray(0, -40),
    gz: gzipSync(sampleSummary),
  });
  pages.serve('hopeless', files, { gz: gzipSync(sampleSummary.subarray(0, -40)) });
  pages.serve('empty', [], { gz: gzipSync('\n') });
  pages.serve('none', [], {});
});

after(async () => await pages?.close());

/** The ways in which an index may be compressed, for which the page is to make no difference. */
const layouts: Readonly<Record<string, Readonly<Record<string, Uint8Array>>>> = {
  'one-member': { gz: gzipSync(sampleSummary) },
  'many-members': { gz: inFrames(sampleSummary, 700, gzipSync) },
  'one-member-of-pieces': { gz: await publishedAs('gz', sampleSummary, 700) },
  'zst-only': { zst: zstdCompressSync(sampleSummary) },
  'zst-of-many-frames': { zst: await publishedAs('zst', sampleSummary, 700) },
};

const hashOf = (page: Page) => new URL(page.url()).hash;

test('an old version leads to the newest', async () => {
  await pages.with('sample/All/#/package/libfoo-1.9', async (page) => {
    await page.getByText('A newer version is here: libfoo-1.10').waitFor();
    await shot(page, 'old-version');
  });
});

describe('the list', () => {
  test('searches as one types, the best first, and marks what it found', async () => {
    await pages.with('sample/All/', async (page) => {
      await page.getByRole('searchbox').fill('libfoo');
      await expectRows(page, ['libfoo-1.0', 'libfoo-1.9', 'libfoo-1.10']);
      await page.getByText('3 of 12 packages').waitFor();
      assert.deepEqual(await page.locator('.sizer .row').first().locator('mark').allTextContents(), [
        'libfoo',
        'libfoo',
      ]);
      await eventually(async () => assert.equal(hashOf(page), '#/?q=libfoo'));

      await page.getByRole('searchbox').fill('Application EVERYTHING');
      await expectRows(page, ['app-2.0']);
      await page.getByRole('searchbox').fill('nothing has this');
      await page.getByText('No packages match “nothing has this”.').waitFor();
      await shot(page, 'nothing-found');
      await page.getByRole('button', { name: 'Show all packages' }).click();
      await page.getByText('12 packages', { exact: true }).waitFor();
      assert.equal(await page.getByRole('searchbox').inputValue(), '');
    });
  });

  test('offers to search in all categories where one has nothing', async () => {
    await pages.with('sample/All/#/?q=mysql&category=devel', async (page) => {
      await page.getByText('No packages in devel match “mysql”.').waitFor();
      await page.getByRole('button', { name: 'Search all categories' }).click();
      await expectRows(page, ['mysql-client-8.0']);
    });
  });

  test('opens at the search that its URL has', async () => {
    await pages.with('sample/All/#/?q=client&sort=-name', async (page) => {
      await expectRows(page, ['mysql-client-8.0', 'mariadb-client-10.6']);
      assert.equal(await page.getByRole('searchbox').inputValue(), 'client');
    });
  });

  test('sorts by each column, both ways, versions as pkgsrc compares them', async () => {
    await pages.with('sample/All/#/?category=devel', async (page) => {
      await expectRows(page, ['libfoo-1.0', 'libfoo-1.9', 'libfoo-1.10']);
      await page.getByRole('button', { name: 'Version' }).click();
      await expectRows(page, ['libfoo-1.0', 'libfoo-1.9', 'libfoo-1.10']);
      await page.getByRole('button', { name: 'Version' }).click();
      await expectRows(page, ['libfoo-1.10', 'libfoo-1.9', 'libfoo-1.0']);
      await page.locator('[role=columnheader][aria-sort=descending]', { hasText: 'Version' }).waitFor();
      assert.equal(hashOf(page), '#/?category=devel&sort=-version');

      await page.getByRole('button', { name: /Category devel: show all/ }).click();
      await page.getByRole('button', { name: 'Size' }).click();
      await eventually(async () =>
        assert.deepEqual((await page.locator('.sizer .size').allTextContents()).slice(0, 3), [
          '7.0 MB',
          '2.5 MB',
          '1.0 kB',
        ]),
      );
      await page.getByRole('button', { name: 'Built' }).click();
      await eventually(async () =>
        assert.equal(await page.locator('.sizer .built').first().textContent(), '2026-08-01'),
      );
      await page.getByRole('button', { name: 'Comment' }).click();
      await eventually(async () =>
        assert.equal(await page.locator('.sizer .comment').first().textContent(), 'About app1-1.0'),
      );
    });
  });

  test('shows the newest builds', async () => {
    await pages.with('sample/All/', async (page) => {
      await page.getByRole('link', { name: 'Newest' }).click();
      await eventually(async () => assert.equal(await page.locator('.sizer .name').first().textContent(), 'app'));
      await page.locator('nav a[aria-current=page]', { hasText: 'Newest' }).waitFor();
    });
  });

  test('filters by a category from the page of categories', async () => {
    await pages.with('sample/All/#/categories', async (page) => {
      await page.getByRole('link', { name: 'databases' }).click();
      await expectRows(page, ['mariadb-client-10.6', 'mysql-client-8.0']);
      // Of a record in Latin-1.
      await page.getByText('Größe in Latin-1').waitFor();
    });
  });
});

describe('a package', () => {
  test('has a page with all that its record says', async () => {
    await pages.with('sample/All/#/package/app-2.0', async (page) => {
      await heading(page, 'app 2.0').waitFor();
      await shot(page, 'package');
      await page.locator('section', { hasText: 'Depends on' }).last().scrollIntoViewIfNeeded();
      await shot(page, 'package-dependencies');
      assert.equal(await page.title(), 'app 2.0 · sample/All');
      const article = page.locator('article');
      for (const text of [
        'Application that shows everything',
        'And more of it.',
        'apache-2.0 OR mit',
        'inet6',
        'NetBSD',
        'oldapp-[0-9]*',
        '9.0 MB',
      ])
        await article.getByText(text, { exact: false }).first().waitFor();
      await article.getByText('With dependencies: 3 more packages, 7.0 MB.').waitFor();

      const homepage = article.getByRole('link', { name: 'https://example.org/app' });
      assert.equal(await homepage.getAttribute('href'), 'https://example.org/app');
      assert.match((await homepage.getAttribute('rel')) ?? '', /noopener/);
      assert.deepEqual(await page.locator('.command code').allTextContents(), [
        'pkgin install app',
        `pkg_add ${pages.base}/sample/All/app-2.0.tgz`,
      ]);
    });
  });

  test('can be downloaded, even with a + in its name', async () => {
    await pages.with('sample/All/#/package/gtk2%2B-2.24.33', async (page) => {
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('link', { name: /^Download/ }).click(),
      ]);
      assert.equal(download.url(), `${pages.base}/sample/All/gtk2%2B-2.24.33.tgz`);
      assert.equal(readFileSync(await download.path(), 'utf8'), 'the bytes of gtk2+-2.24.33.tgz');
    });
  });

  test('leads to what it depends on, from there to what needs that, and back', async () => {
    await pages.with('sample/All/#/package/app-2.0', async (page) => {
      await heading(page, 'app 2.0').waitFor();
      const dependencies = page.locator('section', { hasText: 'Depends on' }).locator('li');
      assert.deepEqual(await dependencies.locator('a, strong').allTextContents(), [
        'libfoo-1.10',
        'mariadb-client-10.6',
        'missing',
        'libfoo-1.10',
        'gtk2+-2.24.33',
      ]);
      const missing = dependencies.filter({ hasText: 'nosuch>=3.1' });
      assert.match((await missing.textContent()) ?? '', /missing.*no package here matches/);
      assert.equal(await missing.getByRole('link').count(), 0);

      await dependencies.getByRole('link', { name: 'libfoo-1.10' }).first().click();
      await heading(page, 'libfoo 1.10').waitFor();
      const neededBy = page.locator('section', { hasText: 'Needed by' });
      await neededBy.getByRole('link', { name: 'gtk2+-2.24.33' }).click();
      await heading(page, 'gtk2+ 2.24.33').waitFor();
      await page.goBack();
      await heading(page, 'libfoo 1.10').waitFor();
    });
  });

  test('shows libraries and conflicts with the packages that they lead to', async () => {
    await pages.with('sample/All/#/package/app-2.0', async (page) => {
      await page.getByText('Requires libraries').click();
      const libraries = page.locator('details', { hasText: 'Requires libraries' }).locator('.dependencies > li');
      await libraries.filter({ hasText: 'libfoo.so.1' }).getByRole('link', { name: 'libfoo-1.10' }).waitFor();
      await libraries.filter({ hasText: 'libgone.so.2' }).getByText('missing: no package here provides it').waitFor();
      await libraries.filter({ hasText: 'libc.so.12' }).getByText('part of the system').waitFor();
      const conflicts = page.locator('section', { hasText: 'Conflicts with' }).last();
      await conflicts.getByRole('link', { name: 'app1-1.0' }).waitFor();
    });
  });

  test('copies the lines that install it', async () => {
    await pages.with(
      'sample/All/#/package/app-2.0',
      async (page) => {
        await page.getByRole('button', { name: 'Copy the pkgin command' }).click();
        await page.getByText('Copied').waitFor();
        const copied = () =>
          page.evaluate(() =>
            (globalThis.navigator as unknown as { clipboard: { readText(): Promise<string> } }).clipboard.readText(),
          );
        assert.equal(await copied(), 'pkgin install app');
      },
      { permissions: ['clipboard-read', 'clipboard-write'] },
    );
  });

  test('that pkgin cannot install says so, and why', async () => {
    await pages.with('sample/All/#/package/twice-copy.tgz', async (page) => {
      await page.getByText('pkgin cannot install this package').waitFor();
      assert.deepEqual(await page.locator('.warnings code').allTextContents(), ['name-mismatch', 'duplicate-pkgname']);
    });
  });

  test('that is gone leads to its newest version, or to a search', async () => {
    await pages.with('sample/All/#/package/libfoo-0.5', async (page) => {
      await heading(page, 'Package not found').waitFor();
      await page.getByRole('link', { name: 'libfoo-1.10' }).click();
      await heading(page, 'libfoo 1.10').waitFor();
      await page.goto(`${pages.base}/sample/All/#/package/libfo-1.0`);
      await page.getByRole('link', { name: 'Search for similar names' }).click();
      await expectRows(page, ['libfoo-1.0', 'libfoo-1.9', 'libfoo-1.10']);
    });
  });
});

test('the repository has its figures and its consistency report', async () => {
  await pages.with('sample/All/#/repository', async (page) => {
    await heading(page, 'Repository').waitFor();
    assert.deepEqual(await page.locator('.figures dt').allTextContents(), [
      'Packages',
      'Total size',
      'Last publication',
      'Foreign architectures',
      'Missing dependencies',
    ]);
    assert.match(
      (await page.locator('.figures').textContent()) ?? '',
      /Packages12.*Total size9\.5 MB.*2 hours ago.*Foreign architectures1Missing dependencies3/,
    );
    await page.getByRole('button', { name: 'Copy the line for repositories.conf' }).waitFor();
    assert.deepEqual(await page.locator('.command code').allTextContents(), [
      `${pages.base}/sample/All`,
      `export PKG_PATH=${pages.base}/sample/All`,
    ]);
    await shot(page, 'repository-sample');
    await page.locator('.figures').getByRole('button', { name: '3' }).click();
    await shot(page, 'findings');
    await page.locator('details[open] li', { hasText: 'nosuch>=3.1' }).getByRole('link', { name: 'app-2.0' }).waitFor();
    await page.locator('details[open] li', { hasText: 'No package can match: unbalanced braces.' }).waitFor();
    await page.locator('.figures').getByRole('button', { name: '1' }).click();
    await page.locator('details.foreignArchitectures[open]').getByText('stops pkgin update for everyone').waitFor();
    for (const title of [
      'Missing libraries',
      'Duplicate package names',
      'Several versions of one package',
      'Packages with warnings',
    ])
      await page.getByText(title).click();
    await page.getByText('twice-1.0.tgz, twice-copy.tgz').waitFor();
    await page.locator('.bars').getByRole('link', { name: 'devel' }).click();
    await expectRows(page, ['libfoo-1.0', 'libfoo-1.9', 'libfoo-1.10']);
  });
});

test('one gzip member, many of them, one of many pieces, zst only, and zst of many frames show the same', async () => {
  const shown: string[] = [];
  for (const path of Object.keys(layouts)) {
    const texts: string[] = [];
    for (const hash of ['#/', '#/package/app-2.0', '#/package/zlast-alpha', '#/categories', '#/repository']) {
      await pages.with(`${path}/${hash}`, async (page) => {
        await page.locator(hash === '#/' ? '.sizer .row >> nth=11' : 'article h1').waitFor();
        texts.push(((await page.locator('main').textContent()) ?? '').replaceAll(`/${path}`, '/here'));
      });
    }
    shown.push(texts.join('\n'));
  }
  assert.equal(shown.length, 5);
  assert.match(shown[0] ?? '', /nosuch>=3\.1/);
  for (const other of shown.slice(1)) assert.equal(other, shown[0]);
});

test('the keyboard alone does it all', async () => {
  await pages.with('sample/All/', async (page) => {
    await page.getByText('12 packages', { exact: true }).waitFor();
    const expectFocus = (selector: string) => page.locator(`${selector}:focus`).waitFor();
    await page.keyboard.press('/');
    await expectFocus('#search');
    // Nothing was searched for: there is no best match to open.
    await page.keyboard.press('Enter');
    assert.equal(hashOf(page), '');
    await page.keyboard.type('libfoo');
    await expectRows(page, ['libfoo-1.0', 'libfoo-1.9', 'libfoo-1.10']);
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await expectFocus('a[href="#/package/libfoo-1.9"]');
    await page.keyboard.press('End');
    await expectFocus('a[href="#/package/libfoo-1.10"]');
    await page.keyboard.press('Enter');
    await heading(page, 'libfoo 1.10').waitFor();
    await shot(page, 'keyboard-package');
    await expectFocus('h1');

    await page.keyboard.press('Escape');
    await expectFocus('a[href="#/package/libfoo-1.10"]');
    await expectRows(page, ['libfoo-1.0', 'libfoo-1.9', 'libfoo-1.10']);
    await shot(page, 'keyboard-list');
    await page.keyboard.press('Home');
    await page.keyboard.press('ArrowUp');
    await expectFocus('#search');
    await page.keyboard.press('Escape');
    await page.getByText('12 packages', { exact: true }).waitFor();

    // Enter opens what was found first.
    await page.keyboard.type('mysql');
    await expectRows(page, ['mysql-client-8.0']);
    await page.keyboard.press('Enter');
    await heading(page, 'mysql-client 8.0').waitFor();

    // Tab reaches the header's links, one row of the list, and nothing in between that a reader does not see.
    await page.keyboard.press('Escape');
    await expectFocus('.sizer a');
    await page.keyboard.press('/');
    const reached: string[] = [];
    for (let tab = 0; tab < 12; tab += 1) {
      await page.keyboard.press('Tab');
      reached.push((await page.locator(':focus').textContent()) ?? '');
    }
    assert.deepEqual(reached.slice(0, 5), ['Packages', 'Newest', 'Categories', 'Repository', '◐']);
    assert.equal(reached.filter((text) => text === 'mysql-client').length, 1);
  });
});

test('dark where the system is, or where somebody chooses so, and it stays', async () => {
  const lightness = async (page: Page) => {
    const colour = await page
      .locator('body')
      .evaluate((node) => node.ownerDocument.defaultView.getComputedStyle(node).backgroundColor);
    return Number(/\d+/.exec(colour)?.[0]);
  };
  await pages.with(
    'sample/All/',
    async (page) => {
      await page.getByText('12 packages', { exact: true }).waitFor();
      assert.ok((await lightness(page)) < 60);
      await shot(page, 'list-dark');
      const colours = page.getByRole('button', { name: /^Theme/ });
      await colours.click();
      assert.ok((await lightness(page)) > 200, 'light was chosen');
      await page.reload();
      assert.ok((await lightness(page)) > 200, 'and stays');
      await colours.click();
      assert.ok((await lightness(page)) < 60);
    },
    { colorScheme: 'dark' },
  );
});

test('a narrow screen shows everything without scrolling sideways', async () => {
  await pages.with(
    'sample/All/',
    async (page) => {
      for (const [name, hash] of [
        ['list', '#/'],
        ['package', '#/package/app-2.0'],
        ['hostile', `#/package/${encodeURIComponent(hostileName)}`],
        ['categories', '#/categories'],
        ['repository', '#/repository'],
      ] as const) {
        await page.goto(`${pages.base}/sample/All/${hash}`);
        await page.locator(name === 'list' ? '.sizer .row >> nth=3' : 'article h1').waitFor();
        await shot(page, `narrow-${name}`);
        for (const selector of ['html', name === 'list' ? '.rows' : '.page']) {
          const [needed, present] = await page
            .locator(selector)
            .evaluate((node) => [node.scrollWidth, node.clientWidth]);
          assert.ok(needed <= present, `${name}: ${selector} needs ${needed} of ${present} pixels`);
        }
      }
      await page.goto(`${pages.base}/sample/All/#/`);
      await page.getByLabel('Sort').selectOption('Largest first');
      await eventually(async () => assert.equal(await page.locator('.sizer .name').first().textContent(), 'gtk2+'));
    },
    { viewport: narrow, hasTouch: true, isMobile: true },
  );
});

test('without JavaScript there is a plain list of links, to every package; pkg_add reads the same', async () => {
  await pages.with(
    'sample/All/',
    async (page) => {
      await shot(page, 'no-javascript');
      const links = page.getByRole('link');
      assert.deepEqual(await links.allTextContents(), filesOf(sampleSummary));
      const references = await links.evaluateAll((nodes) => nodes.map((node) => node.href));
      for (const reference of references) {
        const response = await page.request.get(reference);
        assert.equal(response.status(), 200, reference);
      }
      const source = await (await page.request.get(`${pages.base}/sample/All/`)).text();
      assert.deepEqual(
        pkgAddNames(source).filter((name) => name.endsWith('.tgz')),
        filesOf(sampleSummary),
      );
    },
    { javaScriptEnabled: false },
  );
});

test('a hostile record is shown as the text that it is, in every view', async () => {
  await pages.with('sample/All/', async (page) => {
    const views = [
      '#/?q=hostile',
      `#/?category=${encodeURIComponent(markup.split(' ')[0] ?? '')}`,
      `#/package/${encodeURIComponent(hostileName)}`,
      `#/package/${encodeURIComponent(markup)}`,
      '#/package/libfoo-1.10',
      '#/categories',
      '#/repository',
    ];
    for (const [number, hash] of views.entries()) {
      await page.goto(`${pages.base}/sample/All/${hash}`);
      await page.locator('.sizer .row:visible, article h1').first().waitFor();
      for (const details of await page.locator('details').all()) await details.locator('summary').click();
      assert.equal(await page.locator('img, main script, main b, main style, iframe').count(), 0, hash);
      assert.equal(await page.locator('a[href^="javascript"]').count(), 0, hash);
      if (hash !== '#/package/libfoo-1.10') await page.getByText('<img').filter({ visible: true }).first().waitFor();
      await shot(page, `hostile-${number}`);
    }
    await page.goto(`${pages.base}/sample/All/#/package/${encodeURIComponent(hostileName)}`);
    await page.locator('dd', { hasText: 'javascript:alert(4)' }).waitFor();
    await page.getByText('unbalanced braces').waitFor();
    assert.match((await page.locator('.command code').last().textContent()) ?? '', /^pkg_add .*%3Cimg%20src%3Dx/);
    assert.ok(!pages.server.requested.some((path) => path.includes('stolen')));
  });
});

describe('an index that is not as it should be', () => {
  test('damaged: the next one is taken', async () => {
    await pages.with('damaged/', async (page) => {
      await page.getByText('12 packages', { exact: true }).waitFor();
      assert.equal(await page.locator('.sizer .row').count(), sampleRecords.length);
    });
  });

  test('cut off: the page says so, rather than show some of the packages', async () => {
    await pages.with('hopeless/', async (page) => {
      await page.getByText('The index of this repository cannot be read.').waitFor();
      await page.getByText(/pkg_summary.gz: .*(cut off|unexpected EOF)/).waitFor();
      await shot(page, 'cut-off');
    });
  });

  test('absent: the page says what is missing', async () => {
    await pages.with('none/', async (page) => {
      await page.getByText('This repository has no index (pkg_summary.zst or pkg_summary.gz) yet.').waitFor();
      await shot(page, 'no-index');
    });
  });

  test('of an empty repository: there are no packages, and that is all', async () => {
    await pages.with('empty/', async (page) => {
      await page.getByText('This repository has no packages yet.').waitFor();
      await page.getByRole('link', { name: 'Repository' }).click();
      await page.getByText('None: no dependency or library is missing').waitFor();
      await shot(page, 'empty-repository');
    });
  });

  test('older than the one published since: the page offers that', async () => {
    pages.serve('changing', [], { gz: gzipSync(sampleSummary) });
    await pages.with('changing/', async (page) => {
      await page.getByText('12 packages', { exact: true }).waitFor();
      const comeBack = async () => {
        await page.clock.fastForward(60_000);
        await page.locator('html').dispatchEvent('visibilitychange', { bubbles: true });
      };
      await page.clock.install();
      await comeBack();
      assert.equal(await page.getByText('A newer index is available').count(), 0);
      pages.serve('changing', [], { gz: gzipSync(Buffer.from(sampleRecords.slice(1).join(''))) });
      await comeBack();
      await page.getByRole('button', { name: 'Reload' }).click();
      await page.getByText('11 packages', { exact: true }).waitFor();
    });
  });
});
