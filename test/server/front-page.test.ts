/** The pages that the server renders for people: the front page, the search, what is not there; and the icon. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { frontPageLimits } from '../../functions/server/front-page.ts';
import type { RepositoryOverview } from '../../functions/server/overview.ts';
import type { FoundPackage } from '../../functions/server/site.ts';
import { bundledPage } from '../page/bundled-page.ts';
import { idleOperations, type RunningServer, startServer } from './running-server.ts';
import { sampleOverview } from './sample-overview.ts';

const operationsOf = (...overviews: RepositoryOverview[]) => ({
  operations: { ...idleOperations, overview: async () => overviews },
});
const html = { headers: { Accept: 'text/html,application/xhtml+xml;q=0.9' } };
/** The page's text, without its style and script. */
const textOf = (page: string) =>
  page
    .replaceAll(/<(style|script)>.*?<\/\1>/gs, '')
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/\s+/g, ' ');
const hasScript = (page: string) => page.replaceAll(/<script>.*?<\/script>/gs, '').includes('<script');

async function front(running: RunningServer, path = '/?repositories'): Promise<string> {
  const { status, text } = await running.request('GET', path);
  assert.equal(status, 200);
  return text;
}

describe('the front page', () => {
  const two = [
    sampleOverview('2026Q3/x86_64/All', { findings: 12 }),
    sampleOverview('trunk/<b>/All', { published: undefined, foreignPackages: 1_234 }),
  ];

  it('shows every repository with what is known of it', async (test) => {
    const running = await startServer(test, operationsOf(...two));
    const page = await front(running, '/');
    const text = textOf(page);
    assert.ok(text.includes('2026Q3/x86_64/All 2026Q3 x86_64 27,699 12 2026-11-07 09:05 UTC'), text);
    assert.ok(text.includes('trunk/&lt;b&gt;/All trunk x86_64 and 1,234 for others 27,699 not counted not yet'), text);
    assert.ok(page.includes('<a href="./2026Q3/x86_64/All/">') && page.includes('<a href="./trunk/%3Cb%3E/All/">'));
  });

  it('says what to put into repositories.conf and how to upload, at the public URL', async (test) => {
    for (const [uploads, expected] of [
      [{ localUploads: true }, 'curl -fT PACKAGE.tgz https://packages.example/pkg/2026Q3/x86_64/All/'],
      [
        { uploadToken: 't', localUploads: false },
        'curl -fT PACKAGE.tgz -H &quot;Authorization: Bearer TOKEN&quot; https://packages.example/pkg/2026Q3/x86_64/All/',
      ],
      [{ localUploads: false }, 'Uploads by HTTP are off here.'],
    ] as const) {
      const running = await startServer(test, {
        ...operationsOf(...two),
        ...uploads,
        publicUrl: 'https://packages.example/pkg',
      });
      const text = textOf(await front(running));
      assert.ok(text.includes(expected), text);
      assert.ok(text.includes(' https://packages.example/pkg/2026Q3/x86_64/All '), text);
    }
  });

  it('names the address of the server where there is no public URL, and a first repository', async (test) => {
    const running = await startServer(test);
    const text = textOf(await front(running, '/'));
    assert.ok(text.includes(` http://127.0.0.1:${running.port}/All `), text);
    assert.ok(text.includes('There is none yet'), text);
  });

  it('leads to the only repository, unless it is asked for', async (test) => {
    const running = await startServer(test, operationsOf(sampleOverview('a b/All')));
    const { status, headers } = await running.request('GET', '/');
    assert.deepEqual([status, headers.location, headers['cache-control']], [302, './a%20b/All/', 'no-store']);
    assert.ok(textOf(await front(running)).includes('a b/All'));
  });

  it('leaves the root to its own index.html, and to a repository that is there', async (test) => {
    const running = await startServer(test, operationsOf(sampleOverview(''), sampleOverview('All')));
    await running.put('x-1.0.tgz', 'x');
    assert.ok((await front(running, '/')).includes('<a href="x-1.0.tgz">'), 'for pkg_add');
    assert.ok(textOf(await front(running)).includes('(top directory)'));
    await running.put('index.html', 'mine');
    assert.equal(await front(running, '/'), 'mine');
  });

  it('shows the README.txt of the root', async (test) => {
    const running = await startServer(test, operationsOf(...two));
    await running.put('README.txt', 'Use <pkgin>.');
    assert.ok((await front(running, '/')).includes('<pre>Use &lt;pkgin&gt;.</pre>'));
  });

  it('shows findings to those only who may see the reports', async (test) => {
    for (const permission of [{ who: 'nobody' }, { who: 'token', token: 't' }] as const) {
      const running = await startServer(test, { ...operationsOf(...two), views: { operations: permission } });
      const page = await front(running);
      assert.ok(!/Findings|not counted/.test(textOf(page)));
      assert.equal(page.includes('href="./-/"'), permission.who === 'token');
    }
  });

  it('has so many repositories, and counts one more', async (test) => {
    const { repositoriesMax } = frontPageLimits;
    const overviews = Array.from({ length: repositoriesMax + 1 }, (_, index) => sampleOverview(`r${index}`));
    const running = await startServer(test, operationsOf(...overviews));
    const text = textOf(await front(running));
    assert.ok(text.includes(`r${repositoriesMax - 1} `) && !text.includes(`r${repositoriesMax} `));
    assert.ok(text.includes('… and 1 more repository.'));
  });

  it('runs no script but its own', async (test) => {
    const running = await startServer(test, operationsOf(...two));
    const { headers, text } = await running.request('GET', '/');
    assert.match(headers['content-security-policy'] ?? '', /script-src 'sha256-[^']+'; style-src 'sha256-/);
    assert.ok(!hasScript(text));
  });
});

