/** Who may see what the server is doing. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AnsweredRequest } from '../../functions/log.ts';
import { CannotListen, createHttpServer } from '../../functions/server/http-server.ts';
import { type ViewName, viewNames } from '../../functions/server/site.ts';
import { FolderReceiver, idleOperations, startServer } from './running-server.ts';

const pathsOf: Readonly<Record<ViewName, readonly string[]>> = {
  operations: ['/-/', '/-/status'],
  metrics: ['/-/metrics'],
  health: ['/-/healthz'],
};
const basic = (password: string) => ({ Authorization: `Basic ${Buffer.from(`any:${password}`).toString('base64')}` });

describe('a view', () => {
  it('is open to everybody by default', async (test) => {
    const { request } = await startServer(test);
    for (const path of Object.values(pathsOf).flat()) assert.equal((await request('GET', path)).status, 200, path);
  });

  for (const name of viewNames)
    describe(`of ${name}`, () => {
      const others = viewNames.filter((other) => other !== name).flatMap((other) => pathsOf[other]);

      it('does not exist where it is off, and the others do', async (test) => {
        const { request } = await startServer(test, { views: { [name]: { who: 'nobody' } }, uploadToken: 'upload' });
        for (const path of pathsOf[name]) {
          const { status } = await request('GET', path, { headers: { Authorization: 'Bearer upload' } });
          assert.equal(status, 404, path);
        }
        for (const path of others) assert.equal((await request('GET', path)).status, 200, path);
      });

      it('asks for a token of its own, and no other opens it', async (test) => {
        const { request } = await startServer(test, {
          views: { [name]: { who: 'token', token: 'secret' } },
          uploadToken: 'upload',
        });
        for (const path of pathsOf[name])
          for (const [headers, status] of [
            [{}, 401],
            [{ Authorization: 'Bearer upload' }, 401],
            [basic('wrong'), 401],
            [basic('secret'), 200],
            [{ Authorization: 'Bearer secret' }, 200],
          ] as const) {
            const answer = await request('GET', path, { headers });
            assert.equal(answer.status, status, `${path} ${JSON.stringify(headers)}`);
            if (status === 401) assert.match(answer.headers['www-authenticate'] ?? '', /^Basic realm="operations"/);
          }
        for (const path of others) assert.equal((await request('GET', path)).status, 200, path);
      });
    });

  it('of operations that is open, off or has a token leaves a POST to the token of uploads', async (test) => {
    const options = { headers: { 'Content-Type': 'application/json' }, body: '{"all": true}' };
    for (const permission of [{ who: 'all' }, { who: 'nobody' }, { who: 'token', token: 'secret' }] as const) {
      const { request } = await startServer(test, { views: { operations: permission }, uploadToken: 'upload' });
      const statusWith = async (headers: Readonly<Record<string, string>>) =>
        (await request('POST', '/-/retry', { ...options, headers: { ...options.headers, ...headers } })).status;
      assert.equal(await statusWith({}), 401);
      assert.equal(await statusWith({ Authorization: 'Bearer secret' }), 401);
      assert.equal(await statusWith({ Authorization: 'Bearer upload' }), 202);
    }
  });

  it('refuses a token that no client could send', () => {
    const make = (token: string) => () =>
      createHttpServer({
        root: '/',
        host: '127.0.0.1',
        uploads: new FolderReceiver('/nonexistent'),
        operations: idleOperations,
        views: { metrics: { who: 'token', token } },
      });
    for (const token of ['', 'a b', 'é'])
      assert.throws(
        make(token),
        new CannotListen('the metrics token must be ASCII without spaces, and not empty: choose another one'),
      );
    make('good');
    const events = { token: '', receive: async () => ({ hints: 0, ignored: 0, unknown: 0 }) };
    assert.throws(
      () =>
        createHttpServer({
          root: '/',
          host: '127.0.0.1',
          uploads: new FolderReceiver('/nonexistent'),
          operations: idleOperations,
          events,
        }),
      new CannotListen('the events token must be ASCII without spaces, and not empty: choose another one'),
    );
  });
});

describe('the access log', () => {
  it('has each request once, with its status and the bytes of its body', async (test) => {
    const answered: AnsweredRequest[] = [];
    const { request, put } = await startServer(test, { onAnswered: (each) => answered.push(each) });
    await put('All/x-1.0.tgz', 'x'.repeat(100_000));
    await request('GET', '/All/x-1.0.tgz');
    await request('HEAD', '/All/x-1.0.tgz');
    await request('GET', '/All/x-1.0.tgz', { headers: { Range: 'bytes=0-9' } });
    await request('GET', '/nothing?"');
    const facts = answered.map(({ client, method, target, status, bytes }) => [client, method, target, status, bytes]);
    assert.deepEqual(facts, [
      ['127.0.0.1', 'GET', '/All/x-1.0.tgz', 200, 100_000],
      ['127.0.0.1', 'HEAD', '/All/x-1.0.tgz', 200, 0],
      ['127.0.0.1', 'GET', '/All/x-1.0.tgz', 206, 10],
      ['127.0.0.1', 'GET', '/nothing?"', 404, 27],
    ]);
  });
});
