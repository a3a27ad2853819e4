/** Chromium with pages that are served from memory, for the tests of the package browser. */

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { type Browser, type BrowserContextOptions, chromium, type Locator, type Page } from 'playwright-core';
import { bundledPage } from '../page/bundled-page.ts';
import { PageServer } from './page-server.ts';
import { filesOf, sampleSummary } from './sample-repository.ts';

/** Debian's. */
const executablePath = '/usr/bin/chromium';

/** Where screenshots go: made by the first one. */
let screenshots: string | undefined;

export const wide = { width: 1280, height: 800 };
export const narrow = { width: 360, height: 740 };

/** The page's policy is broken without anybody seeing it: this notes it. */
const noteViolations = `
  globalThis.violations = [];
  addEventListener('securitypolicyviolation', ({ violatedDirective, sample }) => violations.push(violatedDirective + ' ' + sample));
`;

export interface PageOptions extends BrowserContextOptions {
  /** Run in the page before its own. */
  readonly scripts?: readonly string[];
}

export class ServedPages {
  readonly server: PageServer;
  /** Where the server is, without a slash at the end. */
  readonly base: string;
  readonly browser: Browser;

  /** With the sample repository at `/sample/All/`. */
  static async open(): Promise<ServedPages> {
    assert.ok(
      existsSync(executablePath),
      `expected ${executablePath}: apt-get install -y --no-install-recommends chromium`,
    );
    const server = new PageServer();
    const base = await server.listen();
    const args = ['no-sandbox', 'disable-gpu', 'disable-quic', 'no-first-run', 'disable-background-networking'];
    const browser = await chromium.launch({
      executablePath,
      args: [...args, 'disable-component-update', 'disable-sync'].map((name) => `--${name}`),
    });
    const pages = new ServedPages(server, base, browser);
    const files = filesOf(sampleSummary);
    pages.serve('sample/All', files, { gz: gzipSync(sampleSummary), zst: zstdCompressSync(sampleSummary) });
    for (const file of files) server.files.set(`/sample/All/${file}`, Buffer.from(`the bytes of ${file}`));
    return pages;
  }

  private constructor(server: PageServer, base: string, browser: Browser) {
    this.server = server;
    this.base = base;
    this.browser = browser;
  }

  async close(): Promise<void> {
    await this.browser.close();
    await this.server.close();
    if (screenshots !== undefined) console.log(`Screenshots, to be looked at: ${screenshots}`);
  }

  /** A repository: the page that lists these files, and indexes by their suffixes. */
  serve(path: string, files: readonly string[], indexes: Readonly<Record<string, Uint8Array>>): void {
    this.server.files.set(`/${path}/index.html`, bundledPage.render(files));
    for (const [suffix, index] of Object.entries(indexes)) {
      this.server.files.set(`/${path}/pkg_summary.${suffix}`, index);
    }
  }

  /** Opens a page, by its path here or its URL, and afterwards makes sure that nothing went wrong in it: no error, no dialog, no violation of its policy. */
  async with(
    path: string,
    act: (page: Page) => Promise<void>,
    { scripts = [], ...options }: PageOptions = {},
  ): Promise<void> {
    const context = await this.browser.newContext({ viewport: wide, ...options });
    try {
      const page = await context.newPage();
      page.setDefaultTimeout(30_000);
      const troubles = watchTroubles(page);
      for (const content of [noteViolations, ...scripts]) await page.addInitScript({ content });
      await page.goto(new URL(path, `${this.base}/`).href);
      await act(page);
      if (options.javaScriptEnabled !== false) {
        const violations = await page.evaluate(() => (globalThis as unknown as { violations: string[] }).violations);
        assert.deepEqual([...troubles, ...violations], []);
      }
    } finally {
      await context.close();
    }
  }
}

/** Into the directory that the environment's SCREENSHOTS names, or into a new one. */
export async function shot(page: Page, name: string): Promise<void> {
  screenshots ??= process.env.SCREENSHOTS ?? mkdtempSync(join(tmpdir(), 'screenshots-'));
  mkdirSync(screenshots, { recursive: true });
  await page.screenshot({ path: join(screenshots, `${name}.png`), animations: 'disabled' });
}

/** Waits until the list shows exactly these packages, from its first row. */
export async function expectRows(page: Page, names: readonly string[]): Promise<void> {
  const shown = async () => {
    const rows = await page.locator('.sizer .row').all();
    const texts = await Promise.all(rows.map((row) => row.locator('.name, .version').allTextContents()));
    return texts.map(([base = '', version = '']) => `${base}-${version}`);
  };
  await eventually(async () => assert.deepEqual(await shown(), names));
}

/** @throws what it threw last, once ten seconds have passed. */
export async function eventually(check: () => Promise<void>): Promise<void> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** The heading of a view. */
export function heading(page: Page, text: string): Locator {
  return page.getByRole('heading', { level: 1, name: text, exact: true });
}

function watchTroubles(page: Page): string[] {
  const troubles: string[] = [];
  page.on('pageerror', (error) => troubles.push(`error: ${error.message}`));
  page.on('dialog', (dialog) => {
    troubles.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('console', (message) => {
    const isAbsence = message.text().startsWith('Failed to load resource');
    if (message.type() === 'error' && !isAbsence) troubles.push(`console: ${message.text()}`);
  });
  return troubles;
}
