/** The pages that the server renders, in Chromium: the front page, the search, a list of files, and what is not there. */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import axe from 'axe-core';
import type { RepositoryOverview } from '../../functions/server/overview.ts';
import { bundledPage } from '../page/bundled-page.ts';
import { idleOperations, type RunningServer, startServer } from '../server/running-server.ts';
import { sampleOverview } from '../server/sample-overview.ts';
import { axeViolations } from './axe-violations.ts';
import { filesOf, hostileName, markup, sampleSummary } from './sample-repository.ts';
import { narrow, ServedPages, shot, wide } from './served-pages.ts';

let pages: ServedPages;
let server: RunningServer;
const cleanups: (() => Promise<void>)[] = [];

const overview = (repository: string, more: Partial<RepositoryOverview> = {}): RepositoryOverview =>
  sampleOverview(repository, { findings: 12, ...more });

before(async () => {
  pages = await ServedPages.open();
  const overviews = [
    overview('packages/SmartOS/2026Q3/x86_64/All'),
    overview('packages/SmartOS/trunk/x86_64/All', { findings: undefined, packages: 28_112 }),
    overview('sample/All', { packages: 12, findings: 0 }),
    overview(markup.replaceAll('/', ''), { architecture: markup, published: undefined }),
  ];
  const found = [
    { repository: 'sample/All', name: 'app-2.0', comment: 'Application that shows everything' },
    { repository: 'sample/All', name: hostileName, comment: markup },
  ];
  server = await startServer(
    { after: (clean) => void cleanups.push(clean) },
    {
      operations: {
        ...idleOperations,
        overview: async () => overviews,
        search: async (text) => ({ found: text === 'nosuch' ? [] : found, isAll: true }),
      },
    },
  );
  await server.put('sample/All/pkg_summary.gz', gzipSync(sampleSummary));
  await server.put('sample/All/index.html', bundledPage.render(filesOf(sampleSummary)));
  for (const file of ['app-2.0.tgz', 'libfoo-1.0.tgz']) await server.put(`sample/All/${file}`, 'x'.repeat(12_345));
});
after(async () => {
  for (const clean of cleanups) await clean();
  await pages?.close();
});

const urlOf = (path: string) => `http://127.0.0.1:${server.port}${path}`;

describe('the front page', () => {
  test('leads to each repository, and from there back', async () => {
    await pages.with(urlOf('/'), async (page) => {
      await page.getByRole('link', { name: 'sample/All' }).click();
      await page.getByText('12 packages', { exact: true }).waitFor();
      await page.getByRole('link', { name: 'All repositories' }).click();
      await page.getByRole('heading', { name: 'Repositories' }).waitFor();
    });
  });

  test('searches all repositories, and leads to the package', async () => {
    await pages.with(urlOf('/'), async (page) => {
      await page.getByRole('searchbox').fill('app');
      await page.getByRole('searchbox').press('Enter');
      await page.getByText('2 packages with “app”').waitFor();
      await page.getByRole('link', { name: 'app-2.0' }).click();
      await page.getByRole('heading', { name: 'app 2.0' }).waitFor();
    });
  });

  test('copies its lines, and has a theme', async () => {
    await pages.with(urlOf('/'), async (page) => {
      await page.getByRole('button', { name: 'Copy the line for repositories.conf' }).first().click();
      await page
        .getByRole('button', { name: 'Copy the line for repositories.conf' })
        .first()
        .getByText(/Copied|Selected/)
        .waitFor();
      await page.getByRole('button', { name: /^Theme: system/ }).click();
      await page.locator('html[data-theme=light]').waitFor();
    });
  });

  test('works without JavaScript', async () => {
    await pages.with(
      urlOf('/'),
      async (page) => {
        await page.getByText(urlOf('/sample/All')).first().waitFor();
        await page.getByRole('searchbox').fill('app');
        await page.getByRole('searchbox').press('Enter');
        await page.getByText('2 packages with “app”').waitFor();
      },
      { javaScriptEnabled: false },
    );
  });
});

describe('axe finds nothing to object to, and nothing is wider than the screen', () => {
  const views = {
    front: '/',
    search: '/?search=app',
    nothing: '/?search=nosuch',
    files: '/sample/All/?list',
    absent: '/no/such',
  };
  for (const colorScheme of ['light', 'dark'] as const)
    for (const [width, viewport] of Object.entries({ wide, narrow }))
      test(`${colorScheme}, ${width}`, async () => {
        await pages.with(
          urlOf('/'),
          async (page) => {
            for (const [name, path] of Object.entries(views)) {
              await page.goto(urlOf(path));
              await page.getByRole('button', { name: /^Theme/ }).waitFor();
              await shot(page, `site-${name}-${colorScheme}-${width}`);
              assert.deepEqual(await axeViolations(page), [], name);
              const wider = await page.locator('html').evaluate((node) => node.scrollWidth - node.clientWidth);
              assert.ok(wider <= 0, `${name}: ${wider} px`);
            }
          },
          { viewport, colorScheme, reducedMotion: 'reduce', scripts: [axe.source] },
        );
      });
});
