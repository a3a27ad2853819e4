/** The package browser with as many packages as pkgsrc has, and how long everything takes. */

import assert from 'node:assert/strict';
import { after, before, type TestContext, test } from 'node:test';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { Page } from 'playwright-core';
import { filesOf, largeSummary, realisticIndex } from './sample-repository.ts';
import { heading, ServedPages, shot } from './served-pages.ts';

/** Milliseconds since the navigation began. */
interface Timings {
  readonly load: number;
  readonly firstRow: number;
  readonly whole: number;
  /** Of each key: until the list shows what it finds, in the next frame. */
  readonly keys: number[];
  /** Of every task that kept the page from doing anything else for more than 50 ms. */
  readonly longTasks: number[];
}

const noteTimings = `
  globalThis.timings = { keys: [], longTasks: [] };
  new PerformanceObserver((list) => timings.longTasks.push(...list.getEntries().map(({ duration }) => duration)))
    .observe({ type: 'longtask', buffered: true });
  addEventListener('load', () => { timings.load = performance.now(); });
  new MutationObserver(() => {
    if (document.querySelector('.sizer .row')) timings.firstRow ??= performance.now();
    if (/^[0-9,]+ packages$/.test(document.querySelector('.found')?.textContent)) timings.whole ??= performance.now();
  }).observe(document, { subtree: true, childList: true, characterData: true });
  addEventListener('input', () => {
    const began = performance.now();
    requestAnimationFrame(() => setTimeout(() => timings.keys.push(performance.now() - began)));
  }, { capture: true });
`;

let pages: ServedPages;

before(async () => {
  pages = await ServedPages.open();
});

after(async () => await pages?.close());

test('27,699 packages: there at once, and typing is never held up', async (context) => {
  const found = realisticIndex();
  if (found === undefined) context.diagnostic('../shared/data is absent: the packages are made up');
  const summary = found === undefined ? largeSummary(27_699) : zstdDecompressSync(found);
  pages.serve('large', filesOf(summary), { zst: zstdCompressSync(summary) });
  await pages.with(
    'large/',
    async (page) => {
      await page.getByText('27,699 packages', { exact: true }).waitFor();
      await shot(page, 'list');
      assert.ok((await page.locator('.sizer .row').count()) < 60, 'only the rows in sight are there');

      const processorTime = await processorClock(page);
      await page.getByRole('searchbox').pressSequentially('perl json', { delay: 40 });
      await page.getByText(/of 27,699 packages/).waitFor();
      const millisecondsPerKey = (await processorTime()) / 'perl json'.length;
      await shot(page, 'search');
      await page.getByRole('searchbox').fill('');
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('End');
      await page.locator('[aria-rowindex="27700"] a:focus').waitFor();
      await page.keyboard.press('Home');
      await page.locator('[aria-rowindex="2"] a:focus').waitFor();

      const timings = await page.evaluate(() => (globalThis as unknown as { timings: Timings }).timings);
      report(context, timings, millisecondsPerKey);
      await page.goto(`${pages.base}/large/#/repository`);
      await heading(page, 'Repository').waitFor();
      await shot(page, 'repository');
      await page.goto(`${pages.base}/large/#/categories`);
      await page.locator('.categories-view').waitFor();
      await shot(page, 'categories');
      await page.goto(`${pages.base}/large/#/repository`);
      await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' });
      await heading(page, 'Repository').waitFor();
      await shot(page, 'repository-dark');
    },
    { scripts: [noteTimings] },
  );
});

/** @returns what tells how many milliseconds the page itself has computed since: others on this machine make no difference. */
async function processorClock(page: Page): Promise<() => Promise<number>> {
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  const read = async () => {
    const { metrics } = await session.send('Performance.getMetrics');
    return 1_000 * (metrics.find(({ name }) => name === 'TaskDuration')?.value ?? Number.NaN);
  };
  const began = await read();
  return async () => (await read()) - began;
}

/** What is printed is for an idle machine; the limits hold on one that has other things to do as well. */
function report(
  context: TestContext,
  { load, firstRow, whole, keys, longTasks }: Timings,
  millisecondsPerKey: number,
): void {
  const text = (milliseconds: number) => `${milliseconds.toFixed(0)} ms`;
  const sorted = keys.toSorted((left, right) => left - right);
  const median = sorted[sorted.length >> 1] ?? Number.NaN;
  context.diagnostic(
    `load ${text(load)}, first packages ${text(firstRow - load)} after it, all of them ${text(whole - load)} after it`,
  );
  context.diagnostic(
    `typing: ${text(millisecondsPerKey)} of computing per key; until the next frame: median ${text(median)}, slowest ${text(sorted.at(-1) ?? 0)}`,
  );
  context.diagnostic(`tasks over 50 ms: ${longTasks.length}, the longest ${text(Math.max(0, ...longTasks))}`);
  assert.ok(keys.length >= 9);
  assert.ok(firstRow - load < 2_000, `first packages ${text(firstRow - load)} after load`);
  assert.ok(median < 200, `a key took ${text(median)}`);
  assert.ok(millisecondsPerKey < 50, `a key took ${text(millisecondsPerKey)} of computing`);
}
