/** The operations view in Debian's Chromium: `npm run test:browser`. Screenshots go to build/screenshots, to be looked at. */

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { checkConsistency } from '../../functions/check/consistency.ts';
import { countFindings } from '../../functions/check/findings.ts';
import type { RetryRequest, ServedRepository, ServiceStatus } from '../../functions/server/service-status.ts';
import { idleOperations, idleStatus, type RunningServer, startServer } from '../server/running-server.ts';
import { axeViolations } from './axe-violations.ts';
import { markup } from './sample-repository.ts';
import { eventually, narrow, ServedPages, shot, wide } from './served-pages.ts';

const now = Date.now();
const ago = (seconds: number) => new Date(now - 1000 * seconds).toISOString();

const whole: ServedRepository = {
  repository: 'SmartOS/2018Q1/x86_64/All',
  packages: 27_698,
  packageBytes: 41_234_567_890,
  totals: { rejected: 1, pending: 1 },
  rejected: [{ file: 'caddy-0.10.14.tgz', code: 'not-a-package', message: 'expected a tar file, found HTML' }],
  warnings: { 'not-installable': 3, 'name-mismatch': 1 },
  pending: ['SmartOS/2018Q1/x86_64/All/new-1.0.tgz'],
  indexes: [
    { file: 'pkg_summary.zst', published: ago(42), bytes: 4_212_345 },
    { file: 'pkg_summary.gz', published: ago(42), bytes: 6_512_345 },
  ],
  isAdopted: true,
  heldBack: { reason: 'rules', from: 27_698, to: 12_000, files: ['a-1.0.tgz', 'b-1.0.tgz'], since: ago(3_600) },
  obstructed: ['pkg_summary.zst'],
  at: ago(1),
  findings: {
    foreignArchitectures: 1,
    dependencyCycles: 1,
    missingDependencies: 2,
    missingLibraries: 1,
    duplicateNames: 1,
    duplicatePaths: 1,
  },
  report: {
    packages: 27_698,
    architecture: 'x86_64',
    systemLibraries: 31,
    foreignArchitectures: [{ architecture: 'i386', names: ['old-1.0'] }],
    dependencyCycles: [{ names: ['egg-1.0', 'hen-1.0'], length: 2, packages: 2 }],
    missingDependencies: [
      { pattern: 'libfoo>=2.1', problem: undefined, neededBy: ['app-2.0', 'app-utils-2.0'] },
      { pattern: 'x{', problem: 'unbalanced-braces', neededBy: ['odd-1'] },
    ],
    missingLibraries: [{ library: '/opt/local/lib/libgone.so.2', neededBy: ['app-2.0'] }],
    duplicateNames: [{ name: 'twice-1.0', files: ['twice-1.0.tgz', 'twice-copy.tgz'] }],
    duplicatePaths: [{ path: 'devel/lib', names: ['lib-1.9', 'lib-1.10'] }],
  },
};

const hostile: ServedRepository = {
  ...whole,
  repository: markup,
  packages: 1,
  rejected: [{ file: markup, code: markup, message: markup }],
  warnings: { [markup]: 1 },
  pending: [markup],
  isAdopted: false,
  heldBack: { reason: 'foreign-index', from: 20, to: 3, files: [markup], since: ago(60) },
  obstructed: [markup],
  report: {
    packages: 1,
    architecture: markup,
    systemLibraries: 0,
    foreignArchitectures: [{ architecture: markup, names: [markup] }],
    dependencyCycles: [{ names: [markup], length: 1, packages: 1 }],
    missingDependencies: [{ pattern: markup, problem: undefined, neededBy: [markup] }],
    missingLibraries: [{ library: markup, neededBy: [markup] }],
    duplicateNames: [{ name: markup, files: [markup, markup] }],
    duplicatePaths: [{ path: markup, names: [markup] }],
  },
};

