/**
 * Many clients at once, and clients that mean harm or have died: whoever uploads or reads meanwhile does not notice.
 *
 * `npm run torture -- --load 5000` runs the first test at that size.
 */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { serverLimits } from '../../functions/server/server-limits.ts';
import { noise } from '../package-maker.ts';
import { inTemporaryDirectory, ServingIndexer, until } from './indexer-process.ts';
import type { LoadResult } from './load-clients.ts';
import { expectedSummary, makeRepository, packagesIn, untilServed, upload } from './made-repository.ts';

const uploads = Number(process.env.TORTURE_LOAD ?? 1_000);

test(`${uploads} packages uploaded by 64 clients while 64 readers fetch the index without pause`, async (t) => {
  await inTemporaryDirectory(async (directory) => {
    await mkdir(join(directory, 'All'));
    await makeRepository(directory, 1, 9_999);
    // Published every second, so that readers see many indexes come and go.
    const indexer = await ServingIndexer.start(directory, ['--debounce', '0.1']);
    await untilServed(indexer.url, await expectedSummary(directory));
    const result = await loadFrom(indexer.url);
    const begin = performance.now();
    const expected = await expectedSummary(directory);
    await untilServed(indexer.url, expected, 60_000);
    const behind = performance.now() - begin;
    const memory = await indexer.peakMemory();
    assert.equal(await indexer.interrupt(), 0);
    const { readMilliseconds: reads, uploadMilliseconds: sent } = result;
    t.diagnostic(
      `${(result.uploads / result.uploadSeconds).toFixed(0)} uploads/s (p50 ${sent.p50} ms, p99 ${sent.p99} ms); the last one in the index after ${(behind / 1000).toFixed(1)} s`,
    );
    t.diagnostic(
      `${result.reads} reads of ${result.indexes} indexes, ${(result.reads / result.uploadSeconds).toFixed(0)}/s: p50 ${reads.p50} ms, p99 ${reads.p99} ms, longest ${reads.max} ms`,
    );
    t.diagnostic(`peak memory of the server ${(memory / 1e6).toFixed(0)} MB`);
    assert.deepEqual(result.failures, []);
    assert.equal(result.uploads, uploads);
    assert.ok(result.reads >= 64);
    assert.equal((await packagesIn(directory)).length, uploads + 1);
    assert.ok(memory < 400e6, `${memory} bytes`);
  });
});

async function loadFrom(url: string): Promise<LoadResult> {
  const clients = fileURLToPath(new URL('load-clients.ts', import.meta.url));
  const child = spawn(process.execPath, [clients, url, String(uploads), '64', '64'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  await once(child, 'close');
  return JSON.parse(output) as LoadResult;
}

test('1,000 idle connections, and 500 with half a header, do not stop an upload, and are closed in time', async (t) => {
  await inTemporaryDirectory(async (directory) => {
    await makeRepository(directory, 1);
    const indexer = await ServingIndexer.start(directory);
    await untilServed(indexer.url, await expectedSummary(directory));
    const idle = await open(indexer.url, 1_000);
    const half = await open(indexer.url, 500, 'GET /All/pkg_summary.gz HTTP/1.1\r\nHost: x\r\nX-Slow: ');
    for (const socket of [...idle, ...half]) socket.resume();
    const opened = performance.now();
    const [status] = await upload(indexer.url, 'more-1.0');
    const milliseconds = performance.now() - opened;
    assert.equal(status, 201);
    assert.ok(milliseconds < 2_000, `${milliseconds} ms`);
    assert.ok(idle.concat(half).filter(isOpen).length > 1_400, 'they were there meanwhile');
    await untilServed(indexer.url, await expectedSummary(directory));
    const memory = await indexer.peakMemory();
    await until('all of them are closed', () => (idle.concat(half).some(isOpen) ? undefined : true), 30_000);
    const seconds = (performance.now() - opened) / 1000;
    assert.ok(seconds < serverLimits.headersMilliseconds / 1000 + 5, `${seconds} s`);
    assert.equal(await indexer.interrupt(), 0);
    t.diagnostic(
      `upload in ${milliseconds.toFixed(0)} ms, all closed after ${seconds.toFixed(1)} s, peak memory ${(memory / 1e6).toFixed(0)} MB`,
    );
  });
});

test('63 uploads and 64 downloads that stand still: others are served, one more upload, too; Ctrl-C ends it all, and leaves nothing', async (t) => {
  await inTemporaryDirectory(async (directory) => {
    await makeRepository(directory, 1);
    await writeFile(join(directory, 'large-1.0.tar'), noise(8_000_000));
    const indexer = await ServingIndexer.start(directory);
    await untilServed(indexer.url, await expectedSummary(directory));
    const readers = await open(indexer.url, 64, 'GET /large-1.0.tar HTTP/1.1\r\nHost: localhost\r\n\r\n');
    const uploaders = await open(
      indexer.url,
      serverLimits.uploadsMax - 1,
      (number) => `PUT /All/slow${number}-1.0.tgz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\nslow`,
    );
    await until(
      'their uploads are under way',
      async () => (await temporaryFiles(directory)).length === 63 || undefined,
    );
    assert.equal((await upload(indexer.url, 'quick-1.0'))[0], 201);
    await untilServed(indexer.url, await expectedSummary(directory));

    const [last] = await open(
      indexer.url,
      1,
      'PUT /All/slow-1.0.tgz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nslow',
    );
    await until('it is under way', async () => (await temporaryFiles(directory)).length === 64 || undefined);
    const [status, text] = await upload(indexer.url, 'late-1.0');
    assert.deepEqual([status, text], [503, 'Too many uploads at once: the limit is 64. Try again in a few seconds.\n']);
    last?.destroy();
    await until('there is room again', async () => (await upload(indexer.url, 'late-1.0'))[0] === 201 || undefined);
    await untilServed(indexer.url, await expectedSummary(directory));

    const begin = performance.now();
    assert.equal(await indexer.interrupt(), 0);
    const seconds = (performance.now() - begin) / 1000;
    assert.ok(seconds < serverLimits.closeMilliseconds / 1000 + 3, `${seconds} s`);
    assert.deepEqual(await temporaryFiles(directory), []);
    assert.deepEqual(await packagesIn(directory), ['late-1.0.tgz', 'made0000-1.0.tgz', 'quick-1.0.tgz']);
    for (const socket of [...readers, ...uploaders]) socket.destroy();
    t.diagnostic(`ended ${seconds.toFixed(1)} s after Ctrl-C`);
  });
});

/** Connections that send this, and then nothing; what is answered is not read: see `resume`. */
async function open(url: string, count: number, send: string | ((number: number) => string) = ''): Promise<Socket[]> {
  const { hostname, port } = new URL(url);
  const sockets: Socket[] = [];
  for (let number = 0; number < count; number += 1) {
    const socket = connect(Number(port), hostname);
    socket.on('error', () => {});
    await once(socket, 'connect');
    socket.write(typeof send === 'string' ? send : send(number));
    sockets.push(socket);
  }
  return sockets;
}

function isOpen(socket: Socket): boolean {
  return !socket.destroyed;
}

async function temporaryFiles(directory: string): Promise<string[]> {
  return (await readdir(join(directory, 'All'))).filter((file) => file.startsWith('.indexer-tmp'));
}
