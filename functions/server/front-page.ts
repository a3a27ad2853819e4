/** `/`: the repositories, a search over all of them, and how to use them. And the page that says that there is none. */

import { html, raw } from 'hono/html';
import type { Repository } from '../ports.ts';
import { count, repositoryName, thousands } from '../wording.ts';
import { answered, plainText, type Refusal } from './answer.ts';
import type { RepositoryOverview } from './overview.ts';
import { type PageFrame, pageFrame, wayUp } from './page-frame.ts';
import { encodedPath } from './request-target.ts';
import type { FoundPackage, ServedRequest, Site } from './site.ts';

export const frontPageLimits = {
  /** Repositories on the page; the search finds the packages of all. */
  repositoriesMax: 1_000,
  /** Lines for repositories.conf. */
  linesMax: 5,
} as const;

/** `GET /?search=png` */
export async function showSearch(request: ServedRequest, site: Site, text: string): Promise<Response> {
  request.env.afterwards(site.pagesUnderWay.take());
  const { found, isAll } = await answered(() => site.operations.search(text));
  const frame = await pageFrame({ title: `${text} · Search`, depth: 0, search: text, site });
  const number = isAll ? count(found.length, 'package') : `The first ${count(found.length, 'package')}`;
  return framed(request, 200, frame, [
    html`<h1>Search</h1>
<p>${number} with “${text}” in the name of the file.</p>
${found.length === 0 ? '' : foundTable(found)}`,
  ]);
}

/** `GET /` and `GET /?repositories`. @param readme the text of the root's README.txt. */
export async function showFrontPage(
  request: ServedRequest,
  site: Site,
  overviews: readonly RepositoryOverview[],
  readme: string | undefined,
): Promise<Response> {
  const { host } = new URL(site.url);
  const frame = await pageFrame({ title: `Repositories · ${host}`, depth: 0, tab: 'Repositories', site });
  return framed(request, 200, frame, [
    html`<h1>Repositories</h1>
${readme === undefined ? '' : html`<pre>${readme}</pre>`}
${overviews.length === 0 ? html`<p>There is none yet: upload a package to create one.</p>` : repositoryTable(overviews, site)}
${useSection(overviews, site)}
${uploadSection(overviews, site)}`,
  ]);
}

/** To a browser; other clients get the sentence alone. */
export async function answerNotFound(request: ServedRequest, site: Site, refusal: Refusal): Promise<Response> {
  const { parts, trailingSlash } = request.env.target;
  if (!/\btext\/html\b/.test(request.req.header('accept') ?? ''))
    return plainText(404, refusal.message, { ...refusal.headers, Vary: 'Accept' });
  const depth = Math.max(0, parts.length - (trailingSlash ? 0 : 1));
  const frame = await pageFrame({ title: 'Not found', depth, site });
  return framed(request, 404, frame, [
    html`<h1>Not found</h1>
<p>There is no file or directory <code>${`/${parts.join('/')}`}</code> here.</p>
<p><a href="${wayUp(depth)}/?repositories">All repositories</a></p>`,
  ]);
}

async function framed(
  request: ServedRequest,
  status: 200 | 404,
  { before, after, policy }: PageFrame,
  content: readonly unknown[],
): Promise<Response> {
  return request.body(`${before}${content.join('')}${after}`, status, {
    'Content-Type': 'text/html; charset=utf-8',
    'Cache-Control': 'no-cache',
    'Content-Security-Policy': policy,
    Vary: 'Accept',
  });
}

function repositoryTable(overviews: readonly RepositoryOverview[], { views }: Site): unknown {
  const shown = overviews.slice(0, frontPageLimits.repositoriesMax);
  const hidden = overviews.length - shown.length;
  const columns = [
    ...repositoryColumns,
    // Only for those who may see the reports.
    ...(views.operations.who === 'all' ? [findingsColumn] : []),
    publishedColumn,
  ];
  return html`<section class="card scroll" aria-label="Repositories" tabindex="0">
<table class="table repositories">
<thead><tr>${columns.map(([title, , style]) => html`<th class="${style}">${title}</th>`)}</tr></thead>
<tbody>
${shown.map(
  (each) => html`<tr>${columns.map(
    ([title, cell, style]) => html`<td class="${style}" data-title="${title}">${cell(each)}</td>`,
  )}</tr>
`,
)}</tbody>
</table>
</section>
${hidden > 0 ? html`<p>… and ${count(hidden, 'more repository', 'more repositories')}.</p>` : ''}`;
}

