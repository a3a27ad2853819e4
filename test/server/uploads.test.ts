import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { access, mkdir, readdir, readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { serverLimits } from '../../functions/server/server-limits.ts';
import type { FindRejection, UploadReceiver } from '../../functions/server/site.ts';
import { allBytes, FolderReceiver, parseAnswer, type RunningServer, startServer, until } from './running-server.ts';

const target = '/All/x-1.0.tgz';

function head(running: RunningServer, fields: Record<string, string>, method = 'PUT'): string {
  const lines = Object.entries({ Host: `127.0.0.1:${running.port}`, ...fields }).map((field) => field.join(': '));
  return `${method} ${target} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`;
}

function connectTo({ port }: RunningServer): Socket {
  return connect(port, '127.0.0.1');
}

/** A place for packages that cannot take any. */
function failingReceiver(error: Error): UploadReceiver {
  const fail = (): Promise<never> => Promise.reject(error);
  return { receive: fail, remove: fail };
}

const systemError = (code: string) => Object.assign(new Error(`${code}: /some/path`), { code });
const namedError = (name: string) => Object.assign(new Error('/some/path'), { name });

describe('PUT of a package', () => {
  it('creates it, and replaces it', async (test) => {
    const { request, root } = await startServer(test);

    const created = await request('PUT', target, { body: 'one' });
    assert.deepEqual([created.status, created.headers.location], [201, target]);
    const first = await request('GET', target);
    assert.deepEqual([first.text, first.headers.etag], ['one', created.headers.etag]);

    const replaced = await request('PUT', target, { body: 'two' });
    assert.deepEqual([replaced.status, replaced.text], [204, '']);
    assert.equal((await request('HEAD', target)).headers.etag, replaced.headers.etag);
    assert.equal(await readFile(join(root, target), 'utf8'), 'two');
  });

  it('takes a chunked body', async (test) => {
    const running = await startServer(test);
    const fields = { 'Transfer-Encoding': 'chunked', Connection: 'close' };
    const { status } = await running.send(`${head(running, fields)}3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n`);
    assert.equal(status, 201);
    assert.equal((await running.request('GET', target)).text, 'onetwo');
  });

  it('takes one larger than any buffer, byte for byte', async (test) => {
    const { request, root } = await startServer(test);
    const body = Buffer.alloc(5_000_001, 'package ');
    assert.equal((await request('PUT', target, { body })).status, 201);
    assert.ok(body.equals(await readFile(join(root, target))));
  });

  it('gives the receiver the decoded key, and the client the encoded path', async (test) => {
    const { request } = await startServer(test);
    const { status, headers } = await request('PUT', '/All/gtk2+-2.24.tgz', { body: 'x' });
    assert.deepEqual([status, headers.location], [201, '/All/gtk2%2B-2.24.tgz']);
    assert.equal((await request('GET', '/All/gtk2+-2.24.tgz')).text, 'x');
  });

  const notKeys = [
    '/',
    '/All/',
    '/All',
    '/All/x',
    '/pkg_summary.gz',
    '/All/x.tgz/',
    '/All//x.tgz',
    '/All/x.tgz?uploads',
    '/All/pkg_summary.xz/x-1.0.tgz',
    '/All/index.html/x-1.0.tgz',
  ];
  const malformed = [
    '/All/%ff.tgz',
    '/All/%00.tgz',
    '/All/a%0ab.tgz',
    '/All/%c2%85.tgz',
    '/All%2fx.tgz',
    '/All/a\\b.tgz',
  ];
  const tooLong = [`/${'a'.repeat(252)}.tgz`, `/${'dir/'.repeat(300)}x.tgz`];
  const hidden = ['/.indexer/x.tgz', '/../x.tgz', '/%2e%2e/x.tgz', '/All/.x.tgz', '/-/x.tgz'];
  for (const [urls, status] of [
    [[...notKeys, ...malformed, ...tooLong], 400],
    [hidden, 404],
  ] as const)
    for (const url of urls)
      it(`is refused at ${url.slice(0, 40)}`, async (test) => {
        const { request, root } = await startServer(test);
        const answer = await request('PUT', url, { body: 'x' });
        assert.equal(answer.status, status);
        assert.match(answer.text, /^[A-Z].*\.\n$/);
        assert.deepEqual(await readdir(root), []);
      });
});

describe('a PUT with a condition', () => {
  it('creates only what is not there', async (test) => {
    const { request } = await startServer(test);
    const headers = { 'If-None-Match': '*' };
    assert.equal((await request('PUT', target, { headers, body: 'one' })).status, 201);
    assert.equal((await request('PUT', target, { headers, body: 'two' })).status, 412);
    assert.equal((await request('GET', target)).text, 'one');
  });

  for (const headers of [
    { 'If-Match': '"a"' },
    { 'If-Match': '*' },
    { 'If-None-Match': '"a"' },
    { 'If-Unmodified-Since': new Date(0).toUTCString() },
    { 'If-Modified-Since': new Date(0).toUTCString() },
    { 'If-Range': '"a"' },
  ])
    it(`does not pass over ${JSON.stringify(headers)}`, async (test) => {
      const { request, root } = await startServer(test);
      assert.equal((await request('PUT', target, { headers, body: 'x' })).status, 501);
      assert.deepEqual(await readdir(root), []);
    });

  it('nor does a DELETE', async (test) => {
    const { request, put } = await startServer(test);
    await put(target, 'x');
    assert.equal((await request('DELETE', target, { headers: { 'If-Match': '"a"' } })).status, 501);
    assert.equal((await request('GET', target)).status, 200);
  });
});

describe('a PUT that is not a whole package as it is', () => {
  const cases: readonly [what: string, headers: Record<string, string>, body: string, status: number][] = [
    ['empty', { 'Content-Length': '0' }, '', 400],
    ['empty and chunked', { 'Transfer-Encoding': 'chunked' }, '0\r\n\r\n', 400],
    ['without a body', {}, '', 400],
    ['a part', { 'Content-Length': '1', 'Content-Range': 'bytes 0-0/2' }, 'x', 400],
    ['encoded', { 'Content-Length': '1', 'Content-Encoding': 'gzip' }, 'x', 415],
    ['in a transfer encoding', { 'Transfer-Encoding': 'gzip, chunked' }, '1\r\nx\r\n0\r\n\r\n', 501],
    ['of two lengths', { 'Content-Length': '1', 'content-length': '2' }, 'x', 400],
    ['of a length and chunked', { 'Content-Length': '1', 'Transfer-Encoding': 'chunked' }, '0\r\n\r\n', 400],
    ['of no length', { 'Content-Length': 'x' }, 'x', 400],
  ];
  for (const [what, headers, body, status] of cases)
    it(`is refused: ${what}`, async (test) => {
      const running = await startServer(test);
      const answer = await running.send(head(running, { ...headers, Connection: 'close' }) + body);
      assert.equal(answer.status, status);
      assert.ok(!(await running.request('GET', target)).text.includes('x\n'));
      assert.equal((await running.request('GET', target)).status, 404);
    });
});

describe('the size of an upload', () => {
  const limits = { uploadBytesMax: 10 };

  for (const [bytes, status] of [
    [10, 201],
    [11, 413],
  ] as const) {
    it(`may be 10 bytes: ${bytes} declared`, async (test) => {
      const { request } = await startServer(test, { limits });
      assert.equal((await request('PUT', target, { body: 'x'.repeat(bytes) })).status, status);
    });

    it(`may be 10 bytes: ${bytes} in chunks`, async (test) => {
      const running = await startServer(test, { limits });
      const body = 'x'.repeat(bytes - 5);
      const chunks = `5\r\nxxxxx\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
      const fields = { 'Transfer-Encoding': 'chunked', Connection: 'close' };
      assert.equal((await running.send(head(running, fields) + chunks)).status, status);
      const stored = status === 201 ? 'x-1.0.tgz' : undefined;
      const left = await readdir(join(running.root, 'All')).catch(() => []);
      assert.deepEqual(left, stored === undefined ? [] : [stored]);
    });
  }

  it('is refused by what is declared, before any of it is read', async (test) => {
    const running = await startServer(test, { limits: { ...limits, lingerMilliseconds: 200 } });
    const socket = connectTo(running);
    const start = performance.now();
    socket.write(head(running, { 'Content-Length': '11' }));
    const { status, headers } = parseAnswer(await allBytes(socket));
    assert.deepEqual([status, headers.connection], [413, 'close']);
    assert.ok(performance.now() - start > 190, 'the client has a while to stop sending, and to read why');
  });

  it('is told to a client that sends all of it without looking', async (test) => {
    const running = await startServer(test, { limits });
    const answer = await running.request('PUT', target, { body: Buffer.alloc(20_000_000) });
    assert.equal(answer.status, 413);
  });

  it('is limited where the receiver says so, too', async (test) => {
    const { request } = await startServer(test, { uploads: failingReceiver(namedError('ObjectTooLarge')) });
    assert.equal((await request('PUT', target, { body: 'x' })).status, 413);
  });
});

describe('Expect: 100-continue', () => {
  it('is answered by 100 once the checks have passed', async (test) => {
    const running = await startServer(test);
    const socket = connectTo(running);
    const received = allBytes(socket);
    const continued = once(socket, 'data');
    socket.write(head(running, { 'Content-Length': '3', Expect: '100-continue', Connection: 'close' }));
    const [first] = await continued;
    assert.equal(String(first), 'HTTP/1.1 100 Continue\r\n\r\n');
    socket.write('one');
    assert.equal(parseAnswer(await received).status, 201);
  });

  const refusals: readonly [what: string, fields: Record<string, string>, status: number][] = [
    ['the size', { 'Content-Length': '99999999999' }, 413],
    ['a condition', { 'Content-Length': '3', 'If-Match': '"a"' }, 501],
    ['the host', { 'Content-Length': '3', Host: 'evil.example' }, 401],
    ['a package that is there already', { 'Content-Length': '3', 'If-None-Match': '*' }, 412],
  ];
  for (const [what, fields, status] of refusals)
    it(`is answered at once where the checks fail: ${what}`, async (test) => {
      const running = await startServer(test);
      await running.put(target, 'there');
      const start = performance.now();
      const answer = await running.send(head(running, { ...fields, Expect: '100-continue' }));
      assert.equal(answer.status, status);
      assert.ok(performance.now() - start < serverLimits.lingerMilliseconds);
    });
});

describe('an upload that breaks off', () => {
  it('leaves nothing, and one line in the log', async (test) => {
    const running = await startServer(test);
    const socket = connectTo(running);
    socket.write(`${head(running, { 'Content-Length': '1000' })}half`);
    await until('the first bytes are stored', async () =>
      (await readdir(join(running.root, 'All')).catch(() => [])).some((name) => name.startsWith('.upload-')),
    );
    socket.destroy();
    await until('a line in the log', () => running.log.length > 0);
    assert.deepEqual(await readdir(join(running.root, 'All')), []);
    assert.equal(running.log.length, 1);
    assert.match(running.log[0] ?? '', /^upload of All\/x-1\.0\.tgz broke off at byte 4 of 1000, nothing was stored/);
  });

  it('does so where it is malformed half-way', async (test) => {
    const running = await startServer(test);
    const fields = { 'Transfer-Encoding': 'chunked' };
    await running.send(`${head(running, fields)}3\r\none\r\nnonsense\r\n`);
    await until('a line in the log', () => running.log.length > 0);
    assert.deepEqual(await readdir(join(running.root, 'All')), []);
    assert.equal(running.log.length, 1);
  });

  it('keeps what was there before', async (test) => {
    const running = await startServer(test);
    await running.put(target, 'before');
    const socket = connectTo(running);
    socket.end(`${head(running, { 'Content-Length': '1000' })}half`);
    await until('a line in the log', () => running.log.length > 0);
    assert.equal((await running.request('GET', target)).text, 'before');
  });

  it('is told from an error of the store, whatever the store makes of it', async (test) => {
    const wrapping: UploadReceiver = {
      remove: async () => false,
      receive: async (_, body) => {
        try {
          for await (const piece of body) assert.ok(piece.byteLength > 0);
        } catch (cause) {
          throw new Error('could not store it', { cause });
        }
        return { outcome: 'created', etag: 'e' };
      },
    };
    const running = await startServer(test, {
      uploads: wrapping,
      limits: { progressMilliseconds: 50, lingerMilliseconds: 50 },
    });
    const { status } = await running.send(`${head(running, { 'Content-Length': '1000' })}half`);
    assert.equal(status, 408);
    assert.equal(running.log.length, 1);
  });

  it('is told so where it stands still', async (test) => {
    const running = await startServer(test, { limits: { progressMilliseconds: 100, lingerMilliseconds: 50 } });
    const { status, text } = await running.send(`${head(running, { 'Content-Length': '1000' })}half`);
    assert.equal(status, 408);
    assert.match(text, /less than 65536 bytes in 0.1 s/);
    assert.equal(running.log.length, 1);
    assert.deepEqual(await readdir(join(running.root, 'All')), []);
  });

  it('is told so where it only trickles', async (test) => {
    const running = await startServer(test, { limits: { progressMilliseconds: 200, lingerMilliseconds: 50 } });
    const socket = connectTo(running);
    const received = allBytes(socket);
    socket.write(head(running, { 'Content-Length': '1000' }));
    const trickle = setInterval(() => socket.write('x'), 20);
    const { status } = parseAnswer(await received);
    clearInterval(trickle);
    assert.equal(status, 408);
  });

  it('is not one that is slow but goes on', async (test) => {
    const limits = { progressMilliseconds: 300, progressBytes: 10 };
    const running = await startServer(test, { limits });
    const socket = connectTo(running);
    const received = allBytes(socket);
    socket.write(head(running, { 'Content-Length': '100', Connection: 'close' }));
    for (let pieces = 0; pieces < 10; pieces += 1) {
      await wait(60);
      socket.write('0123456789');
    }
    assert.equal(parseAnswer(await received).status, 201);
  });

  it('is none where only the disk is slow', async (test) => {
    let inner: UploadReceiver | undefined;
    const slow: UploadReceiver = {
      remove: async () => false,
      receive: async (key, body, options) => {
        await wait(300);
        return inner?.receive(key, body, options) ?? { outcome: 'exists' };
      },
    };
    const running = await startServer(test, { uploads: slow, limits: { progressMilliseconds: 200 } });
    inner = new FolderReceiver(running.root);
    assert.equal((await running.request('PUT', target, { body: 'x' })).status, 201);
  });
});

describe('a place for packages that fails', () => {
  const cases: readonly [error: Error, status: number, logLines: number][] = [
    [systemError('ENOSPC'), 507, 1],
    [systemError('EDQUOT'), 507, 1],
    [systemError('EROFS'), 500, 1],
    [systemError('EACCES'), 500, 1],
    [systemError('ENOTDIR'), 409, 0],
    [systemError('EISDIR'), 409, 0],
    [systemError('ENOENT'), 409, 0],
    [namedError('DirectoryLost'), 503, 0],
    [systemError('ENAMETOOLONG'), 400, 0],
    [systemError('EFBIG'), 413, 0],
    [namedError('UnusableKey'), 409, 0],
    [systemError('EIO'), 500, 1],
    [new Error('unexpected'), 500, 1],
  ];
  for (const [error, status, logLines] of cases)
    it(`with ${'code' in error ? error.code : error.name} makes it a ${status}, and tells the client nothing of the machine`, async (test) => {
      const { request, log } = await startServer(test, { uploads: failingReceiver(error) });
      for (const method of ['PUT', 'DELETE']) {
        const answer = await request(method, target, method === 'PUT' ? { body: 'x' } : {});
        assert.equal(answer.status, status);
        assert.match(answer.text, /^[A-Z][^\n]*\.\n$/);
        assert.doesNotMatch(answer.text, /some\/path|unexpected|at /);
      }
      assert.equal(log.length, 2 * logLines);
      assert.ok(log.every((line) => !line.includes('\n')));
    });
});

describe('the verdict on a package', () => {
  /** Rejects what begins with "bad", as the indexer would. */
  const findRejection: FindRejection = async (source, file) => {
    const head = Buffer.from(await source.read(0, Math.min(3, source.size))).toString();
    return head === 'bad' ? { code: 'not-a-package', message: `expected a package, found ${file}` } : undefined;
  };

  it('is the answer to its upload: a package that would be rejected is not stored', async (test) => {
    const { request, root, log } = await startServer(test, { findRejection });
    assert.equal((await request('PUT', target, { body: 'good' })).status, 201);
    for (const path of [target, '/All/y-1.0.tgz']) {
      const { status, text } = await request('PUT', path, { body: 'bad package' });
      const file = path.slice('/All/'.length);
      assert.deepEqual(
        [status, text],
        [422, `Rejected, not-a-package: expected a package, found ${file}. Nothing was changed.\n`],
      );
    }
    assert.deepEqual(await readdir(join(root, 'All')), ['x-1.0.tgz']);
    assert.equal((await request('GET', target)).text, 'good');
    assert.deepEqual(log, []);
  });

  it('is one line of at most 1,000 characters, whatever the package has in it', async (test) => {
    const message = `found \u202e\n\x1b[2J${'x'.repeat(5_000)}`;
    const { request } = await startServer(test, { findRejection: async () => ({ code: 'nul-byte', message }) });
    const { status, text } = await request('PUT', target, { body: 'x' });
    assert.equal(status, 422);
    assert.match(text, /^Rejected, nul-byte: found [ -~]+ Nothing was changed\.\n$/);
    assert.ok(text.length < 1_200);
  });

  it('is none where the package cannot be read for the moment: that is a failure of the server', async (test) => {
    const failing: FindRejection = () => Promise.reject(systemError('EIO'));
    const { request, root, log } = await startServer(test, { findRejection: failing });
    const { status, text } = await request('PUT', target, { body: 'x' });
    assert.equal(status, 500);
    assert.doesNotMatch(text, /some\/path/);
    assert.deepEqual(await readdir(join(root, 'All')), []);
    assert.equal(log.length, 1);
  });

  it('waits where verdictsMax are under way, and refuses nobody', async (test) => {
    let underWay = 0;
    let mostUnderWay = 0;
    const slow: FindRejection = async () => {
      underWay += 1;
      mostUnderWay = Math.max(mostUnderWay, underWay);
      await wait(20);
      underWay -= 1;
      return undefined;
    };
    const { request } = await startServer(test, { findRejection: slow, limits: { verdictsMax: 2 } });
    const paths = Array.from({ length: 7 }, (_, number) => `/All/x-${number}.tgz`);
    const answers = await Promise.all(paths.map((path) => request('PUT', path, { body: 'x' })));
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [201]);
    assert.equal(mostUnderWay, 2);
  });
});

describe('the digest of an upload', () => {
  const body = 'a package';
  const digestOf = (algorithm: string) => createHash(algorithm).update(body).digest('base64');
  const right: readonly Record<string, string>[] = [
    { 'Content-MD5': digestOf('md5') },
    { 'Content-Digest': `sha-256=:${digestOf('sha256')}:` },
    { 'Repr-Digest': `sha-512=:${digestOf('sha512')}:` },
    { 'Content-Digest': `md5=:${digestOf('md5')}:` },
  ];
  const wrong: readonly Record<string, string>[] = [
    { 'Content-MD5': createHash('md5').update('another').digest('base64') },
    { 'Content-Digest': `sha-256=:${createHash('sha256').update('another').digest('base64')}:` },
    { 'Repr-Digest': `sha-512=:${createHash('sha512').update('another').digest('base64')}:` },
  ];
  for (const headers of right)
    it(`that is right: ${JSON.stringify(headers).slice(0, 40)}`, async (test) => {
      const { request } = await startServer(test);
      assert.equal((await request('PUT', target, { headers, body })).status, 201);
    });
  for (const headers of wrong)
    it(`that is wrong is refused, and what was there stays: ${JSON.stringify(headers).slice(0, 40)}`, async (test) => {
      const { request, root } = await startServer(test);
      assert.equal((await request('PUT', target, { body: 'before' })).status, 201);
      const { status, text } = await request('PUT', target, { headers, body });
      assert.equal(status, 400);
      assert.match(text, /^Digest mismatch: .* Nothing was changed\.\n$/);
      assert.equal((await request('GET', target)).text, 'before');
      assert.deepEqual(await readdir(join(root, 'All')), ['x-1.0.tgz']);
    });

  it('that is malformed is refused before the body is read', async (test) => {
    const running = await startServer(test, { limits: { lingerMilliseconds: 50 } });
    const fields = { 'Content-Length': '9', Expect: '100-continue', 'Content-Digest': 'sha-256=nonsense' };
    assert.equal((await running.send(head(running, fields))).status, 400);
  });

  it('is checked whatever the store makes of the failure', async (test) => {
    const wrapping: UploadReceiver = {
      remove: async () => false,
      receive: async (_, pieces) => {
        try {
          for await (const piece of pieces) assert.ok(piece.byteLength > 0);
        } catch (cause) {
          throw new Error('could not store it', { cause });
        }
        return { outcome: 'created', etag: 'e' };
      },
    };
    const { request } = await startServer(test, { uploads: wrapping });
    assert.equal((await request('PUT', target, { headers: wrong[0] ?? {}, body })).status, 400);
  });
});

describe('a server that does not overwrite', () => {
  it('refuses an upload of a package that is there, before it is sent', async (test) => {
    const running = await startServer(test, { overwrite: false });
    const { request } = running;
    assert.equal((await request('PUT', target, { body: 'one' })).status, 201);
    const { status, text } = await request('PUT', target, { body: 'two' });
    assert.deepEqual(
      [status, text],
      [409, 'All/x-1.0.tgz already exists, and this server does not replace packages.\n'],
    );
    assert.equal((await running.send(head(running, { 'Content-Length': '3', Expect: '100-continue' }))).status, 409);
    assert.equal((await request('PUT', target, { headers: { 'If-None-Match': '*' }, body: 'two' })).status, 412);
    assert.equal((await request('GET', target)).text, 'one');
  });

  it('takes it again once it is removed', async (test) => {
    const { request } = await startServer(test, { overwrite: false });
    for (const [method, status] of [
      ['PUT', 201],
      ['DELETE', 204],
      ['PUT', 201],
    ] as const)
      assert.equal((await request(method, target, method === 'PUT' ? { body: 'x' } : {})).status, status);
  });
});

describe('uploads at the same time', () => {
  it('are uploadsMax at most; another one is told to come back', async (test) => {
    const running = await startServer(test, { limits: { uploadsMax: 1 } });
    const first = connectTo(running);
    const firstAnswer = allBytes(first);
    first.write(head(running, { 'Content-Length': '3', Connection: 'close' }));
    await until('the first one is under way', () =>
      access(join(running.root, 'All')).then(
        () => true,
        () => false,
      ),
    );
    const { status, headers } = await running.request('PUT', '/y-1.0.tgz', { body: 'two' });
    assert.deepEqual([status, headers['retry-after']], [503, '5']);

    first.write('one');
    assert.equal(parseAnswer(await firstAnswer).status, 201);
    assert.equal((await running.request('PUT', '/y-1.0.tgz', { body: 'two' })).status, 201);
  });
});

describe('DELETE of a package', () => {
  it('removes it, once', async (test) => {
    const { request, put } = await startServer(test);
    await put(target, 'x');
    assert.equal((await request('DELETE', target)).status, 204);
    assert.equal((await request('DELETE', target)).status, 404);
    assert.equal((await request('GET', target)).status, 404);
  });

  it('removes nothing but packages', async (test) => {
    const { request, put, root } = await startServer(test);
    await put('All/pkg_summary.gz', 'x');
    await mkdir(join(root, 'directory.tgz'));
    for (const url of ['/All/pkg_summary.gz', '/All/', '/All', '/'])
      assert.equal((await request('DELETE', url)).status, 400);
    assert.equal((await request('GET', '/All/pkg_summary.gz')).status, 200);
  });
});

describe('access to uploads', () => {
  const uploadToken = 'a-secret-token';

  it('is for the token, by either scheme, and the token is in no log', async (test) => {
    const running = await startServer(test, { uploadToken, uploads: failingReceiver(new Error('unexpected')) });
    const basic = `Basic ${Buffer.from(`:${uploadToken}`).toString('base64')}`;
    for (const [authorization, status] of [
      [`Bearer ${uploadToken}`, 500],
      [basic, 500],
      ['Bearer another', 401],
    ] as const) {
      const answer = await running.request('PUT', target, { headers: { Authorization: authorization }, body: 'x' });
      assert.equal(answer.status, status);
    }
    assert.equal(running.log.length, 2);
    assert.ok(!running.log.join().includes(uploadToken) && !running.log.join().includes(basic));
  });

  it('says how to be let in', async (test) => {
    const running = await startServer(test);
    for (const method of ['PUT', 'DELETE']) {
      const { status, text, headers } = await running.request(method, target, { headers: { Host: 'evil.example' } });
      assert.equal(status, 401);
      assert.match(text, /--upload-token/);
      assert.match(headers['www-authenticate'] ?? '', /^Bearer realm="[^"]*", Basic realm=/);
    }
  });

  it('is refused to other sites, with a token as well', async (test) => {
    const { request } = await startServer(test, { uploadToken });
    const headers = { Authorization: `Bearer ${uploadToken}`, Origin: 'http://evil.example' };
    assert.equal((await request('PUT', target, { headers, body: 'x' })).status, 403);
  });

  it('needs a token where the server listens on every address', async (test) => {
    const { request } = await startServer(test, { host: '0.0.0.0' });
    assert.equal((await request('PUT', target, { body: 'x' })).status, 401);
    assert.equal((await request('GET', '/')).status, 200);
  });

  it('is not needed to read', async (test) => {
    const { request, put } = await startServer(test, { uploadToken });
    await put(target, 'x');
    const headers = { Origin: 'http://evil.example', Host: 'evil.example' };
    assert.equal((await request('GET', target, { headers })).text, 'x');
  });
});
