/** `serve s3://…`: the service over a store in this process, which ignores conditional puts. */

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { SystemClock } from '../functions/adapters/system-clock.ts';
import { Service } from '../functions/local-service.ts';
import { Activity } from '../functions/server/activity.ts';
import { eventsLimits } from '../functions/server/events.ts';
import type { ServiceStatus } from '../functions/server/service-status.ts';
import { type StandInStore, startStandInStore } from './adapters/store/stand-in-store.ts';
import { makePackage } from './package-maker.ts';
import { readIndex } from './pkgin-reader.ts';

const token = 'secret';

describe('serve s3://BUCKET/PREFIX', () => {
  let store: StandInStore;
  let bucket: string;
  let state: string;
  let service: Service;
  let url: string;
  const log: string[] = [];

  before(async () => {
    store = await startStandInStore();
    bucket = store.newBucket();
    state = await mkdtemp(join(tmpdir(), 'store-service-'));
    const options = {
      port: 0,
      formats: ['gz', 'zst'],
      page: true,
      debounce: 0.1,
      settle: 2,
      poll: 0.2,
      uploadToken: token,
      eventsToken: 'events',
      state,
      endpoint: store.endpoint,
    } as const;
    await put('main/All/first-1.0.tgz', makePackage({ name: 'first-1.0' }));
    await put('other/All/other-1.0.tgz', makePackage({ name: 'other-1.0' }));
    const surroundings = { log: (line: string) => log.push(line) };
    service = await Service.start(`s3://${bucket}/main`, options, new Activity(new SystemClock()), surroundings);
    url = `http://127.0.0.1:${service.port}`;
  });
  after(async () => {
    await service?.stop();
    await store.stop();
    await rm(state, { recursive: true });
  });

  async function put(key: string, body: Uint8Array): Promise<void> {
    await store.client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }));
  }

  async function indexed(): Promise<string[]> {
    const response = await fetch(`${url}/All/pkg_summary.gz`);
    if (response.status === 404) return [];
    const index = readIndex(new Uint8Array(await response.arrayBuffer()), 'gz');
    return [...index.packages.keys()].sort();
  }

  async function untilIndexed(names: readonly string[]): Promise<void> {
    const end = Date.now() + 30_000;
    for (;;) {
      const found = await indexed();
      if (found.join() === names.join()) return;
      if (Date.now() > end) assert.deepEqual(found, names, log.join('\n'));
      await setTimeout(50);
    }
  }

  const authorized = { Authorization: `Bearer ${token}` };

  it('indexes what is in its prefix', async () => {
    await untilIndexed(['first-1.0']);
    assert.ok(
      log.some((line) => /^serving s3:\/\/bucket-.*\/main on http/.test(line)),
      log.join('\n'),
    );
    assert.ok(log.some((line) => /it lacks conditional puts/.test(line)));
  });

  it('finds by polling what other programs put, replace and delete', async () => {
    await put('main/All/second-1.0.tgz', makePackage({ name: 'second-1.0' }));
    await untilIndexed(['first-1.0', 'second-1.0']);
    await store.client.send(new DeleteObjectCommand({ Bucket: bucket, Key: 'main/All/second-1.0.tgz' }));
    await untilIndexed(['first-1.0']);
  });

  it('publishes again an index that somebody replaced', async () => {
    await put('main/All/pkg_summary.gz', Buffer.from('foreign'));
    const end = Date.now() + 30_000;
    for (;;) {
      const found: string[] = await indexed().catch(() => []);
      if (found.includes('first-1.0')) break;
      assert.ok(Date.now() < end, log.join('\n'));
      await setTimeout(50);
    }
  });

  it('streams files with ranges and preconditions', async () => {
    const whole = makePackage({ name: 'first-1.0' });
    const response = await fetch(`${url}/All/first-1.0.tgz`);
    const etag = response.headers.get('etag') ?? '';
    assert.deepEqual(Buffer.from(await response.arrayBuffer()), Buffer.from(whole));
    assert.equal(response.headers.get('content-type'), 'application/gzip');
    const get = async (headers: Record<string, string>, method = 'GET') => {
      const answer = await fetch(`${url}/All/first-1.0.tgz`, { method, headers });
      return { status: answer.status, headers: answer.headers, body: Buffer.from(await answer.arrayBuffer()) };
    };
    const part = await get({ Range: 'bytes=10-19' });
    assert.deepEqual([part.status, part.body], [206, Buffer.from(whole.subarray(10, 20))]);
    assert.equal(part.headers.get('content-range'), `bytes 10-19/${whole.byteLength}`);
    assert.deepEqual((await get({ Range: 'bytes=-5' })).body, Buffer.from(whole.subarray(-5)));
    assert.equal((await get({ Range: `bytes=${whole.byteLength}-` })).status, 416);
    assert.equal((await get({ 'If-None-Match': etag })).status, 304);
    assert.equal((await get({ 'If-Match': '"other"' })).status, 412);
    const head = await get({}, 'HEAD');
    assert.deepEqual([head.headers.get('content-length'), head.body.byteLength], [`${whole.byteLength}`, 0]);
  });

  it('shows its directories and its package browser, and nothing that is hidden or elsewhere', async () => {
    const root = await (await fetch(`${url}/?list`)).text();
    assert.match(root, /<a href="All\/">/);
    assert.doesNotMatch(root, /\.indexer|other\//);
    const list = await (await fetch(`${url}/All/?list`)).text();
    assert.match(list, /<a href="first-1\.0\.tgz">/);
    assert.match(await (await fetch(`${url}/All/`)).text(), /first-1\.0\.tgz/);
    assert.equal((await fetch(`${url}/All`, { redirect: 'manual' })).status, 301);
    for (const path of ['.indexer/lease', 'none', 'All/none-1.0.tgz', 'none/', '..%2fother/All/other-1.0.tgz'])
      assert.ok([400, 404].includes((await fetch(`${url}/${path}`)).status), path);
  });

  it('takes uploads and deletions into the store, and refuses a bad package', async () => {
    const upload = (name: string, body: Uint8Array, headers: Record<string, string> = authorized) =>
      fetch(`${url}/All/${name}`, { method: 'PUT', body, headers });
    const third = makePackage({ name: 'third-1.0' });
    assert.equal((await upload('third-1.0.tgz', third, {})).status, 401);
    assert.equal((await upload('third-1.0.tgz', third)).status, 201);
    assert.equal((await upload('third-1.0.tgz', third)).status, 204);
    assert.equal((await upload('third-1.0.tgz', third, { ...authorized, 'If-None-Match': '*' })).status, 412);
    const bad = await upload('bad-1.0.tgz', Buffer.from('no package'));
    assert.deepEqual([bad.status, /not-a-package/.test(await bad.text())], [422, true]);
    assert.equal((await fetch(`${url}/All/bad-1.0.tgz`)).status, 404);
    await untilIndexed(['first-1.0', 'third-1.0']);
    const removed = await fetch(`${url}/All/third-1.0.tgz`, { method: 'DELETE', headers: authorized });
    assert.equal(removed.status, 204);
    await untilIndexed(['first-1.0']);
  });

  it('takes events of its prefix, with their token alone, and reports what it does not understand once', async () => {
    const event = (key: string) => ({
      Records: [
        { eventVersion: '2.2', eventSource: 'ceph:s3', eventName: 'ObjectCreated:Put', s3: { object: { key } } },
      ],
    });
    const post = async (body: unknown, headers: Record<string, string> = { Authorization: 'Bearer events' }) => {
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      return await fetch(`${url}/-/events`, { method: 'POST', body: text, headers });
    };
    assert.deepEqual(await (await post(event('main/All/first-1.0.tgz'))).json(), { hints: 1, ignored: 0, unknown: 0 });
    assert.deepEqual(await (await post(event('other/All/x-1.0.tgz'))).json(), { hints: 0, ignored: 1, unknown: 0 });
    for (let count = 0; count < 2; count += 1)
      assert.deepEqual(await (await post({ what: 'else' })).json(), { hints: 0, ignored: 0, unknown: 1 });
    const basic = { Authorization: `Basic ${Buffer.from('any:events').toString('base64')}` };
    assert.equal((await post(event('main/All/first-1.0.tgz'), basic)).status, 200);
    for (const headers of [{}, authorized]) assert.equal((await post(event('main/All/x.tgz'), headers)).status, 401);
    assert.equal((await post('no JSON')).status, 400);
    assert.equal((await post('')).status, 400);
    const atLimit = JSON.stringify('x'.repeat(eventsLimits.eventsBytesMax - 2));
    assert.equal((await post(atLimit)).status, 200);
    assert.equal((await post(`${atLimit} `)).status, 413);
    const told = log.filter((line) => /an event was not understood: .* an object with what/.test(line));
    assert.equal(told.length, 1, log.join('\n'));
    const { events, store: abilities } = (await (await fetch(`${url}/-/status`)).json()) as ServiceStatus;
    assert.deepEqual(events, { hints: 2, ignored: 1, unknown: 3 });
    assert.equal(abilities?.conditionalPuts, 'no');
  });

  it('says in its status that it polls', async () => {
    const status = (await (await fetch(`${url}/-/status`)).json()) as { polled: { reason: string }[] };
    assert.equal(status.polled[0]?.reason, 'a store reports no changes: it is compared every 0.2 s');
  });
});