const busy: ServiceStatus = {
  startedAt: ago(3 * 86_400),
  uptimeSeconds: 3 * 86_400,
  memoryBytes: 148_000_000,
  counts: { uploads: 311, indexed: 309, rejected: 1, removed: 12, publications: 128 },
  queue: {
    pending: 1,
    publications: 1,
    deadLetters: [{ key: 'All/unreadable-1.0.tgz', message: 'permission is denied', tries: 6, at: ago(20) }],
  },
  polled: [{ directories: 3, reason: 'no inotify watch is left', setting: 'raise fs.inotify.max_user_watches' }],
  publications: Array.from({ length: 30 }, (_, index) => ({
    repository: whole.repository,
    at: ago(42 + 97 * index),
    packages: 27_698 - index,
    bytes: 10_724_690 - 1_234 * index,
    milliseconds: 40 + ((index * 37) % 60),
    latency:
      index % 5 === 4
        ? null
        : { changes: 1 + (index % 3), medianMilliseconds: 1_100 + ((index * 331) % 900), maxMilliseconds: 2_600 },
  })),
  totals: {
    repositories: 2,
    packages: 27_703,
    packageBytes: 41_234_570_549,
    rejected: 1,
    pending: 1,
    warnings: 4,
    findings: 7,
    deadLetters: 1,
  },
  repositories: [
    {
      ...whole,
      repository: 'All',
      packages: 5,
      packageBytes: 2_659,
      totals: { rejected: 0, pending: 0 },
      rejected: [],
      warnings: {},
      pending: [],
      heldBack: null,
      obstructed: [],
      findings: countFindings(checkConsistency([])),
    },
    whole,
  ],
};

let pages: ServedPages;
let open: RunningServer;
let guarded: RunningServer;
let status: ServiceStatus;
let asked: RetryRequest[];
const cleanups: (() => Promise<void>)[] = [];

before(async () => {
  pages = await ServedPages.open();
  const cleanup = { after: (clean: () => Promise<void>) => void cleanups.push(clean) };
  const operations = {
    ...idleOperations,
    status: async () => status,
    retry: async (request: RetryRequest) => {
      asked.push(request);
      return 'key' in request ? 1 : 3;
    },
    adopt: async (repository: string) => {
      asked.push({ key: `adopt ${repository}` });
      return true;
    },
  };
  open = await startServer(cleanup, { operations });
  guarded = await startServer(cleanup, { operations, uploadToken: 'secret' });
});
after(async () => {
  for (const clean of cleanups) await clean();
  await pages?.close();
});
beforeEach(() => {
  status = busy;
  asked = [];
});

const urlOf = ({ port }: RunningServer) => `http://127.0.0.1:${port}/-/`;

async function loaded(page: Page): Promise<void> {
  await page.getByText(/^updated /).waitFor();
}

const figure = (page: Page, title: string) =>
  page.locator('.figures > div', { has: page.getByText(title, { exact: true }) }).locator('dd');

const tokenField = (page: Page) => page.getByRole('textbox', { name: 'Upload token' });

