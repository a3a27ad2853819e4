import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { Agent, get, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { CannotListen, createHttpServer } from '../../functions/server/http-server.ts';
import { serverLimits } from '../../functions/server/server-limits.ts';
import {
  allBytes,
  FolderReceiver,
  idleOperations,
  idleStatus,
  openFilesBelow,
  parseAnswer,
  type RunningServer,
  requestBytes,
  startServer,
  until,
} from './running-server.ts';

async function connected({ port }: RunningServer): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

const isOpen = (socket: Socket): boolean => !socket.destroyed;

describe('the routes below /-/', () => {
  it('tell that the server is healthy', async (test) => {
    const { request } = await startServer(test);
    const { status, text } = await request('GET', '/-/healthz');
    assert.deepEqual([status, text], [200, 'ok\n']);
  });

  it('tell the status as JSON', async (test) => {
    const status = { ...idleStatus, counts: { ...idleStatus.counts, uploads: 3 } };
    const { request } = await startServer(test, { operations: { ...idleOperations, status: async () => status } });
    const answer = await request('GET', '/-/status');
    assert.deepEqual(
      [answer.status, answer.headers['content-type'], answer.headers['cache-control']],
      [200, 'application/json', 'no-store'],
    );
    assert.deepEqual(JSON.parse(answer.text), status);
  });

  it('never put a character into the log that changes the terminal or the direction of the text', async (test) => {
    const status = async (): Promise<never> => {
      throw new Error('\u202egnp.tgz \x1b[2J');
    };
    const { request, log } = await startServer(test, { operations: { ...idleOperations, status } });
    assert.equal((await request('GET', '/-/status')).status, 500);
    assert.match(log.join(), /Error: \\u202egnp\.tgz \\x1b\[2J/);
  });

  it('fail with a sentence where the status does, and log why on one line', async (test) => {
    const status = async (): Promise<never> => {
      throw new Error('the table\nis gone');
    };
    const { request, log } = await startServer(test, { operations: { ...idleOperations, status } });
    const answer = await request('GET', '/-/status');
    assert.equal(answer.status, 500);
    assert.doesNotMatch(answer.text, /table|at /);
    assert.match(log.join(), /GET \/-\/status: Error: the table \| is gone/);
    assert.ok(!log.join().includes('\n'));
  });

  for (const [method, target, status, allow] of [
    ['PUT', '/-/status', 405, 'GET, HEAD'],
    ['POST', '/-/healthz', 405, 'GET, HEAD'],
    ['GET', '/-/nothing', 404, undefined],
    ['PUT', '/-/x-1.0.tgz', 404, undefined],
    ['POST', '/All/', 405, 'GET, HEAD, PUT, DELETE'],
    ['OPTIONS', '/All/', 405, 'GET, HEAD, PUT, DELETE'],
    ['PATCH', '/All/x.tgz', 405, 'GET, HEAD, PUT, DELETE'],
    ['TRACE', '/', 405, 'GET, HEAD, PUT, DELETE'],
    ['PROPFIND', '/', 405, 'GET, HEAD, PUT, DELETE'],
  ] as const)
    it(`answer ${method} ${target} with ${status}`, async (test) => {
      const { request } = await startServer(test);
      const answer = await request(method, target);
      assert.deepEqual([answer.status, answer.headers.allow], [status, allow]);
    });
});

describe('a request', () => {
  it('has one Host', async (test) => {
    const { send } = await startServer(test);
    assert.equal((await send('GET / HTTP/1.1\r\nConnection: close\r\n\r\n')).status, 400);
    assert.equal((await send('GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n')).status, 400);
    assert.equal((await send('GET / HTTP/1.0\r\n\r\n')).status, 200);
  });

  it('may have the absolute form, whose host counts instead of the header', async (test) => {
    const { request, put, port } = await startServer(test);
    await put('All/x-1.0.tgz', 'package x');
    assert.equal((await request('GET', `http://127.0.0.1:${port}/All/x-1.0.tgz`)).text, 'package x');
    assert.equal((await request('GET', 'http://packages.example/All/x-1.0.tgz')).text, 'package x');
    const body = 'x';
    const headers = { Host: 'localhost' };
    assert.equal((await request('PUT', 'http://evil.example/All/y-1.0.tgz', { headers, body })).status, 401);
    const elsewhere = { Host: 'packages.example' };
    assert.equal((await request('PUT', 'http://localhost/All/y-1.0.tgz', { headers: elsewhere, body })).status, 201);
  });

  it('has headerFieldsMax fields at most', async (test) => {
    const { request } = await startServer(test);
    const fields = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, number) => [`X-${number}`, '']));
    // Host and Connection come on top.
    assert.equal((await request('GET', '/', { headers: fields(serverLimits.headerFieldsMax - 2) })).status, 200);
    assert.equal((await request('GET', '/', { headers: fields(serverLimits.headerFieldsMax - 1) })).status, 431);
  });

  it('has a header of headerBytesMax bytes at most', async (test) => {
    const { request } = await startServer(test);
    const ofLength = (bytes: number) => request('GET', '/', { headers: { 'X-Long': 'x'.repeat(bytes) } });
    assert.equal((await ofLength(serverLimits.headerBytesMax - 200)).status, 200);
    assert.equal((await ofLength(serverLimits.headerBytesMax)).status, 431);
  });

  it('is cut off where its header does not end', async (test) => {
    const { send } = await startServer(test, { limits: { headersMilliseconds: 100 } });
    for (const beginning of ['GET / HTTP/1.1\r\nX: ', '']) assert.equal((await send(beginning)).status, 408);
  });

  it('with a body that nobody wants is answered all the same', async (test) => {
    const { send, port } = await startServer(test, { limits: { lingerMilliseconds: 100 } });
    const answer = await send(`GET /-/healthz HTTP/1.1\r\nHost: x:${port}\r\nContent-Length: 100\r\n\r\nhalf`);
    assert.deepEqual([answer.status, answer.headers.connection], [200, 'close']);
  });

  it('that cannot be read never garbles the answer to the one before', async (test) => {
    const running = await startServer(test);
    const content = randomBytes(24 * 1024 * 1024);
    await running.put('big.tgz', content);
    const socket = await connected(running);
    const request = requestBytes('GET', '/big.tgz', running.port, { headers: { Connection: 'keep-alive' } });
    socket.write(Buffer.concat([request, Buffer.from('nonsense\r\n\r\n')]));
    const { body } = parseAnswer(await allBytes(socket));
    assert.ok(body.equals(content.subarray(0, body.length)));
  });

  it('is answered in its turn where several come at once', async (test) => {
    const { send, put, port } = await startServer(test);
    await put('a', 'one');
    await put('b', 'two');
    const lines = (target: string) => `GET ${target} HTTP/1.1\r\nHost: x:${port}\r\n`;
    const socket = connect(port, '127.0.0.1');
    socket.write(`${lines('/a')}\r\n${lines('/-/healthz')}\r\n${lines('/b')}Connection: close\r\n\r\n`);
    const text = (await allBytes(socket)).toString();
    assert.deepEqual(text.match(/^(one|ok|two)/gm), ['one', 'ok', 'two']);
    assert.equal((await send('GET /a HTTP/1.0\r\n\r\n')).text, 'one');
  });
});

