import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openServed } from '../../functions/server/open-served.ts';
import { bundledPage } from '../page/bundled-page.ts';
import { runs } from '../thoroughness.ts';
import {
  allBytes,
  type Cleanup,
  openFilesBelow,
  parseAnswer,
  type RunningServer,
  requestBytes,
  startServer,
  until,
} from './running-server.ts';

const index = randomBytes(1_000);

async function startWithFiles(test: Cleanup): Promise<RunningServer> {
  const running = await startServer(test);
  await running.put('All/x-1.0.tgz', 'package x');
  await running.put('All/gtk2+-2.24.tgz', 'package gtk2+');
  await running.put('All/pkg_summary.gz', index);
  await running.put('All/empty.txt', '');
  await running.put('.indexer/table.sqlite', 'hidden');
  await running.put('All/.upload-1', 'hidden');
  return running;
}

describe('GET of a file', () => {
  it('answers with its bytes, its length, its date and its type', async (test) => {
    const { request, root } = await startWithFiles(test);
    await utimes(join(root, 'All/pkg_summary.gz'), 1_700_000_000.75, 1_700_000_000.75);

    const { status, headers, body } = await request('GET', '/All/pkg_summary.gz');

    assert.equal(status, 200);
    assert.deepEqual(body, index);
    assert.equal(headers['content-length'], '1000');
    assert.equal(headers['last-modified'], 'Tue, 14 Nov 2023 22:13:20 GMT');
    assert.equal(headers['content-type'], 'application/gzip');
    assert.equal(headers['cache-control'], 'no-cache');
    assert.equal(headers['accept-ranges'], 'bytes');
    assert.match(headers.etag ?? '', /^"[0-9a-z-]+"$/);
    assert.equal(headers['content-encoding'], undefined);
    assert.equal(headers['transfer-encoding'], undefined);
  });

  it('never answers with another encoding, whatever the client accepts', async (test) => {
    const { request } = await startWithFiles(test);
    const { headers, body } = await request('GET', '/All/pkg_summary.gz', {
      headers: { 'Accept-Encoding': 'gzip, br' },
    });
    assert.equal(headers['content-encoding'], undefined);
    assert.deepEqual(body, index);
  });

  it('takes a plus sign as it is, or encoded', async (test) => {
    const { request } = await startWithFiles(test);
    for (const target of ['/All/gtk2+-2.24.tgz', '/All/gtk2%2B-2.24.tgz', '/All/gtk2%2b-2.24.tgz?query'])
      assert.equal((await request('GET', target)).text, 'package gtk2+');
  });

  it('answers HEAD with the same header and no body', async (test) => {
    const { request } = await startWithFiles(test);
    const { headers: ofGet } = await request('GET', '/All/x-1.0.tgz');
    const {
      status,
      headers: ofHead,
      body,
    } = await request('HEAD', '/All/x-1.0.tgz', { headers: { Range: 'bytes=0-1' } });
    assert.equal(status, 200);
    assert.equal(body.length, 0);
    assert.deepEqual({ ...ofHead, date: '' }, { ...ofGet, date: '' });
  });

  it('answers with an empty one', async (test) => {
    const { request } = await startWithFiles(test);
    const { status, headers, text } = await request('GET', '/All/empty.txt');
    assert.deepEqual([status, headers['content-length'], text], [200, '0', '']);
  });

  it('takes no unknown type for something that a browser runs', async (test) => {
    const { request, put } = await startWithFiles(test);
    const types = {
      'a.svg': 'application/octet-stream',
      'a.js': 'application/octet-stream',
      'a.TXT': 'text/plain; charset=utf-8',
    };
    for (const [name, type] of Object.entries(types)) {
      await put(name, 'x');
      assert.equal((await request('GET', `/${name}`)).headers['content-type'], type);
    }
  });

  it('says 403 where the server may not read it', {
    skip: process.getuid?.() === 0 && 'root may read all',
  }, async (test) => {
    const { request, put } = await startServer(test);
    await (await open(await put('x.tgz', 'x'))).chmod(0);
    assert.equal((await request('GET', '/x.tgz')).status, 403);
  });
});