describe('the search over all repositories', () => {
  it('shows what it found, as text, with links to the packages', async (test) => {
    const asked: string[] = [];
    const found: FoundPackage[] = [
      { repository: 'All', name: 'gtk2+-2.24', comment: '<script>alert(1)</script>' },
      { repository: '', name: 'png-1.6', comment: 'Images' },
    ];
    const search = async (text: string) => {
      asked.push(text);
      return { found, isAll: true };
    };
    const running = await startServer(test, { operations: { ...idleOperations, search } });
    const page = await front(running, '/?search=p%26+%22ng%22');
    assert.deepEqual(asked, ['p& "ng"']);
    assert.ok(
      page.includes('<a href="./All/#/package/gtk2%2B-2.24">') && page.includes('<a href="./#/package/png-1.6">'),
    );
    assert.ok(!hasScript(page) && page.includes('value="p&amp; &quot;ng&quot;"'));
    assert.ok(textOf(page).includes('2 packages with “p&amp; &quot;ng&quot;”'), textOf(page));
  });
});

describe('what is not there', () => {
  it('is a page for a browser, with a way back, and a sentence for others', async (test) => {
    const { request } = await startServer(test);
    const plain = await request('GET', '/All/nothing.tgz');
    assert.deepEqual([plain.status, plain.text], [404, 'No such file or directory.\n']);
    for (const [path, up] of [
      ['/nothing', '.'],
      ['/a/b', '..'],
      ['/a/b/', '../..'],
      ['/-/nothing', '..'],
    ] as const) {
      const { status, text, headers } = await request('GET', path, html);
      assert.deepEqual([status, headers['content-type'], headers.vary], [404, 'text/html; charset=utf-8', 'Accept']);
      assert.ok(text.includes(`<a href="${up}/?repositories">All repositories</a>`), path);
    }
  });
});

describe('the icon', () => {
  it('is ours, unless there is one in the directory', async (test) => {
    const { request, put } = await startServer(test);
    const { status, headers, body } = await request('GET', '/favicon.ico');
    assert.deepEqual([status, headers['content-type']], [200, 'image/vnd.microsoft.icon']);
    assert.deepEqual([...body.subarray(0, 6)], [0, 0, 1, 0, 1, 0]);
    await put('favicon.ico', 'mine');
    assert.equal((await request('GET', '/favicon.ico')).text, 'mine');
  });
});

describe('an index', () => {
  it('says where the front page is, for the package browser', async (test) => {
    const { request, put } = await startServer(test);
    await put('index.html', bundledPage.render([]));
    for (const [path, up] of [
      ['pkg_summary.gz', '.'],
      ['All/pkg_summary.zst', '..'],
      ['2026Q3/x86_64/All/pkg_summary.gz', '../../..'],
    ] as const) {
      await put(path, 'index');
      assert.equal((await request('GET', `/${path}`)).headers.link, `<${up}/?repositories>; rel="up"`);
    }
  });
});