describe('the operations view', () => {
  test('shows how things are, and goes on to', async () => {
    await pages.with(urlOf(open), async (page) => {
      await loaded(page);
      assert.match((await figure(page, 'Packages').textContent()) ?? '', /^27,70341\.2 GB in 2 repositories/);
      assert.match((await figure(page, 'Rejected').textContent()) ?? '', /^14 warnings/);
      assert.match((await figure(page, 'Uptime').textContent()) ?? '', /^3 days/);
      await page.getByRole('cell', { name: 'not-a-package expected a tar file, found HTML' }).waitFor();
      await page.getByText('permission is denied').waitFor();
      await page.getByText('SmartOS/2018Q1/x86_64/All/new-1.0.tgz').waitFor();
      await page.getByText('SmartOS/2018Q1/x86_64/All/pkg_summary.zst').waitFor();
      await page.getByRole('cell', { name: 'no inotify watch is left' }).waitFor();
      await page.getByRole('cell', { name: 'raise fs.inotify.max_user_watches' }).waitFor();
      await page.getByText(/last 24 publications: median .*, longest 2\.6 s/).waitFor();
      assert.equal(await page.locator('.sparkline line').count(), 24);
      assert.equal(await page.locator('.publications tbody tr').count(), 10);
      assert.equal(
        await page.getByRole('link', { name: whole.repository }).getAttribute('href'),
        `/${whole.repository}/`,
      );

      const findings = page.locator('.findings details');
      await findings.locator('summary').click();
      assert.deepEqual(
        await findings
          .locator('h3')
          .allTextContents()
          .then((titles) => titles.map((title) => title.replace(/ \d+$/, ''))),
        [
          'Foreign architectures',
          'Dependency cycles',
          'Missing dependencies',
          'Missing libraries',
          'Duplicate package names',
          'Several versions of one package',
        ],
      );
      await page.getByText('egg-1.0 → hen-1.0 → egg-1.0').waitFor();
      await page.getByText('stops pkgin update for everyone').waitFor();
      await page.getByText('libfoo>=2.1').waitFor();
      await page.getByText('lib-1.9, lib-1.10').waitFor();
      await shot(page, 'operations');

      await page.getByRole('button', { name: 'Retry: All/unreadable-1.0.tgz' }).focus();
      status = { ...busy, uptimeSeconds: 4 * 86_400, queue: { ...busy.queue, pending: 7 } };
      await page.getByText('7 in the queue').waitFor();
      assert.equal(await findings.getAttribute('open'), '', 'what was opened stays open');
      const retry = page.getByRole('button', { name: 'Retry: All/unreadable-1.0.tgz' });
      assert.ok(await retry.evaluate((node) => node.matches(':focus')), 'what had the focus keeps it');
    });
  });

  test('asks for its token, as any page with a password does', async () => {
    const server = await startServer(
      { after: (clean) => void cleanups.push(clean) },
      {
        operations: { ...idleOperations, status: async () => status },
        views: { operations: { who: 'token', token: 'seen' } },
      },
    );
    const httpCredentials = { username: 'any', password: 'seen' };
    await pages.with(urlOf(server), loaded, { httpCredentials });
    assert.equal((await server.request('GET', '/-/status')).status, 401);
  });

  test('of a service that has nothing to do says so', async () => {
    status = idleStatus;
    await pages.with(urlOf(open), async (page) => {
      await loaded(page);
      await page.getByText('None yet: upload a package').waitFor();
      await page.getByText('None since the server started').waitFor();
      assert.equal(await page.getByRole('button', { name: /Retry/ }).count(), 0);
      await shot(page, 'operations-idle');
    });
  });

  test('shows whatever comes from a package as the text that it is', async () => {
    status = {
      ...busy,
      repositories: [hostile],
      publications: [{ ...busy.publications[0], repository: markup } as never],
    };
    status = {
      ...status,
      queue: { ...status.queue, deadLetters: [{ key: markup, message: markup, tries: 1, at: ago(1) }] },
    };
    await pages.with(urlOf(open), async (page) => {
      await loaded(page);
      await page.locator('.findings summary').click();
      assert.equal(await page.locator('main img, main script, main b, iframe').count(), 0);
      assert.ok((await page.getByText('<img').count()) >= 10);
      await shot(page, 'operations-hostile');
    });
  });

  test('says when the server cannot be reached, and goes on when it can again', async () => {
    await pages.with(urlOf(open), async (page) => {
      await loaded(page);
      await page.route('**/-/status', (route) => route.abort());
      await page.getByText('Server unreachable; the figures may be out of date').waitFor();
      await page.getByText('27,703').first().waitFor();
      await page.unroute('**/-/status');
      await loaded(page);
    });
  });

  test('without JavaScript leads to the JSON', async () => {
    await pages.with(
      urlOf(open),
      async (page) => {
        assert.equal(await page.getByRole('link', { name: '/-/status' }).getAttribute('href'), 'status');
      },
      { javaScriptEnabled: false },
    );
  });
});

