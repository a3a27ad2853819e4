import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { sumOf } from '../../functions/index/file-sum.ts';
import { compareByBytes } from '../../functions/keys.ts';
import { pageMarkBytes } from '../../functions/page/page.ts';
import type {
  Changes,
  ObjectBody,
  ObjectFacts,
  ObjectKey,
  PutOptions,
  PutOutcome,
  Row,
} from '../../functions/ports.ts';
import { type SummarizeOptions, summarize } from '../../functions/summarize.ts';
import { ManualClock } from '../adapters/manual-clock.ts';
import { MemoryObjects } from '../adapters/memory-objects.ts';
import { MemoryRecords } from '../adapters/memory-records.ts';
import { smallPage } from './small-page.ts';

const key = 'All/index.html';

/** Notes what is read of the page, and what is put. */
class WatchedObjects extends MemoryObjects {
  readonly calls: string[] = [];
  beforePut: (key: ObjectKey) => void | Promise<void> = () => undefined;

  override async head(asked: ObjectKey): Promise<ObjectFacts | undefined> {
    if (asked === key) this.calls.push('look');
    return super.head(asked);
  }

  override async readRange(asked: ObjectKey, etag: string, offset: number, length: number): Promise<Uint8Array> {
    if (asked === key) this.calls.push(length === pageMarkBytes ? 'read its beginning' : 'read');
    return super.readRange(asked, etag, offset, length);
  }

  override async put(asked: ObjectKey, body: ObjectBody, options: PutOptions): Promise<PutOutcome> {
    await this.beforePut(asked);
    const put = await super.put(asked, body, options);
    if (asked === key) this.calls.push(put.outcome === 'stored' ? 'put' : 'lost');
    return put;
  }
}