describe('a connection', () => {
  it('serves one request after another', async (test) => {
    const { put, port } = await startServer(test);
    await put('a', 'one');
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    test.after(() => agent.destroy());
    const ports = new Set<number | undefined>();
    for (const path of ['/a', '/', '/nothing', '/-/healthz', '/a']) {
      const [response] = (await once(get({ port, path, agent }), 'response')) as [IncomingMessage];
      ports.add(response.socket.localPort);
      response.resume();
      await once(response, 'end');
    }
    assert.equal(ports.size, 1);
  });

  it('is closed where it stays idle', async (test) => {
    const { port } = await startServer(test, { limits: { idleMilliseconds: 50 } });
    const socket = connect(port, '127.0.0.1');
    socket.write(`GET /-/healthz HTTP/1.1\r\nHost: x:${port}\r\n\r\n`);
    assert.equal(parseAnswer(await allBytes(socket)).text, 'ok\n');
  });

  it('is closed where its client does not read', async (test) => {
    const running = await startServer(test, { limits: { progressMilliseconds: 200 } });
    await running.put('big.tgz', Buffer.alloc(24 * 1024 * 1024));
    const socket = await connected(running);
    socket.write(requestBytes('GET', '/big.tgz', running.port, {}));
    await until('a line in the log', () => running.log.length > 0);
    assert.equal(running.log[0], 'GET /big.tgz: the client read nothing for 0.2 s');
    socket.destroy();
  });

  it('may be closed by its client in the middle of a download', async (test) => {
    const running = await startServer(test);
    await running.put('big.tgz', Buffer.alloc(24 * 1024 * 1024));
    for (let times = 0; times < 5; times += 1) {
      const socket = await connected(running);
      socket.write(requestBytes('GET', '/big.tgz', running.port, {}));
      await once(socket, 'data');
      socket.destroy();
    }
    await until('every file is closed again', async () => (await openFilesBelow(running.root)) === 0);
    assert.deepEqual(running.log, []);
    assert.equal((await running.request('GET', '/-/healthz')).status, 200);
  });

  it('may be closed while further requests wait for their turn', async (test) => {
    const running = await startServer(test);
    await running.put('big.tgz', Buffer.alloc(24 * 1024 * 1024));
    const socket = await connected(running);
    const request = requestBytes('GET', '/big.tgz', running.port, { headers: { Connection: 'keep-alive' } });
    socket.write(Buffer.concat([request, request, request]));
    await once(socket, 'data');
    assert.ok((await openFilesBelow(running.root)) <= 1, 'one request of a connection at a time');
    socket.destroy();
    const start = performance.now();
    await running.server.close();
    assert.ok(performance.now() - start < serverLimits.closeMilliseconds);
    assert.deepEqual(running.log, []);
  });

  it('may be one of connectionsMax', async (test) => {
    const running = await startServer(test, { limits: { connectionsMax: 2 } });
    const first = await connected(running);
    const second = await connected(running);
    assert.equal((await running.request('GET', '/-/healthz')).status, 0);
    first.destroy();
    await until('there is room again', async () => (await running.request('GET', '/-/healthz')).status === 200);
    second.destroy();
  });

  it('has room beside a thousand idle ones', async (test) => {
    const running = await startServer(test);
    const idle = await Promise.all(Array.from({ length: 1_000 }, () => connected(running)));
    assert.equal((await running.request('PUT', '/x-1.0.tgz', { body: 'x' })).status, 201);
    assert.ok(idle.every(isOpen));
    for (const socket of idle) socket.destroy();
  });

  it('serves connectionRequestsMax requests at most', async (test) => {
    const { port } = await startServer(test, { limits: { connectionRequestsMax: 2 } });
    const socket = connect(port, '127.0.0.1');
    socket.write(`GET /-/healthz HTTP/1.1\r\nHost: x:${port}\r\n\r\n`.repeat(2));
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk;
    });
    await until('two answers', () => text.match(/^ok/gm)?.length === 2);
    assert.deepEqual(text.match(/^Connection: .*/gm), ['Connection: keep-alive', 'Connection: close']);
    socket.write(`GET /-/healthz HTTP/1.1\r\nHost: x:${port}\r\n\r\n`);
    await until('a refusal', () => text.includes('HTTP/1.1 503'));
    socket.destroy();
  });
});

