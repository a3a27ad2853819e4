/** The whole pipeline over a store, in processes of their own: what comes and goes is in the index, whatever is killed meanwhile. */

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import pMap from 'p-map';
import { run, ServingIndexer, until } from '../local/indexer-process.ts';
import { makePackage } from '../package-maker.ts';
import { readIndex } from '../pkgin-reader.ts';
import { type StoreProxy, startStoreProxy } from './store-proxy.ts';
import { newPlace, type StorePlace, type TriedStore } from './tried-store.ts';

const token = 'secret';
const authorized = { Authorization: `Bearer ${token}` };

export function pipelineSuite(name: string, open: () => Promise<TriedStore>): void {
  describe(`${name}, indexed by serve`, () => {
    let tried: TriedStore;
    let proxy: StoreProxy;
    let place: StorePlace;
    let state: string;
    let servers: ServingIndexer[];

    before(async () => {
      tried = await open();
      proxy = await startStoreProxy(tried.endpoint);
    });
    after(async () => {
      await proxy?.stop();
      await tried?.stop();
    });
    beforeEach(async () => {
      place = newPlace(tried);
      state = await mkdtemp(join(tmpdir(), 'store-pipeline-'));
      servers = [];
    });
    afterEach(async () => {
      proxy.isAway = false;
      for (const server of servers) if (!server.hasEnded) await server.kill();
      await place.close();
      await rm(state, { recursive: true, force: true });
    });

    const options = (of: string = 'table', endpoint = proxy.endpoint): string[] => [
      ...['--endpoint', endpoint, '--state', join(state, of), '--poll', '1', '--debounce', '0.3'],
      ...['--upload-token', token],
    ];

    async function serve(from = place, of = 'table'): Promise<ServingIndexer> {
      const server = await ServingIndexer.start(from.name, options(of), { startMilliseconds: 60_000 });
      servers.push(server);
      return server;
    }

    async function indexedIn(from: StorePlace): Promise<string[]> {
      const head = await from.store.head('All/pkg_summary.gz');
      if (head === undefined) return [];
      const bytes = await from.store.readRange('All/pkg_summary.gz', head.etag, 0, head.size);
      return [...readIndex(bytes, 'gz').packages.keys()].sort();
    }

    /** @returns seconds until it was so. */
    async function untilIndexed(names: readonly string[], from = place): Promise<number> {
      const start = Date.now();
      const wanted = [...names].sort().join();
      let found: string[] = [];
      await until(
        `the index has ${wanted.slice(0, 200)}`,
        async () => {
          // It may be replaced while it is read.
          found = await indexedIn(from).catch(() => []);
          return found.join() === wanted ? true : undefined;
        },
        120_000,
      ).catch((error: unknown) => {
        const output = servers.map((server) => server.output.slice(-4_000)).join('\n---\n');
        throw new Error(`${error}\nfound ${found.length}: ${found.slice(0, 20)}\n${output}`);
      });
      return (Date.now() - start) / 1_000;
    }

    const named = (count: number, prefix = 'p'): string[] =>
      Array.from({ length: count }, (_, index) => `${prefix}${index}-1.0`);

    async function putAll(names: readonly string[], to = place): Promise<void> {
      await pMap(names, (each) => to.put(`All/${each}.tgz`, makePackage({ name: each })), { concurrency: 16 });
    }

    async function upload(server: ServingIndexer, file: string, body: Uint8Array): Promise<number> {
      const url = `${server.url}/All/${encodeURIComponent(file)}`;
      const response = await fetch(url, { method: 'PUT', body, headers: authorized });
      return response.status;
    }

    it('has what is uploaded, overwritten, deleted, of several parts, bad, or has a + in its name', async (t) => {
      const server = await serve();
      const times: Record<string, number> = {};
      await place.put('All/a-1.0.tgz', makePackage({ name: 'a-1.0' }));
      times.upload = await untilIndexed(['a-1.0']);
      await place.put('All/a-1.0.tgz', makePackage({ name: 'b-1.0' }));
      times.overwrite = await untilIndexed(['b-1.0']);
      await place.put('All/gtk2+-1.0.tgz', makePackage({ name: 'gtk2+-1.0' }));
      times.plus = await untilIndexed(['b-1.0', 'gtk2+-1.0']);
      await place.put('All/bad-1.0.tgz', Buffer.from('no package'));
      await place.put('All/c-1.0.tgz', makePackage({ name: 'c-1.0' }));
      times.besideBad = await untilIndexed(['b-1.0', 'c-1.0', 'gtk2+-1.0']);
      const large = makePackage({ name: 'large-1.0', payload: { 'share/large': 20 * 1024 * 1024 } });
      assert.equal(await upload(server, 'large-1.0.tgz', large), 201);
      times.parts = await untilIndexed(['b-1.0', 'c-1.0', 'gtk2+-1.0', 'large-1.0']);
      const read = Buffer.from(await (await fetch(`${server.url}/All/large-1.0.tgz`)).arrayBuffer());
      assert.ok(read.equals(large), 'the gateway gives back what was uploaded in parts');
      for (const file of ['a-1.0.tgz', 'large-1.0.tgz']) await place.store.delete(`All/${file}`);
      times.delete = await untilIndexed(['c-1.0', 'gtk2+-1.0']);
      assert.equal(await server.interrupt(), 0);
      t.diagnostic(`seconds until the index had it: ${JSON.stringify(times)}`);
    });

    it('takes a burst of 500, and adopts a bucket of 500 with a foreign index', async (t) => {
      const names = named(500);
      await putAll(names);
      await place.put('All/pkg_summary.gz', gzipSync('PKGNAME=foreign-1.0\n\n'));
      const start = Date.now();
      const server = await serve();
      const adoption = await untilIndexed(names);
      t.diagnostic(`adopted 500 in ${(Date.now() - start) / 1_000} s, ${adoption} s of them after the start`);
      const more = named(500, 'q');
      const before = proxy.count();
      await pMap(
        more,
        async (each) =>
          assert.equal(
            await upload(server, `${each}.tgz`, makePackage({ name: each })),
            201,
            server.output.slice(-2_000),
          ),
        {
          concurrency: 8,
        },
      );
      t.diagnostic(`a burst of 500 was indexed ${await untilIndexed([...names, ...more])} s after its last upload`);
      t.diagnostic(`${((proxy.count() - before) / 500).toFixed(1)} requests to the store per upload`);
    });

    it('passes a large package both ways without memory that grows with it', async (t) => {
      const mebibytes = Number(process.env.LARGE_MEBIBYTES ?? 256);
      const server = await serve();
      const before = await server.peakMemory();
      // What follows the metadata of a package is not read.
      const head = makePackage({ name: 'large-1.0' });
      const piece = Buffer.alloc(1024 * 1024);
      async function* body() {
        yield head;
        for (let count = 0; count < mebibytes; count += 1) yield piece;
      }
      const response = await fetch(`${server.url}/All/large-1.0.tgz`, {
        method: 'PUT',
        body: Readable.from(body()),
        duplex: 'half',
        headers: authorized,
      } as RequestInit);
      assert.equal(response.status, 201, server.output);
      let bytes = 0;
      for await (const each of (await fetch(`${server.url}/All/large-1.0.tgz`)).body ?? []) bytes += each.byteLength;
      assert.equal(bytes, head.byteLength + mebibytes * piece.byteLength);
      const grown = (await server.peakMemory()) - before;
      t.diagnostic(`${mebibytes} MiB both ways: the peak of memory grew by ${Math.round(grown / 1024 / 1024)} MiB`);
      assert.ok(grown < 200 * 1024 * 1024, `${grown} bytes`);
    });

    it('of two instances in one bucket has each its own', async () => {
      const other = newPlace(tried);
      try {
        await serve();
        await serve(other, 'other');
        await putAll(named(5, 'one'));
        await putAll(named(5, 'two'), other);
        await untilIndexed(named(5, 'one'));
        await untilIndexed(named(5, 'two'), other);
      } finally {
        for (const server of servers) await server.kill();
        await other.close();
      }
    });

    it('loses no package when serve is killed during 200 uploads', async () => {
      let server = await serve();
      const names = named(200);
      let done = 0;
      await pMap(
        names,
        async (each) => {
          const file = `${each}.tgz`;
          for (;;) {
            const status = await upload(server, file, makePackage({ name: each })).catch(() => 0);
            if (status === 201 || status === 204) break;
            await new Promise((resolve) => setTimeout(resolve, 50));
          }
          done += 1;
          if (done === 60 || done === 130) {
            const killed = server;
            await killed.kill();
            // With the same table: at once.
            server = await serve();
          }
        },
        { concurrency: 8 },
      );
      await untilIndexed(names);
    });

    it('is away for 30 s, and is served, read and written again when it is back', async (t) => {
      const server = await serve();
      await putAll(named(3));
      await untilIndexed(named(3));
      proxy.isAway = true;
      assert.equal((await fetch(`${server.url}/All/p0-1.0.tgz`)).status, 503);
      assert.equal(await upload(server, 'during-1.0.tgz', makePackage({ name: 'during-1.0' })), 503);
      await putAll(['meanwhile-1.0']);
      await new Promise((resolve) => setTimeout(resolve, 30_000));
      assert.equal(server.hasEnded, false, server.output);
      proxy.isAway = false;
      const seconds = await untilIndexed([...named(3), 'meanwhile-1.0']);
      t.diagnostic(`in the index ${seconds} s after the store was back`);
      assert.doesNotMatch(server.output, /\n\s+at /, 'no stack trace');
      assert.equal(await server.interrupt(), 0);
    });

    it('refuses a second process within one interval, and has another one take over within two after a kill', async (t) => {
      const first = await serve();
      await putAll(named(3));
      await untilIndexed(named(3));
      const second = Date.now();
      const refused = await run(['serve', place.name, '--port', '0', ...options('second')]);
      const refusedAfter = (Date.now() - second) / 1_000;
      assert.match(refused.stderr, /is in use by another indexer \(process \d+ on .*stop it first/);
      assert.equal(refused.exitCode, 3);
      await putAll(named(6));
      await first.kill();
      const killed = Date.now();
      const next = await serve(place, 'second');
      const takenAfter = (Date.now() - killed) / 1_000;
      await untilIndexed(named(6));
      assert.equal(await next.interrupt(), 0);
      t.diagnostic(
        `refused after ${refusedAfter} s, taken over after ${takenAfter} s, with the start of a process each`,
      );
      // The lease's times, and a start of a process on a loaded machine.
      assert.ok(refusedAfter < 10 + 15, `${refusedAfter} s`);
      assert.ok(takenAfter < 20 + 15, `${takenAfter} s`);
    });

    it('says that credentials are wrong, and does not show them', async (t) => {
      const environment = { AWS_ACCESS_KEY_ID: 'WRONGKEY', AWS_SECRET_ACCESS_KEY: 'WRONGSECRET' };
      const { exitCode, stderr } = await run(['index', place.name, ...options().slice(0, 4)], { environment });
      if (exitCode === 0) return t.skip('this store accepts any credentials');
      assert.equal(exitCode, 3);
      assert.match(stderr, /refused the credentials|denied access/);
      assert.doesNotMatch(stderr, /WRONGSECRET|\n\s+at /);
    });
  });
}