describe('another try', () => {
  test('is asked for by a button, for one package or for all', async () => {
    await pages.with(urlOf(open), async (page) => {
      await loaded(page);
      await page.getByRole('button', { name: `Retry: ${whole.repository}/caddy-0.10.14.tgz` }).click();
      await page.getByText(/^retried /).waitFor();
      await page.getByRole('button', { name: /^Retry all/ }).press('Enter');
      await page.getByText('Retrying 3 packages').waitFor({ state: 'attached' });
      assert.deepEqual(asked, [{ key: `${whole.repository}/caddy-0.10.14.tgz` }, { all: true }]);
    });
  });

  test('publishes what is held back', async () => {
    await pages.with(urlOf(open), async (page) => {
      await loaded(page);
      await page.getByText(/^held back: would-shrink: from 27,698 packages to 12,000 packages/).waitFor();
      const publish = page.getByRole('button', { name: `Publish: ${whole.repository}` });
      await publish.click();
      await page.getByText(/^requested /).waitFor();
      await page.getByText('Publishing the index').waitFor({ state: 'attached' });
      assert.deepEqual(asked, [{ key: `adopt ${whole.repository}` }]);
      assert.ok(await publish.evaluate((node) => node.matches(':focus')), 'what had the focus keeps it');
    });
  });

  test('takes the token where the server has one, and asks again where it is another', async () => {
    await pages.with(urlOf(guarded), async (page) => {
      await loaded(page);
      const retry = page.getByRole('button', { name: `Retry: ${whole.repository}/caddy-0.10.14.tgz` });
      await retry.click();
      await page.getByRole('button', { name: 'Cancel' }).click();
      await retry.click();
      await tokenField(page).fill('wrong');
      await page.getByRole('button', { name: 'Continue' }).click();
      await page.getByText('The server does not accept this token.').waitFor();
      await shot(page, 'operations-token');
      assert.deepEqual(asked, []);
      await tokenField(page).fill('secret');
      await page.keyboard.press('Enter');
      await page.getByText(/^retried /).waitFor();
      await page.getByRole('button', { name: /^Retry all/ }).click();
      await eventually(async () => assert.equal(asked.length, 2, 'the token is known by now'));
    });
  });

  test('asks for the token once where two packages are tried at the same time', async () => {
    await pages.with(urlOf(guarded), async (page) => {
      await loaded(page);
      const names = [`Retry: ${whole.repository}/caddy-0.10.14.tgz`, 'Retry: All/unreadable-1.0.tgz'];
      await page
        .locator(names.map((name) => `[aria-label="${name}"]`).join())
        .evaluateAll((buttons) => buttons.map((each) => (each as { click?: () => void }).click?.()));
      await page.getByText('retrying…').nth(1).waitFor();
      await tokenField(page).fill('secret');
      await page.keyboard.press('Enter');
      await eventually(async () => assert.equal(asked.length, 2));
    });
  });

  test('cannot be asked for by a page of another site', async () => {
    pages.server.files.set('/evil/index.html', Buffer.from('<!doctype html><title>evil</title>'));
    const context = await pages.browser.newContext();
    try {
      const page = await context.newPage();
      await page.goto(`${pages.base}/evil/`);
      const outcomes = await page.evaluate(
        async (url) => {
          const body = '{"all": true}';
          const json = { 'Content-Type': 'application/json' };
          const tries: RequestInit[] = [
            { method: 'POST', body, headers: json },
            { method: 'POST', body, mode: 'no-cors' },
            { method: 'POST', body, mode: 'no-cors', headers: json },
          ];
          const outcome = (attempt: RequestInit) =>
            fetch(url, attempt).then(
              () => 'answered',
              () => 'failed',
            );
          return await Promise.all(tries.map(outcome));
        },
        `${urlOf(open)}retry`,
      );
      assert.deepEqual(outcomes, ['failed', 'failed', 'failed']);
      assert.deepEqual(asked, []);
    } finally {
      await context.close();
    }
  });
});

describe('axe finds nothing to object to', () => {
  for (const colorScheme of ['light', 'dark'] as const) {
    for (const [width, viewport] of Object.entries({ wide, narrow })) {
      test(`${colorScheme}, ${width}`, async () => {
        await pages.with(
          urlOf(guarded),
          async (page) => {
            await loaded(page);
            await page.locator('.findings summary').click();
            assert.deepEqual(await axeViolations(page), []);
            await page.locator('.page').evaluate((node) => node.scrollTo(0, 0));
            await shot(page, `operations-${colorScheme}-${width}`);
            for (const [place, name] of [
              [600, 'middle'],
              [100_000, 'end'],
            ] as const) {
              await page.locator('.page').evaluate((node, top) => node.scrollTo(0, top), place);
              await shot(page, `operations-${colorScheme}-${width}-${name}`);
            }
            const pageWidth = await page.locator('html').evaluate((node) => node.scrollWidth);
            assert.ok(pageWidth <= viewport.width, `${pageWidth} pixels in ${viewport.width}`);
            await page.getByRole('button', { name: /^Retry all/ }).click();
            await tokenField(page).waitFor();
            assert.deepEqual(await axeViolations(page), [], 'the dialog');
            status = idleStatus;
          },
          { viewport, colorScheme, reducedMotion: 'reduce', scripts: [axe.source] },
        );
      });
    }
  }
});