describe('listening', () => {
  const settings = { host: '127.0.0.1', root: tmpdir(), uploads: new FolderReceiver('/'), operations: idleOperations };
  const failsWith = (message: RegExp) => (error: unknown) =>
    error instanceof CannotListen && message.test(error.message);

  it('tells the address', async (test) => {
    const server = createHttpServer(settings);
    test.after(() => server.close());
    const { address, port } = await server.listen(0);
    assert.equal(address, '127.0.0.1');
    assert.ok(port > 0);
  });

  it('fails with a sentence on a port in use', async (test) => {
    const { port } = await startServer(test);
    const expected = `port ${port} is in use: stop the other program or choose --port`;
    await assert.rejects(createHttpServer(settings).listen(port), failsWith(new RegExp(`^${expected}$`)));
  });

  it('fails with a sentence on an address of another machine', () =>
    assert.rejects(createHttpServer({ ...settings, host: '192.0.2.1' }).listen(0), failsWith(/choose another --host/)));

  it('fails with a sentence where there is nothing to serve', async (test) => {
    const { put } = await startServer(test);
    const file = await put('file', '');
    for (const root of [join(file, '..', 'nothing'), file])
      await assert.rejects(createHttpServer({ ...settings, root }).listen(0), failsWith(/^cannot serve .*name/));
  });

  for (const uploadToken of ['', ' ', 'two words', 'tokën', 'line\n'])
    it(`is refused with ${JSON.stringify(uploadToken)} for a token`, () =>
      assert.throws(() => createHttpServer({ ...settings, uploadToken }), failsWith(/token/)));
});