describe('the page of a repository', () => {
  let objects: WatchedObjects;
  let records: MemoryRecords;
  let clock: ManualClock;
  /** Requests for a summary of all rows. */
  let requests: number;

  beforeEach(() => {
    objects = new WatchedObjects();
    requests = 0;
    records = new MemoryRecords((_, file) => {
      if (file === undefined) requests += 1;
    });
    clock = new ManualClock(new Date('2026-01-01T00:00:00Z'));
  });

  /** Ten seconds after the one before. */
  async function run(options: SummarizeOptions = {}) {
    await clock.advance(10_000);
    objects.calls.length = 0;
    return summarize({ objects, records, clock }, 'All', { page: smallPage, ...options });
  }

  const told = (...names: readonly string[]): { changes: Changes } => ({
    changes: new Set(names.map((name) => `${name}.tgz`)),
  });

  async function add(name: string, comment = 'c'): Promise<void> {
    const file = `${name}.tgz`;
    const facts = {
      repository: 'All',
      file,
      etag: comment,
      size: 7,
      lastModified: new Date(0),
      indexedAt: new Date(0),
      rules: '',
    };
    const record = Buffer.from(`PKGNAME=${name}\nCOMMENT=${comment}\nFILE_NAME=${file}\nFILE_SIZE=7\n\n`);
    await records.putRow({ ...facts, state: 'indexed', record, warnings: [] } satisfies Row);
  }

  const remove = (name: string) => records.deleteRow('All', `${name}.tgz`);

  function assertListed(...names: readonly string[]): void {
    const files = names.map((name) => `${name}.tgz`).sort(compareByBytes);
    const { body, metadata } = objects.objects.get(key) ?? assert.fail('there is no page');
    assert.ok(Buffer.from(body).equals(smallPage.render(files)), Buffer.from(body.subarray(-500)).toString());
    assert.deepEqual(metadata, { 'page-version': smallPage.version, 'files-sha256-sum': sumOf(files) });
  }

  describe('is put', () => {
    it('with the first index, as HTML that is to be asked for again', async () => {
      for (const name of ['b-1', 'a-1', '\u{1f4e6}-1', '\u{ff5e}-1']) await add(name);
      const publication = await run();
      assert.ok(publication.outcome === 'published' && publication.page === 'put');
      assertListed('a-1', 'b-1', '\u{ff5e}-1', '\u{1f4e6}-1');
      const { contentType, cacheControl } = objects.objects.get(key) ?? assert.fail();
      assert.deepEqual([contentType, cacheControl], ['text/html; charset=utf-8', 'no-cache']);
    });

    it('with the files that come and go, made of the one that was there', async () => {
      for (const name of ['a-1', 'b-1', 'c-1']) await add(name);
      await run();
      await add('d-1');
      await remove('b-1');
      const publication = await run(told('b-1', 'd-1'));
      assert.ok(publication.outcome === 'published' && publication.page === 'put');
      assertListed('a-1', 'c-1', 'd-1');
      assert.deepEqual(objects.calls, ['look', 'read', 'put']);
      for (const name of ['a-1', 'c-1', 'd-1']) await remove(name);
      await run(told('a-1', 'c-1', 'd-1'));
      assertListed();
    });

    it('not for a package that is replaced, nor where nothing changed, nor where nothing is published', async () => {
      assert.equal((await run()).outcome, 'absent');
      assert.deepEqual(objects.calls, ['look']);
      for (const name of ['a-1', 'b-1']) await add(name);
      await run();
      await add('a-1', 'another');
      for (const options of [told('a-1'), told('a-1'), {}]) {
        const publication = await run(options);
        assert.ok('page' in publication && publication.page === 'current');
        assert.deepEqual(objects.calls, ['look']);
      }
    });

    it('by whoever comes next, where its author died behind the index: told of the same files, or of all', async () => {
      for (const next of [told('b-1'), {}]) {
        for (const name of ['a-1']) await add(name);
        await run();
        await add('b-1');
        objects.beforePut = (asked) => {
          if (asked === key) throw new Error('died');
        };
        await assert.rejects(run(told('b-1')), /died/);
        objects.beforePut = () => undefined;
        assertListed('a-1');
        const publication = await run(next);
        assert.equal(publication.outcome, 'unchanged');
        assertListed('a-1', 'b-1');
        await remove('b-1');
      }
    });

    it('by a summary of all rows, where whoever comes next is told of other files', async () => {
      await add('a-1');
      await run();
      for (const name of ['b-1', 'c-1']) await add(name);
      objects.beforePut = (asked) => {
        if (asked === key) throw new Error('died');
      };
      await assert.rejects(run(told('b-1', 'c-1')), /died/);
      objects.beforePut = () => undefined;
      requests = 0;
      const publication = await run(told('c-1'));
      assert.ok('page' in publication && publication.page === 'deferred');
      assertListed('a-1');
      assert.equal(requests, 1);
      await run();
      assertListed('a-1', 'b-1', 'c-1');
    });

    it('again once it was removed, replaced by an older one of ours, by a copy, or is of another version', async () => {
      for (const name of ['a-1', 'b-1']) await add(name);
      await run();
      const good = objects.objects.get(key) ?? assert.fail();
      const older = {
        ...good,
        body: smallPage.render([]),
        metadata: { ...good.metadata, 'files-sha256-sum': sumOf([]) },
      };
      const ofAnother = Buffer.from(Buffer.from(good.body).toString().replace('<title>', '<title>Old '));
      const changes: readonly (readonly [what: string, change: () => void])[] = [
        ['removed', () => objects.objects.delete(key)],
        ['an older one', () => objects.objects.set(key, { ...older, etag: 'older' })],
        ['a copy', () => objects.upload(key, good.body)],
        ['a copy of another version', () => objects.upload(key, ofAnother)],
        [
          'of another version',
          () => objects.objects.set(key, { ...good, etag: 'x', metadata: { 'page-version': '1' } }),
        ],
      ];
      for (const [what, change] of changes) {
        change();
        requests = 0;
        const publication = await run(told('a-1'));
        assert.ok('page' in publication && publication.page === 'deferred', what);
        assert.equal(requests, 1, what);
        await run();
        assertListed('a-1', 'b-1');
      }
    });
  });

  describe('is left alone', () => {
    it('where it is not ours, whatever is published', async () => {
      objects.upload(key, Buffer.from('<p>Welcome</p>'));
      const before = objects.objects.get(key);
      for (const [name, options] of [
        ['a-1', {}],
        ['b-1', told('b-1')],
        ['c-1', {}],
      ] as const) {
        await add(name);
        const publication = await run(options);
        assert.ok(publication.outcome === 'published' && publication.page === 'foreign');
        assert.deepEqual(objects.calls, ['look', 'read its beginning']);
      }
      assert.deepEqual(objects.objects.get(key), before);
    });

    it('where none is wanted: nobody even looks', async () => {
      await add('a-1');
      const publication = await run({ page: undefined });
      assert.ok(publication.outcome === 'published' && publication.page === 'unwanted');
      assert.deepEqual(objects.calls, []);
      assert.equal(objects.objects.has(key), false);
    });

    it('while an index that was there before us serves on', async () => {
      objects.upload('All/pkg_summary.gz', Buffer.from('of others'));
      objects.upload('All/a-1.tgz', Buffer.from('package'));
      assert.equal((await run()).outcome, 'waiting');
      assert.equal(objects.objects.has(key), false);
    });
  });

  describe('with others at the same time', () => {
    it('who put theirs in between: looks again, and leaves it, or puts its own over it', async () => {
      await add('a-1');
      await run();
      await add('b-1');
      objects.beforePut = async (asked) => {
        if (asked !== key) return;
        objects.beforePut = () => undefined;
        await add('c-1');
        await summarize({ objects, records, clock: new ManualClock(new Date('2027-01-01T00:00:00Z')) }, 'All', {
          page: smallPage,
        });
      };
      const publication = await run(told('b-1'));
      assert.equal(publication.outcome, 'published');
      assertListed('a-1', 'b-1', 'c-1');
      assert.ok(objects.calls.includes('lost'));
    });

    it('who put a page of their own there in between: it stays', async () => {
      await add('a-1');
      objects.beforePut = (asked) => {
        if (asked === key) objects.upload(key, Buffer.from('<p>Welcome</p>'));
      };
      const publication = await run();
      assert.ok(publication.outcome === 'published' && publication.page === 'foreign');
      assert.equal(Buffer.from(objects.objects.get(key)?.body ?? '').toString(), '<p>Welcome</p>');
    });

    /*
     *  this run     look: index = {a}, page = {a, b} ─ rows = {a} ─ index right │ put the page {a} ─ look again
     *  the other                                          b comes: index {a, b}, page right already
     */
    it('who published while this run put nothing but the page: the later run number tells', async () => {
      for (const name of ['a-1', 'b-1']) await add(name);
      await run();
      await remove('b-1');
      objects.beforePut = (asked) => {
        if (asked === key) throw new Error('died');
      };
      await assert.rejects(run(told('b-1')), /died/);
      objects.beforePut = async (asked) => {
        if (asked !== key) return;
        objects.beforePut = () => undefined;
        await add('b-1');
        const other = await summarize(
          { objects, records, clock: new ManualClock(new Date('2027-01-01T00:00:00Z')) },
          'All',
          { page: smallPage, ...told('b-1') },
        );
        assert.ok(other.outcome === 'published' && other.page === 'current');
      };
      await run(told('b-1'));
      assertListed('a-1', 'b-1');
    });
  });
});