describe('a conditional GET', () => {
  it('is a 304 without a body where nothing has changed', async (test) => {
    const { request } = await startWithFiles(test);
    const { headers } = await request('GET', '/All/x-1.0.tgz');
    const { etag = '', 'last-modified': lastModified = '' } = headers;
    for (const condition of [{ 'If-None-Match': etag }, { 'If-Modified-Since': lastModified }]) {
      const answer = await request('GET', '/All/x-1.0.tgz', { headers: condition });
      assert.deepEqual([answer.status, answer.body.length], [304, 0]);
      assert.equal(answer.headers.etag, etag);
      assert.equal(answer.headers['last-modified'], lastModified);
      assert.equal(answer.headers['cache-control'], 'no-cache');
    }
  });

  it('is a 412 where it is meant for another file', async (test) => {
    const { request } = await startWithFiles(test);
    const { status } = await request('GET', '/All/x-1.0.tgz', { headers: { 'If-Match': '"another"' } });
    assert.equal(status, 412);
  });

  it('answers anew once the file is replaced, even by one of the same size within the same second', async (test) => {
    const { request, put } = await startWithFiles(test);
    const { headers } = await request('GET', '/All/x-1.0.tgz');
    await rename(await put('All/.new', 'package y'), join(await put('All/x-1.0.tgz', 'package x')));
    const answer = await request('GET', '/All/x-1.0.tgz', { headers: { 'If-None-Match': headers.etag ?? '' } });
    assert.deepEqual([answer.status, answer.text], [200, 'package y']);
  });
});

describe('a GET of a range', () => {
  it('is a 206 with its bytes', async (test) => {
    const { request } = await startWithFiles(test);
    const { status, headers, body } = await request('GET', '/All/pkg_summary.gz', {
      headers: { Range: 'bytes=10-19' },
    });
    assert.equal(status, 206);
    assert.equal(headers['content-range'], 'bytes 10-19/1000');
    assert.equal(headers['content-length'], '10');
    assert.deepEqual(body, index.subarray(10, 20));
  });

  it('is a 416 beyond the end', async (test) => {
    const { request } = await startWithFiles(test);
    const { status, headers } = await request('GET', '/All/pkg_summary.gz', { headers: { Range: 'bytes=1000-' } });
    assert.deepEqual([status, headers['content-range']], [416, 'bytes */1000']);
  });

  it('is the whole file where If-Range names another one, or several ranges are asked for', async (test) => {
    const { request } = await startWithFiles(test);
    for (const headers of [{ Range: 'bytes=10-19', 'If-Range': '"another"' }, { Range: 'bytes=0-1,5-6' }]) {
      const answer = await request('GET', '/All/pkg_summary.gz', { headers });
      assert.deepEqual([answer.status, answer.body], [200, index]);
    }
  });
});