type Column = readonly [title: string, cell: (overview: RepositoryOverview) => unknown, style: string];

const repositoryColumns: readonly Column[] = [
  [
    'Repository',
    ({ repository }) => html`<a href="${pathOf(repository)}"><bdi>${repositoryName(repository)}</bdi></a>`,
    'name',
  ],
  ['Branch', ({ branch }) => branch, ''],
  ['Architecture', architectureText, 'architecture'],
  ['Packages', ({ packages }) => thousands(packages), 'numeric'],
];

function architectureText({ architecture, foreignPackages }: RepositoryOverview): unknown {
  if (foreignPackages === 0) return architecture;
  const title = 'They stop pkgin update for everyone';
  return html`${architecture} <span class="warn" title="${title}">and ${thousands(foreignPackages)} for others</span>`;
}

const findingsColumn: Column = [
  'Findings',
  ({ findings }) =>
    findings === undefined
      ? html`<span class="muted" title="The operations view counts them">not counted</span>`
      : html`<span class="${findings > 0 ? 'warn' : ''}">${thousands(findings)}</span>`,
  'numeric',
];

const publishedColumn: Column = ['Published', publishedText, ''];

function publishedText({ published }: RepositoryOverview): unknown {
  if (published === undefined) return 'not yet';
  const time = published.toISOString();
  return html`<time datetime="${time}">${time.slice(0, 16).replace('T', ' ')} UTC</time>`;
}

function useSection(overviews: readonly RepositoryOverview[], { url }: Site): unknown {
  const { linesMax } = frontPageLimits;
  const repositories = overviews.length === 0 ? ['All'] : overviews.slice(0, linesMax).map((each) => each.repository);
  return html`<section class="card"><h2>Use a repository</h2>
<p>For pkgin, add its URL to <code>repositories.conf</code>, then run <code>pkgin update</code>:</p>
${repositories.map((repository) => copied('line for repositories.conf', urlOf(url, repository)))}
${overviews.length > linesMax ? html`<p class="muted">Or that of any other repository above.</p>` : ''}
</section>`;
}

function uploadSection([first]: readonly RepositoryOverview[], { url, changes }: Site): unknown {
  const target = `${urlOf(url, first?.repository ?? 'All')}/`;
  const token = changes.who === 'token' ? '-H "Authorization: Bearer TOKEN" ' : '';
  return html`<section class="card"><h2>Upload a package</h2>
${
  changes.who === 'nobody'
    ? html`<p>Uploads by HTTP are off here. A package that is copied into the directory is indexed as well.</p>`
    : html`<p>The index has it two seconds later. Any directory that holds packages is a repository.</p>
${copied('command to upload', `curl -fT PACKAGE.tgz ${token}${target}`)}`
}
</section>`;
}

function copied(what: string, line: string): unknown {
  return html`<div data-copied="${what}"><div class="command"><code>${line}</code></div></div>`;
}

function foundTable(found: readonly FoundPackage[]): unknown {
  return html`<section class="card scroll" aria-label="Packages" tabindex="0">
<table class="table">
<thead><tr><th>Package</th><th>Comment</th><th>Repository</th></tr></thead>
<tbody>
${found.map(
  ({ repository, name, comment }) => html`<tr><td><a href="${pathOf(repository)}#/package/${raw(
    encodeURIComponent(name),
  )}"><bdi>${name}</bdi></a></td><td class="comment">${comment}</td><td><a href="${pathOf(repository)}"><bdi>${repositoryName(
    repository,
  )}</bdi></a></td></tr>
`,
)}</tbody>
</table>
</section>`;
}

/** From the root, which these pages are at: `./2026Q3/All/` */
export function pathOf(repository: Repository): string {
  return `.${encodedPath(repository.split('/').filter(Boolean), true)}`;
}

function urlOf(url: string, repository: Repository): string {
  return url + encodedPath(repository.split('/').filter(Boolean), false).replace(/\/$/, '');
}
