/** What is around every page that the server renders itself: functions/browser/site, in the style of the package browser. */

import { html, raw } from 'hono/html';
import { sitePage } from '../adapters/pages.ts';
import type { Site } from './site.ts';

export interface PageFrame {
  readonly before: string;
  readonly after: string;
  /** Content-Security-Policy. */
  readonly policy: string;
}

interface FrameOptions {
  readonly title: string;
  /** Directories between the page's URL and the root. */
  readonly depth: number;
  readonly tab?: 'Repositories' | 'Files';
  readonly search?: string;
  readonly site: Pick<Site, 'url' | 'views'>;
}

export async function pageFrame({ title, depth, tab, search = '', site }: FrameOptions): Promise<PageFrame> {
  const { html: template, policy } = await sitePage();
  const up = wayUp(depth);
  const header = html`<a class="skip" href='#main'>Skip to content</a>
<header class="top">
<div class="brand"><a href="${up}/?repositories">${new URL(site.url).host}</a></div>
<search><form action="${up}/"><input id="search" type="search" name="search" value="${search}" placeholder="Search all repositories" aria-label="Search all repositories by package name" autocomplete="off" autocapitalize="off" spellcheck="false" maxlength="200" required></form></search>
<nav aria-label="Views">${tabsOf(site).map(
    ([name, path]) => html`<a href="${up}/${path}"${raw(name === tab ? ' aria-current="page"' : '')}>${name}</a>`,
  )}</nav>
<span id="theme"></span>
</header>
<main id="main" tabindex="-1"><div class="page"><div>
`;
  const titled = template.replace('{{title}}', () => String(html`${title}`));
  const [before = '', after = ''] = titled.split('{{content}}');
  return { before: before + header, after: `</div></div></main>${after}`, policy };
}

/** `.` at the root, otherwise `../..`: links are relative, so that they lead to the right place behind any proxy. */
export function wayUp(depth: number): string {
  return depth === 0 ? '.' : Array.from({ length: depth }, () => '..').join('/');
}

function tabsOf({ views }: Pick<Site, 'views'>): [name: string, path: string][] {
  return [
    ['Repositories', '?repositories'],
    ['Files', '?list'],
    ...(views.operations.who === 'nobody' ? [] : [['Operations', '-/'] satisfies [string, string]]),
  ];
}
