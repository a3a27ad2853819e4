/** How the list of packages and the figures look with few packages, equal names and one build date. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { Page } from 'playwright-core';
import { filesOf, packageRecord } from './sample-repository.ts';
import { eventually, ServedPages } from './served-pages.ts';

let pages: ServedPages;

before(async () => {
  pages = await ServedPages.open();
  for (const [path, count] of [
    ['few', 3],
    ['many', 400],
  ] as const) {
    const names = Array.from({ length: count }, (_, number) => `package${number}-1.0`);
    const summary = Buffer.from(names.map((name) => packageRecord(name)).join(''));
    pages.serve(path, filesOf(summary), { gz: gzipSync(summary) });
  }
});

after(async () => await pages?.close());

/** Pixels. */
const scrollBarWidth =
  "(({ offsetWidth, clientWidth }) => offsetWidth - clientWidth)(document.querySelector('.sizer').parentElement)";

async function boxOf(page: Page, selector: string) {
  return (await page.locator(selector).boundingBox()) ?? assert.fail(`${selector} is not shown`);
}

test('packages with one PKGNAME show their files', async () => {
  await pages.with('sample/All/', async (page) => {
    await page.getByRole('searchbox').fill('twice');
    await eventually(async () =>
      assert.deepEqual((await page.locator('.sizer .row code').allTextContents()).map((file) => file.trim()).sort(), [
        'twice-1.0.tgz',
        'twice-copy.tgz',
      ]),
    );
  });
});

test('the tab of the list is marked while it is searched', async () => {
  await pages.with('sample/All/', async (page) => {
    await page.getByRole('searchbox').fill('libfoo');
    await page.getByText('3 of 12 packages').waitFor();
    assert.deepEqual(await page.locator('nav a[aria-current=page]').allTextContents(), ['Packages']);
  });
});

test('a list of few packages ends below its last row', async () => {
  await pages.with('few/', async (page) => {
    await page.getByText('3 packages', { exact: true }).waitFor();
    const [table, last] = [await boxOf(page, '.table'), await boxOf(page, '.sizer .row:last-child')];
    const below = table.y + table.height - (last.y + last.height);
    assert.ok(below >= 0 && below < 5, `${below} px`);
  });
});

for (const path of ['few/', 'many/'])
  test(`rows are as wide as the list: ${path}`, async () => {
    await pages.with(path, async (page) => {
      await page.locator('.sizer .row').first().waitFor();
      const [table, row] = [await boxOf(page, '.table'), await boxOf(page, '.sizer .row >> nth=0')];
      const scrollBar = (await page.evaluate(scrollBarWidth)) as number;
      const missing = table.width - row.width - scrollBar;
      assert.ok(missing >= 0 && missing <= 2, `${missing} px beside a scroll bar of ${scrollBar} px`);
    });
  });

test('one build date is a sentence, and no chart', async () => {
  await pages.with('few/#/repository', async (page) => {
    await page.getByText(/^All 3 packages: .*2026/).waitFor();
    assert.equal(await page.locator('.columns-chart').count(), 0);
  });
});