describe('a file that is replaced while it is sent', () => {
  /** More than the system keeps for a client that does not read. */
  const size = 24 * 1024 * 1024;

  /** A client that has read the beginning, and reads on once `meanwhile` is done. */
  async function downloadAround(running: RunningServer, meanwhile: () => Promise<void>): Promise<Buffer> {
    const socket = connect(running.port, '127.0.0.1');
    socket.write(requestBytes('GET', '/big.tgz', running.port, {}));
    await new Promise((resolve) => socket.once('readable', resolve));
    await meanwhile();
    return allBytes(socket);
  }

  it('arrives whole, as it was', async (test) => {
    const running = await startServer(test);
    const content = randomBytes(size);
    const path = await running.put('big.tgz', content);
    const bytes = await downloadAround(running, async () => {
      await rename(await running.put('.new', Buffer.alloc(size * 2, 'b')), path);
    });
    const { headers, body } = parseAnswer(bytes);
    assert.equal(headers['content-length'], String(size));
    assert.ok(body.equals(content));
  });

  const changes: Readonly<Record<string, (file: FileHandle) => Promise<unknown>>> = {
    'written over near its end': (file) => file.write('b', size - 1),
    'written over near its beginning': (file) => file.write('b', 0),
    'cut short': (file) => file.truncate(10),
    'made longer': (file) => file.write('b', size),
  };
  for (const [what, change] of Object.entries(changes))
    it(`never seems complete where it was ${what} in place`, async (test) => {
      const running = await startServer(test);
      const path = await running.put('big.tgz', Buffer.alloc(size, 'a'));
      const bytes = await downloadAround(running, async () => {
        const file = await open(path, 'r+');
        await change(file);
        await file.close();
      });
      assert.ok(bytes.length < size);
      await until('a line in the log', () => running.log.some((line) => line.includes('written to in place')));
    });
});

describe('never served is', () => {
  const targets = [
    '/.indexer/table.sqlite',
    '/%2eindexer/table.sqlite',
    '/.indexer/',
    '/.indexer',
    '/All/.upload-1',
    '/All/../.indexer/table.sqlite',
    '/All/..%2f.indexer/table.sqlite',
    '/../../../../../../etc/passwd',
    '/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd',
    '/..%2f..%2f..%2f..%2fetc%2fpasswd',
    '/%252e%252e/%252e%252e/etc/passwd',
    '/..%5c..%5cetc/passwd',
    '/..\\..\\etc\\passwd',
    '/%c0%ae%c0%ae/etc/passwd',
    '//etc/passwd',
    '///etc/passwd',
    '/%2fetc/passwd',
    '/All//etc/passwd',
    '/All/x-1.0.tgz%00.txt',
    '/All/x-1.0.tgz/',
    '/All/x-1.0.tgz/x',
    '/All/x-1.0.tgz/..',
    '/outside/secret.txt',
    '/outside-file.txt',
    '/state/table.sqlite',
    '/hidden-link.txt',
    '/loop',
    '/pipe',
    '/gone',
    `/${'a'.repeat(256)}`,
    `/${'a/'.repeat(1_500)}`,
    '/-/x-1.0.tgz',
    '/-/healthz/',
    'http://127.0.0.1/.indexer/table.sqlite',
    'http://127.0.0.1/../../../etc/passwd',
    'http://127.0.0.1\\..\\etc\\passwd',
    '*',
  ];
  let running: RunningServer;
  const cleanups: (() => Promise<void>)[] = [];
  const cleanup = { after: (clean: () => Promise<void>) => void cleanups.push(clean) };
  after(async () => {
    for (const clean of cleanups) await clean();
  });
  before(async () => {
    running = await startWithFiles(cleanup);
    const { root, put } = running;
    const outside = await startServer(cleanup);
    await outside.put('secret.txt', 'secret');
    await symlink(outside.root, join(root, 'outside'));
    await symlink(join(outside.root, 'secret.txt'), join(root, 'outside-file.txt'));
    await symlink('.indexer', join(root, 'state'));
    await symlink('.indexer/table.sqlite', join(root, 'hidden-link.txt'));
    await symlink('loop', join(root, 'loop'));
    await symlink(join(root, 'nothing'), join(root, 'gone'));
    await put('-/x-1.0.tgz', 'hidden by the routes');
    execFileSync('mkfifo', [join(root, 'pipe')]);
  });

  for (const target of targets)
    it(target.slice(0, 60), async () => {
      const { status, text, headers } = await running.request('GET', target);

      assert.ok(status === 400 || status === 404 || status === 301, `${status} ${text}`);
      assert.doesNotMatch(text, /hidden|secret|root:/);
      // Where it leads is below the root all the same.
      if (status === 301) assert.equal((await running.request('GET', headers.location ?? '')).status, 404);
    });

  it('a root beside ours whose name begins like ours', async (test) => {
    const { root, request } = await startServer(test);
    await mkdir(`${root}-2`);
    test.after(() => rm(`${root}-2`, { recursive: true }));
    await writeFile(`${root}-2/secret.txt`, 'secret');
    await symlink(`${root}-2/secret.txt`, join(root, 'link.txt'));
    assert.equal((await request('GET', '/link.txt')).status, 404);
  });

  it('a path that is too long for any', async (test) => {
    const { request } = await startServer(test);
    assert.equal((await request('GET', `/${'a'.repeat(5_000)}`)).status, 414);
  });
});