describe('closing', () => {
  it('is no error before listening, or twice', async (test) => {
    const { server } = await startServer(test);
    await server.close();
    await server.close();
    await createHttpServer({
      host: '127.0.0.1',
      root: tmpdir(),
      uploads: new FolderReceiver('/'),
      operations: idleOperations,
    }).close();
  });

  it('does not wait for connections without a request', async (test) => {
    const running = await startServer(test);
    const silent = await connected(running);
    const served = await connected(running);
    served.write(`GET /-/healthz HTTP/1.1\r\nHost: x:${running.port}\r\n\r\n`);
    await once(served, 'data');
    const start = performance.now();
    await running.server.close();
    assert.ok(performance.now() - start < serverLimits.closeMilliseconds);
    await until('both are closed', () => !isOpen(silent) && !isOpen(served));
  });

  it('lets an upload and a download finish, and takes no further request', async (test) => {
    const running = await startServer(test);
    const content = randomBytes(24 * 1024 * 1024);
    await running.put('big.tgz', content);

    const upload = await connected(running);
    const uploaded = allBytes(upload);
    const half = Buffer.alloc(50_000, 'x');
    upload.write(
      requestBytes('PUT', '/All/x-1.0.tgz', running.port, {
        headers: { 'Content-Length': '100000', Connection: 'keep-alive' },
        body: half,
      }),
    );
    const download = await connected(running);
    download.write(requestBytes('GET', '/big.tgz', running.port, { headers: { Connection: 'keep-alive' } }));
    await once(download, 'readable');
    await until('the upload is under way', async () => (await readdir(running.root)).includes('All'));

    const closed = running.server.close();
    const refused = connect(running.port, '127.0.0.1');
    const [error] = await once(refused, 'error');
    assert.equal(error.code, 'ECONNREFUSED');
    upload.write(half);
    const { status, headers } = parseAnswer(await uploaded);
    assert.deepEqual([status, headers.connection], [201, 'close']);
    assert.ok(parseAnswer(await allBytes(download)).body.equals(content));
    await closed;
    assert.deepEqual(running.log, []);
  });

  it('takes an upload whose request had begun, from whom it takes one at other times', async (test) => {
    const running = await startServer(test);
    const upload = await connected(running);
    const uploaded = allBytes(upload);
    const bytes = requestBytes('PUT', '/All/x-1.0.tgz', running.port, { body: 'x' });
    upload.write(bytes.subarray(0, 20));
    const other = await connected(running);
    other.write(
      requestBytes('PUT', '/All/y-1.0.tgz', running.port, { headers: { 'Content-Length': '10' }, body: 'y' }),
    );
    await until('the other one is under way', async () => (await readdir(running.root)).includes('All'));
    const closed = running.server.close();
    upload.write(bytes.subarray(20));
    assert.equal(parseAnswer(await uploaded).status, 201);
    other.end('yyyyyyyyy');
    await closed;
    assert.deepEqual((await readdir(join(running.root, 'All'))).sort(), ['x-1.0.tgz', 'y-1.0.tgz']);
  });

  it('cuts off what is not finished in time, and keeps nothing of it', async (test) => {
    const running = await startServer(test, { limits: { closeMilliseconds: 100 } });
    const upload = await connected(running);
    upload.write(
      requestBytes('PUT', '/All/x-1.0.tgz', running.port, { headers: { 'Content-Length': '100' }, body: 'x' }),
    );
    await until('the upload is under way', async () => (await readdir(running.root)).includes('All'));
    await running.server.close();
    assert.deepEqual(await readdir(join(running.root, 'All')), []);
    assert.equal(running.log.length, 1);
  });
});
