/** The server behind a real nginx, with the shortest configuration that works: it sends no forwarding header, and our own Host. */

import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, describe, it, type TestContext } from 'node:test';
import type { HttpServerSettings } from '../../functions/server/http-server.ts';
import { freePorts } from '../free-ports.ts';
import {
  allBytes,
  parseAnswer,
  type RawAnswer,
  type RequestOptions,
  requestBytes,
  startServer,
  until,
} from './running-server.ts';

const target = '/All/x-1.0.tgz';
const uploadToken = 'a-secret-token';

describe('behind a default nginx', () => {
  before(() => {
    assert.equal(spawnSync('nginx', ['-v']).status, 0, 'this needs nginx: apt-get install nginx');
  });

  it('nobody uploads or deletes without a token', async (test) => {
    const { request, put } = await startBehindNginx(test, {});
    await put(target, 'there');
    for (const [method, body] of [
      ['PUT', 'x'],
      ['DELETE', ''],
    ] as const) {
      const { status, text } = await request(method, target, { body });
      assert.equal(status, 403);
      assert.match(text, /--upload-token .*--local-uploads/);
    }
    assert.equal((await request('GET', target)).text, 'there');
  });

  it('a client with the token uploads and deletes, and no other', async (test) => {
    const { request } = await startBehindNginx(test, { uploadToken });
    const headers = { Authorization: `Bearer ${uploadToken}` };
    assert.equal((await request('PUT', target, { body: 'x' })).status, 401);
    assert.equal((await request('PUT', target, { headers, body: 'x' })).status, 201);
    assert.equal((await request('DELETE', target)).status, 401);
    assert.equal((await request('DELETE', target, { headers })).status, 204);
  });

  it('everybody reads: whole files, ranges, what has not changed, and directories', async (test) => {
    const { request, put } = await startBehindNginx(test, {});
    await put('All/gtk2+-2.24.tgz', 'package gtk2+');
    const whole = await request('GET', '/All/gtk2%2B-2.24.tgz');
    assert.deepEqual([whole.status, whole.text], [200, 'package gtk2+']);
    const part = await request('GET', '/All/gtk2+-2.24.tgz', { headers: { Range: 'bytes=8-' } });
    assert.deepEqual([part.status, part.text], [206, 'gtk2+']);
    const unchanged = { 'If-None-Match': whole.headers.etag ?? '' };
    assert.equal((await request('GET', '/All/gtk2+-2.24.tgz', { headers: unchanged })).status, 304);
    assert.equal((await request('HEAD', '/All/')).status, 200);
  });
});

interface Proxied {
  request(method: string, path: string, options?: RequestOptions): Promise<RawAnswer>;
  put(path: string, content: string): Promise<string>;
}

async function startBehindNginx(test: TestContext, settings: Partial<HttpServerSettings>): Promise<Proxied> {
  const { port: backend, put } = await startServer(test, { localUploads: false, ...settings });
  const directory = await mkdtemp(join(tmpdir(), 'nginx-'));
  const [port = 0] = await freePorts(1);
  await mkdir(join(directory, 'temporary'));
  await writeFile(join(directory, 'nginx.conf'), configuration(directory, port, backend));
  const nginx = spawn('nginx', ['-p', directory, '-c', join(directory, 'nginx.conf'), '-e', 'stderr'], {
    stdio: 'inherit',
  });
  test.after(async () => {
    await stopped(nginx);
    await rm(directory, { recursive: true });
  });
  await until('nginx listens', () => isListening(port));
  return {
    put,
    request: async (method, path, options = {}) => {
      const socket = connect(port, '127.0.0.1');
      socket.write(requestBytes(method, path, port, options));
      return parseAnswer(await allBytes(socket));
    },
  };
}

/** Its own directories, so that it needs no root and disturbs no other nginx; `location` is all that a user has to write. */
function configuration(directory: string, port: number, backend: number): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${directory}/temporary/${name};`,
  );
  return `daemon off;
master_process off;
pid ${directory}/nginx.pid;
events {}
http {
  access_log off;
  ${temporary.join('\n  ')}
  server {
    listen 127.0.0.1:${port};
    location / { proxy_pass http://127.0.0.1:${backend}; }
  }
}
`;
}

async function isListening(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  child.kill();
  await once(child, 'exit');
}