describe('a link', () => {
  it('is followed where it stays inside, as from a category to All', async (test) => {
    const { root, request } = await startWithFiles(test);
    await mkdir(join(root, 'net'));
    await symlink('../All/x-1.0.tgz', join(root, 'net/x-1.0.tgz'));
    await symlink('All', join(root, 'Current'));
    assert.equal((await request('GET', '/net/x-1.0.tgz')).text, 'package x');
    assert.equal((await request('GET', '/Current/x-1.0.tgz')).text, 'package x');
    const { text } = await request('GET', '/?list');
    assert.ok(text.includes('"Current/"') && text.includes('"net/"'));
    assert.ok((await request('GET', '/net/')).text.includes('"x-1.0.tgz"'));
  });

  it('may be the root itself', async (test) => {
    const { root } = await startWithFiles(test);
    const opened = await openServed('/', [...root.slice(1).split('/'), 'All', 'x-1.0.tgz']);
    assert.ok(opened?.kind === 'file');
    await opened.handle.close();
  });
});

describe('GET of a directory', () => {
  it('is a page of what is in it', async (test) => {
    const { request } = await startWithFiles(test);
    const { status, headers, text, body } = await request('GET', '/All/?list');
    assert.equal(status, 200);
    assert.equal(headers['content-type'], 'text/html; charset=utf-8');
    assert.equal(headers['content-length'], String(body.length));
    for (const name of ['x-1.0.tgz', 'gtk2%2B-2.24.tgz', 'pkg_summary.gz'])
      assert.ok(text.includes(`<a href="${name}">`));
    assert.ok(!text.includes('upload'));
    assert.equal((await request('HEAD', '/All/?list')).headers['content-length'], headers['content-length']);
  });

  it('of a repository is the package browser that was put there, and runs no script but its own', async (test) => {
    const { request, put } = await startWithFiles(test);
    const page = bundledPage.render(['gtk2+-2.24.tgz', 'x-1.0.tgz']);
    await put('All/index.html', page);
    for (const target of ['/All/', '/All/index.html']) {
      const { status, headers, text, body } = await request('GET', target);
      assert.equal(status, 200);
      assert.deepEqual(body, page);
      assert.equal(headers['content-security-policy'], "frame-ancestors 'none'");
      assert.match(text, /http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'sha256-/);
    }
  });

  it('serves what it lists, whatever line separators a name has', async (test) => {
    const { request, put } = await startServer(test);
    await put('All/a\u2028b-1.0.tgz', 'x');
    assert.equal((await request('GET', '/All/a%E2%80%A8b-1.0.tgz')).text, 'x');
  });

  it('lists only what can be asked for', async (test) => {
    const { root, request, put } = await startServer(test);
    await put('good-1.0.tgz', 'x');
    await put('back\\slash.tgz', 'x');
    await put('new\nline.tgz', 'x');
    await writeFile(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0xe4]), Buffer.from('.tgz')]), 'x');
    await symlink(tmpdir(), join(root, 'outside'));
    execFileSync('mkfifo', [join(root, 'pipe')]);
    const { text } = await request('GET', '/?list');
    assert.deepEqual(
      [...text.matchAll(/<a href="([^"./][^"]*)"/g)].map((match) => match[1]),
      ['good-1.0.tgz'],
    );
  });

  it('is redirected to its path with a slash, by a path and not by a host', async (test) => {
    const { request } = await startWithFiles(test);
    const moves = { '/All': '/All/', '/All?list': '/All/?list', '//All/': '/All/', '//': '/', '/All//': '/All/' };
    for (const [target, location] of Object.entries(moves)) {
      const { status, headers } = await request('GET', target);
      assert.deepEqual([target, status, headers.location], [target, 301, location]);
    }
  });

  it('is not the answer to a request for an index: a client would read the page as one', async (test) => {
    const { request, put } = await startServer(test);
    await put('All/pkg_summary.xz/x-1.0.tgz', 'x');
    assert.equal((await request('GET', '/All/pkg_summary.xz')).status, 404);
    assert.equal((await request('GET', '/All/pkg_summary.xz/')).status, 200);
  });

  it('leads pkg_add to a package although it puts a second slash before the name', async (test) => {
    const { request } = await startWithFiles(test);
    const { status, headers } = await request('GET', '/All//gtk2%2B-2.24.tgz');
    assert.deepEqual([status, headers.location], [301, '/All/gtk2%2B-2.24.tgz']);
  });

  it('shows its index.html where it has one, and the list at ?list', async (test) => {
    const { request, put } = await startWithFiles(test);
    await put('All/index.html', '<p>Welcome</p>');
    const { headers, text } = await request('GET', '/All/');
    assert.equal(text, '<p>Welcome</p>');
    assert.match(headers['content-security-policy'] ?? '', /^default-src 'none'/, 'a page of others runs no script');
    assert.equal(headers['content-type'], 'text/html; charset=utf-8');
    assert.equal((await request('GET', '/All/', { headers: { 'If-None-Match': headers.etag ?? '' } })).status, 304);
    assert.ok((await request('GET', '/All/?list')).text.includes('href="x-1.0.tgz"'));
  });

  it('shows its README.txt above the list, and not more of it than a page may have', async (test) => {
    const running = await startServer(test, { limits: { readmeBytesMax: 20 } });
    await running.put('README.txt', 'Use <pkgin> & enjoy.');
    assert.ok((await running.request('GET', '/?list')).text.includes('<pre>Use &lt;pkgin&gt; &amp; enjoy.</pre>'));
    await running.put('README.txt', 'Use <pkgin> & enjoy. More');
    assert.ok((await running.request('GET', '/?list')).text.includes('enjoy.\n[the rest is in README.txt]</pre>'));
  });

  it('has pageEntriesMax entries at most', async (test) => {
    const running = await startServer(test, { limits: { pageEntriesMax: 2, pagesMax: 1 } });
    await running.put('a', '');
    await running.put('b', '');
    assert.equal((await running.request('GET', '/?list')).status, 200);
    await running.put('c', '');
    const { status, text } = await running.request('GET', '/?list');
    assert.deepEqual([status, text], [503, 'This directory has too many entries for one page: the limit is 2.\n']);
    assert.equal((await running.request('GET', '/c')).status, 200);
    await rm(join(running.root, 'c'));
    assert.equal((await running.request('GET', '/?list')).status, 200);
  });

  it('is one of pagesMax that are made or sent at the same time', async (test) => {
    const running = await startServer(test, { limits: { pagesMax: 1 } });
    for (let number = 0; number < 200; number += 1) await running.put(`crowded/${number}`, '');
    const answers = await Promise.all(Array.from({ length: 10 }, () => running.request('GET', '/crowded/')));
    assert.deepEqual([...new Set(answers.map(({ status }) => status))].sort(), [200, 503]);
    assert.equal((await running.request('GET', '/crowded/')).status, 200);
  });

  it('takes turns with other requests however many files there are', async (test) => {
    const running = await startServer(test);
    const names = Array.from({ length: runs(20_000) }, (_, number) => `package-with-a-name-${number}-1.0nb1.tgz`);
    execFileSync('xargs', ['touch'], { cwd: running.root, input: names.join('\n') });

    let longestMilliseconds = 0;
    let last = performance.now();
    const ticking = setInterval(() => {
      longestMilliseconds = Math.max(longestMilliseconds, performance.now() - last);
      last = performance.now();
    }, 1);
    const answered = connect(running.port, '127.0.0.1');
    answered.write(requestBytes('GET', '/?list', running.port, {}));
    const bytes = await allBytes(answered);
    clearInterval(ticking);

    assert.equal(bytes.toString('latin1').match(/<tr><td><a href/g)?.length, names.length);
    test.diagnostic(`the event loop was held for ${longestMilliseconds.toFixed()} ms at most`);
    assert.ok(longestMilliseconds < 500, `${longestMilliseconds} ms`);
  });
});

