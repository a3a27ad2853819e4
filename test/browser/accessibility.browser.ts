/** What axe, which looks for what keeps people out, says of every view. */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import axe from 'axe-core';
import { bundledPage } from '../page/bundled-page.ts';
import { axeViolations } from './axe-violations.ts';
import { filesOf, hostileName, sampleSummary } from './sample-repository.ts';
import { narrow, ServedPages, wide } from './served-pages.ts';

let pages: ServedPages;

before(async () => {
  pages = await ServedPages.open();
  pages.serve('none', [], {});
});

after(async () => await pages?.close());

describe('axe finds nothing to object to', () => {
  const views = [
    ['list', '#/'],
    ['search', '#/?q=libfoo'],
    ['nothing found', '#/?q=nosuchthing'],
    ['package', '#/package/app-2.0'],
    ['warnings', '#/package/twice-copy.tgz'],
    ['hostile package', `#/package/${encodeURIComponent(hostileName)}`],
    ['no such package', '#/package/none'],
    ['categories', '#/categories'],
    ['repository', '#/repository'],
  ] as const;
  for (const colorScheme of ['light', 'dark'] as const) {
    for (const [width, viewport] of Object.entries({ wide, narrow })) {
      test(`${colorScheme}, ${width}`, async () => {
        await pages.with(
          'sample/All/',
          async (page) => {
            for (const [name, hash] of views) {
              await page.goto(`${pages.base}/sample/All/${hash}`);
              await page.locator('.sizer .row:visible, .empty:visible, article h1').first().waitFor();
              for (const details of await page.locator('details').all()) await details.locator('summary').click();
              assert.deepEqual(await axeViolations(page), [], name);
            }
            await page.goto(`${pages.base}/none/`);
            await page.locator('.notice h1').waitFor();
            assert.deepEqual(await axeViolations(page), [], 'no index');
          },
          { viewport, colorScheme, reducedMotion: 'reduce', scripts: [axe.source] },
        );
      });
    }
  }

  test('without JavaScript', async () => {
    // axe is a script itself: it looks at the same markup where scripts run.
    const context = await pages.browser.newContext({ viewport: wide });
    try {
      const page = await context.newPage();
      await page.addInitScript({ content: axe.source });
      const listing = Buffer.from(bundledPage.render(filesOf(sampleSummary)))
        .toString()
        .replace(/<script>.*<\/script>/s, '')
        .replaceAll(/<\/?noscript>/g, '');
      pages.server.files.set('/plain/index.html', Buffer.from(listing));
      await page.goto(`${pages.base}/plain/`);
      assert.deepEqual(await axeViolations(page), []);
    } finally {
      await context.close();
    }
  });
});