describe('every answer', () => {
  it('closes the files that it opened', { skip: !existsSync('/proc/self/fd') && 'no /proc/self/fd' }, async (test) => {
    const running = await startWithFiles(test);
    const { request, root, put } = running;
    await put('README.txt', 'Welcome');
    await put('index/index.html', 'Welcome');
    const warnings: Error[] = [];
    const onWarning = (warning: Error): void => void warnings.push(warning);
    process.on('warning', onWarning);
    test.after(() => process.off('warning', onWarning));
    const { etag = '' } = (await request('GET', '/All/x-1.0.tgz')).headers;
    const file = '/All/x-1.0.tgz';
    for (const [status, target, headers] of [
      [200, file, {}],
      [206, file, { Range: 'bytes=0-1' }],
      [304, file, { 'If-None-Match': etag }],
      [412, file, { 'If-Match': '"a"' }],
      [416, file, { Range: 'bytes=1000-' }],
      [404, `${file}/`, {}],
      [301, '/All//x-1.0.tgz', {}],
      [301, '/All', {}],
      [200, '/', {}],
      [200, '/index/', {}],
    ] as const)
      assert.deepEqual([target, (await request('GET', target, { headers })).status], [target, status]);
    assert.equal((await request('HEAD', file)).status, 200);
    await until('no file is open', async () => (await openFilesBelow(root)) === 0);
    assert.deepEqual(warnings, [], 'the garbage collector is not the one that closes them');
  });

  it('has the security headers, and is not chunked', async (test) => {
    const { request, send, port } = await startWithFiles(test);
    const answers = [
      await request('GET', '/'),
      await request('GET', '/All/x-1.0.tgz'),
      await request('GET', '/All'),
      await request('GET', '/nothing'),
      await request('GET', '/%'),
      await request('POST', '/All/'),
      await request('PUT', '/All/x-1.0.tgz'),
      await request('GET', '/-/status'),
      await request('GET', '/', { headers: { Expect: 'miracles' } }),
      await send('GET / HTTP/1.1\r\nConnection: close\r\n\r\n'),
      await send('GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n'),
      await send('nonsense\r\n\r\n'),
      await send(`CONNECT x:1 HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`),
    ];
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 301, 404, 400, 405, 400, 200, 417, 400, 400, 400, 405],
    );
    for (const { headers } of answers) {
      assert.match(headers['content-security-policy'] ?? '', /^default-src 'none';/);
      assert.equal(headers['x-content-type-options'], 'nosniff');
      assert.equal(headers['referrer-policy'], 'no-referrer');
      assert.ok('content-length' in headers && !('transfer-encoding' in headers));
    }
  });

  it('that refuses is one plain sentence', async (test) => {
    const { request, send } = await startWithFiles(test);
    for (const answer of [
      await request('GET', '/nothing'),
      await request('PATCH', '/'),
      await send('nonsense\r\n\r\n'),
    ]) {
      assert.equal(answer.headers['content-type'], 'text/plain; charset=utf-8');
      assert.match(answer.text, /^[A-Z][^\n]*\.\n$/);
    }
  });
});
