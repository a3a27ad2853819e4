import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { beforeEach, describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { gunzipSync, gzipSync } from 'node:zlib';
import { confirm } from '../functions/index/confirmation.ts';
import { sumOf } from '../functions/index/file-sum.ts';
import {
  aliasMetadata,
  type ObjectBody,
  type ObjectFacts,
  type ObjectKey,
  type PutOptions,
  type PutOutcome,
  type Row,
} from '../functions/ports.ts';
import { type SummarizeOptions, summarize, summarizeLimits } from '../functions/summarize.ts';
import { ManualClock } from './adapters/manual-clock.ts';
import { MemoryObjects } from './adapters/memory-objects.ts';
import { MemoryRecords } from './adapters/memory-records.ts';
import { readIndex } from './pkgin-reader.ts';

const start = new Date('2026-01-01T00:00:00.300Z');
const uploadedAt = new Date('2025-12-31T00:00:00Z');

/** A bucket that notes what is put and deleted, and in which something may happen before it is. */
class WatchedObjects extends MemoryObjects {
  /** `put pkg_summary.gz`, `lost pkg_summary.gz`, `delete pkg_summary.xz`. */
  readonly writes: string[] = [];
  beforePut: (key: ObjectKey) => void | Promise<void> = () => undefined;
  /** Called when an index was looked at for the first time in a pass. */
  afterLook: () => void | Promise<void> = () => undefined;

  override async head(key: ObjectKey): Promise<ObjectFacts | undefined> {
    const facts = await super.head(key);
    if (key.endsWith('pkg_summary.gz')) await this.afterLook();
    return facts;
  }

  override async put(key: ObjectKey, body: ObjectBody, options: PutOptions): Promise<PutOutcome> {
    await this.beforePut(key);
    const put = await super.put(key, body, options);
    this.writes.push(`${put.outcome === 'stored' ? 'put' : 'lost'} ${key.replace('All/', '')}`);
    return put;
  }

  override async delete(key: ObjectKey): Promise<void> {
    await super.delete(key);
    this.writes.push(`delete ${key.replace('All/', '')}`);
  }
}

describe('summarize', () => {
  let objects: WatchedObjects;
  let records: MemoryRecords;
  let clock: ManualClock;

  beforeEach(() => {
    objects = new WatchedObjects();
    records = new MemoryRecords();
    clock = new ManualClock(start);
  });

  /** Time goes on wherever somebody waits for it. */
  async function run(options?: SummarizeOptions) {
    let isOver = false;
    const running = summarize({ objects, records, clock }, 'All', options).finally(() => {
      isOver = true;
    });
    const time = (async () => {
      while (!isOver) {
        if (!(await clock.advanceToNext())) await setImmediate();
      }
    })();
    const [publication] = await Promise.all([running, time]);
    return publication;
  }

  function recordFor(name: string): string {
    return `PKGNAME=${name}\nCOMMENT=c\nFILE_NAME=${name}.tgz\nFILE_SIZE=7\n\n`;
  }

  function rowFor(name: string, more: Partial<Row> = {}): Row {
    const facts = {
      repository: 'All',
      file: `${name}.tgz`,
      etag: `etag of ${name}`,
      size: 7,
      lastModified: uploadedAt,
    };
    const record = Buffer.from(recordFor(name));
    return { ...facts, indexedAt: clock.now(), rules: '', state: 'indexed', record, warnings: [], ...more } as Row;
  }

  async function addRow(name: string, more?: Partial<Row>): Promise<void> {
    await records.putRow(rowFor(name, more));
  }

  async function addRejected(name: string, etag = `etag of ${name}`): Promise<void> {
    const { record, warnings, ...facts } = rowFor(name) as Row & { state: 'indexed' };
    await records.putRow({ ...facts, etag, state: 'rejected', reason: { code: 'empty', message: 'm' } });
  }

  function index(format: 'gz' | 'zst' | 'xz' | 'bz2') {
    return objects.objects.get(`All/pkg_summary.${format}`);
  }

  /** Both indexes hold these records, or one line feed. */
  function assertPublished(...names: string[]): void {
    const text = names.length === 0 ? '\n' : names.map(recordFor).join('');
    for (const format of ['gz', 'zst'] as const)
      assert.equal(Buffer.from(readIndex(index(format)?.body ?? Buffer.alloc(0), format).summary).toString(), text);
  }

  /** A package in the bucket, with the ETag that `addRow` gives its row. */
  function addPackage(name: string, etag = `etag of ${name}`, metadata = {}): void {
    const facts = { etag, size: 7, lastModified: uploadedAt, metadata };
    objects.objects.set(`All/${name}.tgz`, { ...facts, body: new Uint8Array(7), contentType: '' });
  }

  describe('publishes', () => {
    it('the records in the order of the files, in every format, gz first', async () => {
      for (const name of ['b-1.0', 'a-1.0', 'a-10', 'B-1.0', 'é-1.0']) await addRow(name);
      const publication = await run();
      assertPublished('B-1.0', 'a-1.0', 'a-10', 'b-1.0', 'é-1.0');
      assert.deepEqual(objects.writes, ['put pkg_summary.gz', 'put pkg_summary.zst']);
      assert.ok(publication.outcome === 'published');
      assert.equal(publication.summary.records, 5);
      assert.equal(publication.bytes, (index('gz')?.size ?? 0) + (index('zst')?.size ?? 0));
      assert.deepEqual(publication.publishedAt, new Date('2026-01-01T00:00:00Z'));
    });

    it('with what it changed, where that is asked for', async () => {
      const changesOf = async (options: SummarizeOptions) => {
        const publication = await run({ describe: true, ...options });
        assert.ok(publication.outcome === 'published');
        return publication.difference;
      };
      for (const name of ['a-1.0', 'b-1.0']) await addRow(name);
      assert.deepEqual(await changesOf({}), { added: ['a-1.0.tgz', 'b-1.0.tgz'], removed: [], changed: [] });
      await addRow('c-1.0');
      await records.deleteRow('All', 'a-1.0.tgz');
      await addRow('b-1.0', { record: Buffer.from(recordFor('b-1.0').replace('COMMENT=c', 'COMMENT=d')) });
      const files = new Set(['a-1.0.tgz', 'b-1.0.tgz', 'c-1.0.tgz']);
      const difference = { added: ['c-1.0.tgz'], removed: ['a-1.0.tgz'], changed: ['b-1.0.tgz'] };
      assert.deepEqual(await changesOf({ changes: files }), difference);
      await addRow('d-1.0');
      assert.deepEqual(await changesOf({}), { added: ['d-1.0.tgz'], removed: [], changed: [] });
      await addRow('e-1.0');
      assert.equal(await changesOf({ describe: false }), undefined);
    });

    it('without what it changed, where it replaced an index that was not ours', async () => {
      objects.upload('All/pkg_summary.gz', Buffer.from('foreign'));
      await addRow('a-1.0');
      const publication = await run({ describe: true });
      assert.ok(publication.outcome === 'published');
      assert.equal(publication.difference, undefined);
    });

    it('with the hash of the summary, the time, and the type of the format', async () => {
      await addRow('a-1.0');
      const publication = await run();
      assert.ok(publication.outcome === 'published');
      const metadata = {
        'blocks-sha256': publication.summary.digest,
        'files-sha256-sum': sumOf(['a-1.0.tgz']),
        architectures: 'none',
        'repository-sha256': hash('sha256', 'All'),
        published: '2026-01-01T00:00:00.000Z',
      };
      for (const [format, contentType] of [
        ['gz', 'application/gzip'],
        ['zst', 'application/zstd'],
      ] as const) {
        assert.deepEqual(index(format)?.metadata, metadata);
        assert.equal(index(format)?.contentType, contentType);
        assert.equal(index(format)?.cacheControl, 'no-cache');
        assert.deepEqual(index(format)?.lastModified, publication.publishedAt);
      }
      assert.equal(Buffer.from(index('gz')?.body ?? '').readUInt32LE(4) * 1000, publication.publishedAt.getTime());
    });

    it('nothing for a repository without rows and without an index', async () => {
      assert.deepEqual(await run(), { outcome: 'absent' });
      assert.equal(objects.objects.size, 0);
    });

    it('one line feed for a repository without good packages', async () => {
      await addRejected('a-1.0');
      assert.equal((await run()).outcome, 'published');
      assertPublished();
    });

    it('one line feed for a repository whose last package is gone', async () => {
      await addRow('a-1.0');
      await run();
      await records.deleteRow('All', 'a-1.0.tgz');
      assert.equal((await run()).outcome, 'published');
      assertPublished();
    });

    it('nothing where the index holds the summary already', async () => {
      await addRow('a-1.0');
      await run();
      await addRow('a-1.0', { etag: 'other', lastModified: new Date() });
      await addRejected('b-1.0');
      objects.writes.length = 0;
      assert.equal((await run()).outcome, 'unchanged');
      assert.deepEqual(objects.writes, []);
    });

    it('only the format that does not hold it', async () => {
      await addRow('a-1.0');
      await run();
      for (const format of ['gz', 'zst'] as const) {
        await objects.delete(`All/pkg_summary.${format}`);
        objects.writes.length = 0;
        assert.equal((await run()).outcome, 'published');
        assert.deepEqual(objects.writes, [`put pkg_summary.${format}`]);
        assertPublished('a-1.0');
      }
    });

    it('again where somebody put another index there', async () => {
      await addRow('a-1.0');
      await run();
      for (const format of ['gz', 'zst'] as const) {
        objects.upload(`All/pkg_summary.${format}`, Buffer.from('something else'), clock.now());
        await run();
        assertPublished('a-1.0');
      }
    });

    it('nothing more, or all, after a failure in the middle', async () => {
      await addRow('a-1.0');
      const failure = new Error('the store is down');
      objects.beforePut = (key) => {
        if (key.endsWith('.zst')) throw failure;
      };
      await assert.rejects(run(), (error) => error === failure);
      objects.beforePut = () => undefined;
      objects.writes.length = 0;
      await run();
      assertPublished('a-1.0');
      assert.deepEqual(objects.writes, ['put pkg_summary.zst']);
    });
  });

  describe('removes', () => {
    it('the formats that are not wanted: a stale one would shadow the fresh one', async () => {
      await addRow('a-1.0');
      await run();
      objects.writes.length = 0;
      await run({ formats: ['gz'] });
      assert.deepEqual(objects.writes, ['delete pkg_summary.zst']);
      await run({ formats: ['zst'] });
      assert.equal(index('gz'), undefined);
      assert.ok(index('zst'));
    });

    it('stale indexes in xz and bzip2, after the fresh ones are there', async () => {
      await addRow('a-1.0');
      for (const format of ['xz', 'bz2']) objects.upload(`All/pkg_summary.${format}`, Buffer.from('stale'), uploadedAt);
      await run();
      const puts = ['put pkg_summary.gz', 'put pkg_summary.zst'];
      assert.deepEqual(objects.writes, [...puts, 'delete pkg_summary.xz', 'delete pkg_summary.bz2']);
      assert.equal(index('xz') ?? index('bz2'), undefined);
    });

    it('nothing of other repositories, and no other files', async () => {
      await addRow('a-1.0');
      const others = ['pkg_summary.xz', 'All/sub/pkg_summary.xz', 'All/pkg_summary.txt', 'All/pkg_summary.xz.sig'];
      for (const key of others) objects.upload(key, Buffer.from('stale'), uploadedAt);
      await run();
      for (const key of others) assert.ok(objects.objects.has(key), key);
    });
  });

  describe('the first publication over an index that is not ours', () => {
    beforeEach(() => {
      for (const format of ['gz', 'xz']) objects.upload(`All/pkg_summary.${format}`, Buffer.from('theirs'), uploadedAt);
      for (const name of ['a-1.0', 'b-1.0', 'c-1.0']) addPackage(name);
    });

    it('waits until every package has a row, and touches nothing till then', async () => {
      await addRow('a-1.0');
      const waiting = await run();
      assert.ok(waiting.outcome === 'waiting');
      assert.equal(waiting.missing, 2);
      await addRow('b-1.0');
      await addRow('c-1.0', { etag: 'of an older one' });
      const stillWaiting = await run();
      assert.ok(stillWaiting.outcome === 'waiting');
      assert.equal(stillWaiting.missing, 1);
      assert.deepEqual(objects.writes, []);
      assert.equal((await records.state('All')).isAdopted, false);

      await addRow('c-1.0');
      const publication = await run();
      assert.ok(publication.outcome === 'published' && publication.isFirst);
      assert.ok((await records.state('All')).isAdopted);
      assertPublished('a-1.0', 'b-1.0', 'c-1.0');
      assert.equal(index('xz'), undefined);
    });

    it('waits even where there are no rows at all', async () => {
      const waiting = await run();
      assert.ok(waiting.outcome === 'waiting');
      assert.equal(waiting.missing, 3);
    });

    it('does not wait for rejected packages, once they have their row', async () => {
      await addRow('a-1.0');
      await addRejected('b-1.0');
      await addRejected('c-1.0', 'of an older one');
      assert.equal((await run()).outcome, 'waiting');
      await addRejected('c-1.0');
      assert.equal((await run()).outcome, 'published');
      assertPublished('a-1.0');
    });

    it('does not wait for what is no package of this repository', async () => {
      for (const name of ['a-1.0', 'b-1.0', 'c-1.0']) await addRow(name);
      for (const key of [
        'x-1.0.tgz',
        'All/sub/x-1.0.tgz',
        'Allx/x-1.0.tgz',
        'All/.x-1.0.tgz',
        'All/README',
        'All/x.zip',
      ])
        objects.upload(key, Buffer.from('x'), uploadedAt);
      assert.equal((await run()).outcome, 'published');
    });

    it('does not wait for aliases', async () => {
      for (const name of ['a-1.0', 'b-1.0', 'c-1.0', 'gtk2+-1.0']) await addRow(name);
      addPackage('gtk2+-1.0');
      addPackage('gtk2 -1.0', 'of the alias', { [aliasMetadata]: 'x' });
      assert.equal((await run()).outcome, 'published');
    });

    it('is needed once: afterwards a package without a row yet holds nothing up', async () => {
      for (const name of ['a-1.0', 'b-1.0', 'c-1.0']) await addRow(name);
      await run();
      addPackage('d-1.0');
      await addRow('e-1.0');
      const publication = await run();
      assert.ok(publication.outcome === 'published' && !publication.isFirst);
      assertPublished('a-1.0', 'b-1.0', 'c-1.0', 'e-1.0');
    });

    it('is not made with rows that were read before another pass found the repository whole', async () => {
      await addRow('a-1.0');
      const rows = records.rows.bind(records);
      records.rows = async function* (repository) {
        yield* rows(repository);
        await records.markAdopted(repository);
      };
      assert.equal((await run()).outcome, 'waiting');
      assert.deepEqual(objects.writes, []);
    });

    /*
     *  this run    rows (all there) ── the index holds them                                  mark it whole ─ again
     *  the others                        b's row: later ─ one that waits for d
     */
    it('is not called whole unseen by runs that waited meanwhile: they have left their changes to the next one', async () => {
      const names = ['a-1.0', 'b-1.0', 'c-1.0'];
      for (const name of names) await addRow(name);
      await run();
      records = new MemoryRecords();
      for (const name of names) await addRow(name);
      const markAdopted = records.markAdopted.bind(records);
      records.markAdopted = async (repository) => {
        records.markAdopted = markAdopted;
        await records.deleteRow('All', 'b-1.0.tgz');
        objects.objects.delete('All/b-1.0.tgz');
        addPackage('d-1.0');
        const outcomes = [await run({ changes: new Set(['b-1.0.tgz']) }), await run()].map(({ outcome }) => outcome);
        assert.deepEqual(outcomes, ['deferred', 'waiting']);
        await markAdopted(repository);
      };
      await run();
      await addRow('d-1.0');
      await run({ changes: new Set(['d-1.0.tgz']) });
      assertPublished('a-1.0', 'c-1.0', 'd-1.0');
    });

    it('has nothing to wait for where the index is removed', async () => {
      await addRow('a-1.0');
      await run();
      for (const format of ['gz', 'xz']) await objects.delete(`All/pkg_summary.${format}`);
      const publication = await run();
      assert.ok(publication.outcome === 'published' && publication.isFirst);
      assertPublished('a-1.0');
    });
  });

  describe('an index that came from elsewhere', () => {
    /** What `aws s3 sync` does: the metadata come along. */
    function copyIndexFrom(repository: string): void {
      for (const format of ['gz', 'zst']) {
        const original = objects.objects.get(`${repository}/pkg_summary.${format}`);
        assert.ok(original);
        objects.upload(`All/pkg_summary.${format}`, original.body, clock.now());
        const copy = objects.objects.get(`All/pkg_summary.${format}`);
        assert.ok(copy);
        objects.objects.set(`All/pkg_summary.${format}`, { ...copy, metadata: original.metadata });
      }
    }

    async function publishOther(...names: string[]): Promise<void> {
      for (const name of names) await records.putRow(rowFor(name, { repository: 'Other' }));
      await summarize({ objects, records, clock }, 'Other');
    }

    it('with the metadata of another repository of ours is none of this one: its records are not copied', async () => {
      await addRow('a-1.0');
      await run();
      await publishOther('x-1.0');
      copyIndexFrom('Other');
      await addRow('b-1.0');
      assert.deepEqual(await run({ changes: new Set(['b-1.0.tgz']) }), { outcome: 'deferred' });
      assert.equal((await run()).outcome, 'published');
      assertPublished('a-1.0', 'b-1.0');
    });

    it('and holds the same records is published again, under the name of this one', async () => {
      await publishOther('a-1.0');
      await addRow('a-1.0');
      addPackage('a-1.0');
      copyIndexFrom('Other');
      assert.equal((await run()).outcome, 'published');
      assert.equal(index('gz')?.metadata['repository-sha256'], hash('sha256', 'All'));
    });

    it('stays until its packages have rows, even where the repository was adopted: a directory was swapped in', async () => {
      await addRow('a-1.0');
      await run();
      objects.upload('All/pkg_summary.gz', gzipSync(recordFor('x-1.0') + recordFor('y-1.0')), clock.now());
      await objects.delete('All/pkg_summary.zst');
      for (const name of ['x-1.0', 'y-1.0']) addPackage(name);
      await records.deleteRow('All', 'a-1.0.tgz');
      await addRow('x-1.0');
      objects.writes.length = 0;
      assert.deepEqual(await run(), { outcome: 'waiting', missing: 1 });
      assert.deepEqual(objects.writes, []);
      await addRow('y-1.0');
      await run();
      assertPublished('x-1.0', 'y-1.0');
    });

    it('is adopted anew where nothing was left of the repository meanwhile', async () => {
      await addRow('a-1.0');
      await run();
      const ours = new Map(objects.objects);
      objects.objects.clear();
      await records.deleteRow('All', 'a-1.0.tgz');
      assert.deepEqual(await run({ changes: new Set(['a-1.0.tgz']) }), { outcome: 'deferred' });
      assert.deepEqual(await run(), { outcome: 'absent' });
      assert.equal((await records.state('All')).isAdopted, false);
      for (const [key, object] of ours) objects.objects.set(key, object);
      for (const name of ['a-1.0', 'b-1.0']) addPackage(name);
      await addRow('b-1.0');
      assert.deepEqual(await run(), { outcome: 'waiting', missing: 1 });
      await addRow('a-1.0');
      await run();
      assertPublished('a-1.0', 'b-1.0');
    });
  });

  describe('a publication that would drop many records', () => {
    const names = Array.from({ length: 100 }, (_, number) => `p-${100 + number}`);

    /** Another program's index of these packages. */
    function uploadForeign(...packages: string[]): void {
      objects.upload('All/pkg_summary.gz', gzipSync(packages.map(recordFor).join('') || '\n'), uploadedAt);
    }

    async function confirmIt(): Promise<void> {
      const { heldBack } = await records.state('All');
      assert.ok(heldBack);
      await confirm({ objects, clock }, 'All', heldBack);
    }

    it('is held back where the index is not ours, until it is confirmed', async () => {
      uploadForeign(...names);
      for (const name of names.slice(0, 89)) {
        await addRow(name);
        addPackage(name);
      }
      const publication = await run();
      assert.ok(publication.outcome === 'held-back');
      const { index: etag, since, ...facts } = publication.heldBack;
      const files = names.slice(89, 99).map((name) => `${name}.tgz`);
      assert.deepEqual(facts, { reason: 'foreign-index', from: 100, to: 89, files });
      assert.deepEqual(objects.writes, []);
      assert.deepEqual(await records.state('All'), { isAdopted: false, heldBack: publication.heldBack });

      await confirmIt();
      objects.writes.length = 0;
      assert.equal((await run()).outcome, 'published');
      assertPublished(...names.slice(0, 89));
      assert.deepEqual(await records.state('All'), { isAdopted: true, heldBack: undefined });
      assert.deepEqual(objects.writes.at(-1), 'delete .indexer-state/confirmed.json');
      assert.equal((await run()).outcome, 'unchanged');
    });

    it('is not where a tenth goes', async () => {
      uploadForeign(...names);
      for (const name of names.slice(0, 90)) {
        await addRow(name);
        addPackage(name);
      }
      assert.equal((await run()).outcome, 'published');
    });

    it('is held back where no package would be left of an index of others: its packages are links, or elsewhere', async () => {
      uploadForeign('a-1.0');
      const held = await run();
      assert.ok(held.outcome === 'held-back');
      assert.deepEqual([held.heldBack.from, held.heldBack.to, held.heldBack.files], [1, 0, ['a-1.0.tgz']]);
      assert.deepEqual(objects.writes, []);
      await confirmIt();
      assert.equal((await run()).outcome, 'published');
      assertPublished();
    });

    it('does not matter where the index of others has no package, or none that can be read', async () => {
      for (const body of [gzipSync('\n'), Buffer.from('theirs')]) {
        objects.objects.clear();
        objects.upload('All/pkg_summary.gz', body, uploadedAt);
        assert.equal((await run()).outcome, 'published');
      }
    });

    it('is held back where the table was lost', async () => {
      for (const name of names) await addRow(name);
      await run();
      records = new MemoryRecords();
      for (const name of names.slice(0, 50)) {
        await addRow(name);
        addPackage(name);
      }
      const held = await run();
      assert.ok(held.outcome === 'held-back');
      assert.equal(held.heldBack.reason, 'adoption');
    });

    it('is published where packages were deleted, which is no reason', async () => {
      for (const name of names) await addRow(name);
      await run();
      for (const name of names.slice(1)) await records.deleteRow('All', `${name}.tgz`);
      assert.equal((await run()).outcome, 'published');
      assertPublished('p-100');
    });

    it('is held back for any reason with --max-shrink, whether all rows are read or some', async () => {
      for (const name of names) await addRow(name);
      await run();
      const gone = names.slice(95);
      for (const name of gone) await records.deleteRow('All', `${name}.tgz`);
      const changes = new Set(gone.map((name) => `${name}.tgz`));
      assert.deepEqual(await run({ changes, maxShrink: 4 }), { outcome: 'deferred' });
      const held = await run({ maxShrink: 4 });
      assert.ok(held.outcome === 'held-back');
      assert.deepEqual([held.heldBack.reason, held.heldBack.from, held.heldBack.to], ['max-shrink', 100, 95]);
      // While it is, no other change gets into the index without all the others.
      await addRow('q-1');
      assert.deepEqual(await run({ changes: new Set(['q-1.tgz']), maxShrink: 4 }), { outcome: 'deferred' });
      assert.equal((await run({ maxShrink: 5 })).outcome, 'published');
      assertPublished(...names.slice(0, 95), 'q-1');
      assert.equal((await records.state('All')).heldBack, undefined);
    });

    /** The same package, by other rules. */
    async function ruleOut(name: string, rules = 'new'): Promise<void> {
      const { warnings, ...row } = rowFor(name) as Row & { state: 'indexed' };
      await records.putRow({ ...row, rules, state: 'rejected', reason: { code: 'c', message: 'm' } });
    }

    it('is held back where rules that changed reject them, even if they arrive little by little', async () => {
      for (const name of names) await addRow(name);
      await run();
      for (const name of names.slice(0, 6)) await ruleOut(name);
      const changes = new Set(names.slice(0, 6).map((name) => `${name}.tgz`));
      assert.deepEqual(await run({ changes }), { outcome: 'deferred' });
      assert.equal((await run()).outcome, 'published');
      // New packages do not make up for it.
      for (const name of ['x-1', 'y-1']) await addRow(name);
      assert.equal((await run({ changes: new Set(['x-1.tgz', 'y-1.tgz']) })).outcome, 'published');
      for (const name of names.slice(6, 12)) await ruleOut(name);
      const held = await run();
      assert.ok(held.outcome === 'held-back');
      assert.deepEqual([held.heldBack.reason, held.heldBack.from, held.heldBack.to], ['rules', 102, 90]);
      assert.deepEqual(
        held.heldBack.files,
        names.slice(6, 12).map((name) => `${name}.tgz`),
      );
      await confirmIt();
      assert.equal((await run()).outcome, 'published');
      // The count starts again.
      for (const name of names.slice(12, 18)) await ruleOut(name);
      assert.equal((await run()).outcome, 'published');
      // Other rules have a count of their own.
      for (const name of names.slice(18, 24)) await ruleOut(name, 'newer');
      assert.equal((await run()).outcome, 'published');
      assertPublished(...names.slice(24), 'x-1', 'y-1');
    });

    it('is published where packages were replaced by others that are rejected', async () => {
      for (const name of names) await addRow(name);
      await run();
      for (const name of names) {
        const { warnings, ...row } = rowFor(name) as Row & { state: 'indexed' };
        const record = Buffer.from(recordFor(name).replace('COMMENT=c', 'COMMENT='));
        await records.putRow({ ...row, record, state: 'rejected', reason: { code: 'c', message: 'm' } });
      }
      assert.equal((await run({ changes: new Set(names.map((name) => `${name}.tgz`)) })).outcome, 'published');
      assertPublished();
    });

    it('is confirmed for one index, and about one number of records', async () => {
      uploadForeign(...names);
      for (const name of names.slice(0, 60)) await addRow(name);
      await run();
      await confirmIt();
      for (const name of names.slice(0, 30)) await records.deleteRow('All', `${name}.tgz`);
      const smaller = await run();
      assert.ok(smaller.outcome === 'held-back', 'less is left than was confirmed');
      assert.equal(smaller.heldBack.to, 30);
      await confirmIt();
      uploadForeign(...names, 'x-1');
      assert.equal((await run()).outcome, 'held-back', 'it is another index');
      await confirmIt();
      await records.deleteRow('All', 'p-159.tgz');
      assert.equal((await run()).outcome, 'published');
      assertPublished(...names.slice(30, 59));
    });

    it('is noted once, with the time at which it was found', async () => {
      uploadForeign('a-1.0');
      await run();
      const { heldBack } = await records.state('All');
      await clock.advance(60_000);
      records.setHeldBack = async () => assert.fail('noted again');
      const again = await run();
      assert.ok(again.outcome === 'held-back');
      assert.deepEqual(again.heldBack, heldBack);
    });

    it('that is not held back any more is forgotten, though nothing is put', async () => {
      uploadForeign('a-1.0');
      await run();
      objects.objects.clear();
      assert.deepEqual(await run(), { outcome: 'absent' });
      assert.equal((await records.state('All')).heldBack, undefined);
    });

    it('by a run that was overtaken is reviewed once more', async () => {
      uploadForeign(...names);
      for (const name of names.slice(0, 50)) await addRow(name);
      const setHeldBack = records.setHeldBack.bind(records);
      records.setHeldBack = async (...noted) => {
        records.setHeldBack = setHeldBack;
        for (const name of names) await addRow(name);
        assert.equal((await summarize({ objects, records, clock }, 'All')).outcome, 'published');
        await setHeldBack(...noted);
      };
      assert.equal((await run()).outcome, 'unchanged');
      assert.equal((await records.state('All')).heldBack, undefined);
    });

    it('reads no confirmation, and no index of ours, where nothing is held back', async () => {
      for (const name of names) await addRow(name);
      await run();
      objects.head = async (key) => {
        assert.doesNotMatch(key, /indexer-state/);
        return MemoryObjects.prototype.head.call(objects, key);
      };
      await addRow('q-1');
      assert.equal((await run()).outcome, 'published');
    });

    it('with a confirmation that cannot be read is held back', async () => {
      uploadForeign('a-1.0');
      for (const text of ['', 'yes', '{}', '{"index":1,"to":0}', '[]', 'null']) {
        objects.upload('All/.indexer-state/confirmed.json', Buffer.from(text), clock.now());
        assert.equal((await run()).outcome, 'held-back', text);
      }
    });
  });

  describe('an index of ours with a flipped bit', () => {
    it('is mended by a run of all rows, whichever byte it is', async () => {
      for (const name of ['a-1.0', 'b-1.0', 'c-1.0']) await addRow(name);
      const options = { blockBytes: 100 };
      await run(options);
      for (const format of ['gz', 'zst'] as const) {
        const sound = index(format);
        assert.ok(sound);
        for (let position = 0; position < sound.size; position += 1) {
          const body = Buffer.from(sound.body);
          body[position] = (body[position] ?? 0) ^ (1 << (position % 8));
          objects.objects.set(`All/pkg_summary.${format}`, { ...sound, body });
          await run(options);
          assertPublished('a-1.0', 'b-1.0', 'c-1.0');
        }
      }
      assert.equal((await run(options)).outcome, 'unchanged');
    });

    it('does not spread: a change of all rows copies no damaged block', async () => {
      for (const name of ['a-1.0', 'b-1.0', 'c-1.0']) await addRow(name);
      const options = { blockBytes: 100 };
      await run(options);
      for (const format of ['gz', 'zst'] as const) {
        const sound = index(format);
        assert.ok(sound);
        const body = Buffer.from(sound.body);
        body[body.length - 20] = (body[body.length - 20] ?? 0) ^ 0b100;
        objects.objects.set(`All/pkg_summary.${format}`, { ...sound, body });
      }
      await addRow('aa-1.0');
      await run(options);
      assertPublished('a-1.0', 'aa-1.0', 'b-1.0', 'c-1.0');
    });
  });

  describe('with others at the same time', () => {
    it('lost a race: looks again, and publishes what the rows say by then', async () => {
      await addRow('a-1.0');
      await run();
      await addRow('b-1.0');
      objects.beforePut = async () => {
        objects.beforePut = () => undefined;
        await addRow('c-1.0');
        objects.upload('All/pkg_summary.gz', Buffer.from('somebody was faster'), clock.now());
      };
      objects.writes.length = 0;
      const publication = await run();
      assert.deepEqual(objects.writes, ['lost pkg_summary.gz', 'put pkg_summary.gz', 'put pkg_summary.zst']);
      assert.equal(publication.outcome, 'published');
      assertPublished('a-1.0', 'b-1.0', 'c-1.0');
    });

    it('lost a race while it read the rows', async () => {
      await addRow('a-1.0');
      await run();
      await addRow('b-1.0');
      const rows = records.rows.bind(records);
      records.rows = async function* (repository) {
        records.rows = rows;
        objects.upload('All/pkg_summary.gz', Buffer.from('somebody was faster'), clock.now());
        yield* rows(repository);
      };
      objects.writes.length = 0;
      await run();
      assert.equal(objects.writes[0], 'lost pkg_summary.gz');
      assertPublished('a-1.0', 'b-1.0');
    });

    it('replaced the index before it was read: looks again', async () => {
      await addRow('a-1.0');
      await run();
      await addRow('b-1.0');
      objects.afterLook = () => {
        objects.afterLook = () => undefined;
        objects.upload('All/pkg_summary.gz', Buffer.from('somebody was faster'), clock.now());
      };
      objects.writes.length = 0;
      await run();
      assert.deepEqual(objects.writes, ['put pkg_summary.gz', 'put pkg_summary.zst']);
      assertPublished('a-1.0', 'b-1.0');
    });

    it('lost a race at the first publication of all', async () => {
      await addRow('a-1.0');
      objects.beforePut = (key) => {
        objects.beforePut = () => undefined;
        objects.upload(key, Buffer.from('somebody was faster'), clock.now());
      };
      await run();
      assert.equal(objects.writes[0], 'lost pkg_summary.gz');
      assertPublished('a-1.0');
    });

    it('lost the race for the second format only', async () => {
      await addRow('a-1.0');
      objects.beforePut = (key) => {
        if (!key.endsWith('.zst')) return;
        objects.beforePut = () => undefined;
        objects.upload(key, Buffer.from('somebody was faster'), clock.now());
      };
      await run();
      assert.deepEqual(objects.writes, ['put pkg_summary.gz', 'lost pkg_summary.zst', 'put pkg_summary.zst']);
      assertPublished('a-1.0');
    });

    /*
     *  this run    look (S0)   read rows (without b)                                  put (If-Match S0 holds) ─ again
     *  the table               b is missing          b is back
     *  the other                                     look (S0) ─ rows = S0 ─ nothing to put, end
     */
    it('published a stale view: the later run number tells, although If-Match did not', async () => {
      await addRow('a-1.0');
      await addRow('b-1.0');
      await run();
      await records.deleteRow('All', 'b-1.0.tgz');
      objects.beforePut = async () => {
        objects.beforePut = () => undefined;
        await addRow('b-1.0');
        const other = await summarize({ objects, records, clock }, 'All');
        assert.equal(other.outcome, 'unchanged');
      };
      objects.writes.length = 0;
      await run();
      assertPublished('a-1.0', 'b-1.0');
      assert.equal(objects.writes.length, 4, 'the stale view, and the right one');
    });

    it('that changed the index after it was put: looks again, and puts it right', async () => {
      await addRow('a-1.0');
      objects.beforePut = (key) => {
        if (!key.endsWith('.zst')) return;
        objects.beforePut = () => undefined;
        objects.upload('All/pkg_summary.gz', Buffer.from('somebody came after'), clock.now());
      };
      await run();
      assertPublished('a-1.0');
    });

    it('was the first publication, although it took two passes', async () => {
      await addRow('a-1.0');
      objects.beforePut = async () => {
        objects.beforePut = () => undefined;
        await addRow('b-1.0');
        await records.takeRun('All');
      };
      const publication = await run();
      assert.ok(publication.outcome === 'published' && publication.isFirst);
      assert.equal(objects.writes.length, 4);
    });

    it('takes a run number before it looks at anything', async () => {
      await addRow('a-1.0');
      const runs: number[] = [];
      objects.afterLook = async () => void runs.push(await records.lastRun('All'));
      await run();
      assert.deepEqual(runs, [1, 1]);
      await run();
      assert.deepEqual(runs, [1, 1, 2]);
    });

    it('that never stop: gives up after so many passes, to come again', async () => {
      await addRow('a-1.0');
      for (const [losses, isPublished] of [
        [summarizeLimits.passesMax - 1, true],
        [summarizeLimits.passesMax, false],
      ] as const) {
        let left = losses;
        objects.beforePut = (key) => {
          if (left === 0) return;
          left -= 1;
          objects.upload(key, Buffer.from(`${left}`), clock.now());
        };
        await addRow(`b-${losses}`);
        if (isPublished) assert.equal((await run()).outcome, 'published');
        else await assert.rejects(run(), /others published the index of All 20 times in a row; will retry/);
        assert.equal(left, 0);
      }
    });
  });

  describe('dates', () => {
    it('two publications a second apart, waiting for the next one to begin on every clock', async () => {
      await addRow('a-1.0');
      await run();
      const first = index('gz');
      assert.deepEqual(clock.now(), start, 'the first one waits for nothing');
      await addRow('b-1.0');
      await run();
      const second = index('gz');
      assert.ok(first && second);
      assert.equal(second.lastModified.getTime() - first.lastModified.getTime(), 1_000);
      assert.deepEqual(clock.now(), new Date('2026-01-01T00:00:01.200Z'));
    });

    it('both formats of a publication alike', async () => {
      for (const name of ['a-1.0', 'b-1.0']) {
        await addRow(name);
        await run();
        assert.deepEqual(index('gz')?.lastModified, index('zst')?.lastModified);
      }
    });

    it('by the clock where the last one is long ago', async () => {
      await addRow('a-1.0');
      await run();
      await clock.advance(3_600_000);
      await addRow('b-1.0');
      await run();
      assert.deepEqual(index('gz')?.lastModified, new Date('2026-01-01T01:00:00Z'));
    });

    it('in the second after the last one where the clock was set back, and waits for a second, not for the clock', async () => {
      await addRow('a-1.0');
      await run();
      clock = new ManualClock(new Date('2025-12-31T00:00:00Z'));
      for (const second of [1, 2]) {
        await addRow(`b-${second}`);
        await run();
        assert.deepEqual(index('gz')?.lastModified, new Date(Date.UTC(2026, 0, 1, 0, 0, second)));
        assert.deepEqual(index('gz')?.metadata.published, new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString());
      }
      assert.equal(clock.now().getTime(), Date.UTC(2025, 11, 31) + 2 * summarizeLimits.waitMillisecondsMax);
    });

    it('waits for no more than its limit', async () => {
      const { waitMillisecondsMax, clockSkewMilliseconds } = summarizeLimits;
      for (const more of [0, 1]) {
        objects.objects.clear();
        const last = new Date('2026-01-01T00:00:09Z');
        const begin = last.getTime() + 1_000 + clockSkewMilliseconds - waitMillisecondsMax - more;
        clock = new ManualClock(new Date(begin));
        objects.upload('All/pkg_summary.gz', Buffer.from('theirs'), last);
        await addRow('a-1.0');
        await run();
        assert.equal(clock.now().getTime() - begin, waitMillisecondsMax);
        assert.deepEqual(index('gz')?.lastModified, new Date('2026-01-01T00:00:10Z'));
      }
    });

    it('by the clock where the last one has a date that no header can hold', async () => {
      const year2106 = 1_000 * 2 ** 32;
      for (const [date, published] of [
        ['2200-01-01T00:00:00Z', start],
        [year2106, start],
        [year2106 - 1_000, start],
        [year2106 - 2_000, new Date(year2106 - 1_000)],
        ['1900-01-01T00:00:00Z', start],
      ] as const) {
        objects.objects.clear();
        clock = new ManualClock(start);
        objects.upload('All/pkg_summary.gz', Buffer.from('theirs'), new Date(date));
        await addRow('a-1.0');
        assert.equal((await run()).outcome, 'published');
        const seconds = Math.floor(published.getTime() / 1_000);
        assert.deepEqual(index('gz')?.lastModified, new Date(1_000 * seconds), `${date}`);
        assert.equal(Buffer.from(index('gz')?.body ?? '').readUInt32LE(4), seconds);
        assert.equal((await run()).outcome, 'unchanged');
        await addRow(`b-${objects.writes.length}`);
        assert.equal((await run()).outcome, 'published');
        assert.equal((await run()).outcome, 'unchanged');
      }
    });

    it('the last that a header can hold where the clock is later', async () => {
      clock = new ManualClock(new Date('2200-01-01T00:00:00Z'));
      for (const name of ['a-1.0', 'b-1.0']) {
        await addRow(name);
        assert.equal((await run()).outcome, 'published');
        assert.equal(Buffer.from(index('gz')?.body ?? '').readUInt32LE(4), 2 ** 32 - 1);
      }
    });

    it('after the store’s own date where that is later than what was asked for', async () => {
      await addRow('a-1.0');
      await run();
      const gz = index('gz');
      assert.ok(gz);
      objects.objects.set('All/pkg_summary.gz', { ...gz, lastModified: new Date('2026-01-01T00:00:01Z') });
      await addRow('b-1.0');
      await run();
      assert.deepEqual(index('gz')?.lastModified, new Date('2026-01-01T00:00:02Z'));
    });

    it('again where the store, which dates by itself, put two publications into one second: clients would not see the second', async () => {
      const ahead = new ManualClock(new Date('2026-01-01T00:00:02.300Z'));
      objects = new WatchedObjects({ now: () => new Date(clock.now().getTime() - (clock === ahead ? 2_000 : 0)) });
      await addRow('a-1.0');
      await run();
      clock = ahead;
      await addRow('b-1.0');
      objects.writes.length = 0;
      await run();
      assert.deepEqual(objects.writes, [
        'put pkg_summary.gz',
        'put pkg_summary.zst',
        'put pkg_summary.gz',
        'put pkg_summary.zst',
      ]);
      assertPublished('a-1.0', 'b-1.0');
      assert.deepEqual(index('gz')?.lastModified, new Date('2026-01-01T00:00:01Z'));
      assert.equal((await run()).outcome, 'unchanged');
    });

    it('after an index that is not ours, in any format', async () => {
      objects.upload('All/pkg_summary.bz2', Buffer.from('theirs'), new Date('2026-01-01T00:00:01Z'));
      await addRow('a-1.0');
      await run();
      assert.deepEqual(index('gz')?.lastModified, new Date('2026-01-01T00:00:02Z'));
    });
  });

  describe('told what changed', () => {
    /** What was asked of the table: `row a-1.0.tgz`, `rows`, `request`. */
    let asked: string[];

    beforeEach(async () => {
      for (const name of ['a-1.0', 'b-1.0', 'c-1.0', 'd-1.0', 'e-1.0']) await addRow(name);
      await run({ blockBytes });
      objects.writes.length = 0;
      asked = [];
      const { row, rows, requestSummary } = records;
      records.row = (repository, file) => {
        asked.push(`row ${file}`);
        return row.call(records, repository, file);
      };
      records.rows = (repository) => {
        asked.push('rows');
        return rows.call(records, repository);
      };
      records.requestSummary = (repository) => {
        asked.push('request');
        return requestSummary.call(records, repository);
      };
    });

    /** About two records a block. */
    const blockBytes = 120;
    const changed = (...names: string[]) => ({ blockBytes, changes: new Set(names.map((name) => `${name}.tgz`)) });
    const bodies = () =>
      (['gz', 'zst'] as const).map((format) => Buffer.from(index(format)?.body ?? '').toString('hex'));

    it('reads those rows and no others, and publishes what all rows would give, byte for byte', async () => {
      await addRow('bb-1.0');
      await records.deleteRow('All', 'd-1.0.tgz');
      const publication = await run(changed('bb-1.0', 'd-1.0', 'c-1.0'));
      assert.deepEqual(asked.toSorted(), ['row bb-1.0.tgz', 'row c-1.0.tgz', 'row d-1.0.tgz']);
      assert.deepEqual(objects.writes, ['put pkg_summary.gz', 'put pkg_summary.zst']);
      assertPublished('a-1.0', 'b-1.0', 'bb-1.0', 'c-1.0', 'e-1.0');
      assert.ok(publication.outcome === 'published');
      assert.equal(publication.summary.records, 5);
      const found = bodies();
      objects.objects.clear();
      clock = new ManualClock(publication.publishedAt);
      await run({ blockBytes });
      assert.deepEqual(found, bodies());
    });

    it('publishes nothing where the rows say what the index says', async () => {
      const publication = await run(changed('a-1.0', 'never-there-1.0'));
      assert.ok(publication.outcome === 'unchanged');
      assert.equal(publication.summary.records, 5);
      assert.deepEqual(objects.writes, []);
      assert.equal(asked.includes('rows'), false);
    });

    it('does not see what it is not told of', async () => {
      await addRow('b-1.0', { record: Buffer.from(recordFor('b-2.0').replace('b-2.0.tgz', 'b-1.0.tgz')) });
      await addRow('f-1.0');
      await run(changed('f-1.0'));
      assertPublished('a-1.0', 'b-1.0', 'c-1.0', 'd-1.0', 'e-1.0', 'f-1.0');
    });

    it('takes a rejected package out', async () => {
      await addRejected('a-1.0', 'other');
      await run(changed('a-1.0'));
      assertPublished('b-1.0', 'c-1.0', 'd-1.0', 'e-1.0');
    });

    it('ends in an empty index when all are gone, and begins with that again', async () => {
      const names = ['a-1.0', 'b-1.0', 'c-1.0', 'd-1.0', 'e-1.0'];
      for (const name of names) await records.deleteRow('All', `${name}.tgz`);
      await run(changed(...names));
      assertPublished();
      await addRow('x-1.0');
      await run(changed('x-1.0'));
      assertPublished('x-1.0');
      assert.equal(asked.includes('rows'), false);
    });

    it('reads the same rows again in a pass that follows', async () => {
      await addRow('f-1.0');
      objects.beforePut = async () => {
        objects.beforePut = () => undefined;
        await records.deleteRow('All', 'f-1.0.tgz');
        await records.takeRun('All');
      };
      await run(changed('f-1.0'));
      assert.deepEqual(asked, ['row f-1.0.tgz', 'row f-1.0.tgz']);
      assertPublished('a-1.0', 'b-1.0', 'c-1.0', 'd-1.0', 'e-1.0');
    });

    it('makes its changes in what another run published meanwhile', async () => {
      await addRow('f-1.0');
      await addRow('g-1.0');
      objects.beforePut = async () => {
        objects.beforePut = () => undefined;
        await summarize(
          { objects, records, clock: new ManualClock(new Date('2026-01-01T00:00:09Z')) },
          'All',
          changed('g-1.0'),
        );
      };
      await run(changed('f-1.0'));
      assert.deepEqual(objects.writes.slice(0, 3), [
        'put pkg_summary.gz',
        'put pkg_summary.zst',
        'lost pkg_summary.gz',
      ]);
      assertPublished('a-1.0', 'b-1.0', 'c-1.0', 'd-1.0', 'e-1.0', 'f-1.0', 'g-1.0');
      assert.equal(asked.includes('rows'), false);
    });

    it('looks again where the index is replaced before it was read', async () => {
      await addRow('f-1.0');
      objects.afterLook = async () => {
        objects.afterLook = () => undefined;
        await addRow('g-1.0');
        await summarize(
          { objects, records, clock: new ManualClock(new Date('2026-01-01T00:00:09Z')) },
          'All',
          changed('g-1.0'),
        );
      };
      await run(changed('f-1.0'));
      assertPublished('a-1.0', 'b-1.0', 'c-1.0', 'd-1.0', 'e-1.0', 'f-1.0', 'g-1.0');
      assert.equal(asked.includes('rows'), false);
    });

    it('gives the change to a summary of all rows where there is no index to make it in', async () => {
      await addRow('f-1.0');
      const upload = (file: string) => objects.upload(`All/${file}`, Buffer.from('theirs'), clock.now());
      const withoutMetadata = (file: string) => {
        const object = objects.objects.get(`All/${file}`);
        assert.ok(object);
        objects.objects.set(`All/${file}`, { ...object, metadata: {} });
      };
      const cases: Readonly<Record<string, () => unknown>> = {
        'all are gone': () => objects.objects.clear(),
        'gz is gone': () => objects.delete('All/pkg_summary.gz'),
        'zst is gone': () => objects.delete('All/pkg_summary.zst'),
        'gz is of others': () => upload('pkg_summary.gz'),
        'zst is of others': () => upload('pkg_summary.zst'),
        'gz has no metadata': () => withoutMetadata('pkg_summary.gz'),
        'zst has no metadata': () => withoutMetadata('pkg_summary.zst'),
        'gz and zst hold different summaries': async () => {
          const zst = objects.objects.get('All/pkg_summary.zst');
          await summarize({ objects, records, clock: new ManualClock(new Date('2026-01-01T00:00:09Z')) }, 'All', {
            blockBytes,
          });
          if (zst !== undefined) objects.objects.set('All/pkg_summary.zst', zst);
        },
      };
      const there = new Map(objects.objects);
      for (const [what, happen] of Object.entries(cases)) {
        objects.objects.clear();
        for (const [key, object] of there) objects.objects.set(key, object);
        await happen();
        asked.length = objects.writes.length = 0;
        assert.deepEqual(await run(changed('f-1.0')), { outcome: 'deferred' }, what);
        assert.deepEqual([asked, objects.writes], [['request'], []], what);
        await run({ blockBytes });
        assertPublished('a-1.0', 'b-1.0', 'c-1.0', 'd-1.0', 'e-1.0', 'f-1.0');
      }
    });

    it('does so, too, where the index was cut into other blocks', async () => {
      assert.equal((await run({ ...changed('a-1.0'), blockBytes: 1_000_000 })).outcome, 'deferred');
      await run({ blockBytes: 1_000_000 });
      assert.equal((await run({ ...changed('a-1.0'), blockBytes: 1_000_000 })).outcome, 'unchanged');
    });

    it('does so, too, where a block that the change is in was damaged', async () => {
      const gz = index('gz');
      assert.ok(gz);
      const body = Buffer.from(gz.body);
      for (let at = body.length - 40; at < body.length - 10; at += 1) body[at] = 0xff;
      objects.objects.set('All/pkg_summary.gz', { ...gz, body });
      await addRow('f-1.0');
      assert.equal((await run(changed('f-1.0'))).outcome, 'deferred');
    });

    it('does so, too, while the repository is not whole', async () => {
      const table = records;
      records = new MemoryRecords();
      await addRow('a-1.0');
      assert.equal((await run(changed('a-1.0'))).outcome, 'deferred');
      assert.ok((await table.state('All')).isAdopted);
      assert.equal((await records.state('All')).isAdopted, false);
    });

    it('does so, too, for a first index; then the repository is whole, and nothing in it that cannot be read holds it up', async () => {
      objects.objects.clear();
      const requested: string[] = [];
      records = new MemoryRecords((_, file) => void requested.push(file ?? 'all'));
      addPackage('unreadable-1.0');
      for (const name of ['a-1.0', 'b-1.0']) await addRow(name);
      requested.length = 0;
      assert.equal((await run(changed('a-1.0'))).outcome, 'deferred');
      assert.deepEqual(requested, ['all']);
      const first = await run({ blockBytes });
      assert.ok(first.outcome === 'published' && first.isFirst);
      assertPublished('a-1.0', 'b-1.0');
      await addRow('c-1.0');
      assert.equal((await run(changed('c-1.0'))).outcome, 'published');
      assertPublished('a-1.0', 'b-1.0', 'c-1.0');
    });

    it('reads all rows where gz is not wanted: nothing else tells of its blocks', async () => {
      await run({ blockBytes, formats: ['zst'] });
      asked.length = 0;
      await addRow('f-1.0');
      assert.equal((await run({ ...changed('f-1.0'), formats: ['zst'] })).outcome, 'published');
      assert.deepEqual(asked, ['rows']);
    });

    it('removes an index of others in another format', async () => {
      objects.upload('All/pkg_summary.xz', Buffer.from('stale'), uploadedAt);
      await run(changed('a-1.0'));
      assert.equal(index('xz'), undefined);
      assert.equal(asked.includes('rows'), false);
    });

    it('reads so many rows at the same time, and not one more', async () => {
      const names = Array.from({ length: summarizeLimits.rowsConcurrentMax + 4 }, (_, number) => `z${number}`);
      let [reading, most] = [0, 0];
      const row = records.row.bind(records);
      records.row = async (repository, file) => {
        reading += 1;
        most = Math.max(most, reading);
        await setImmediate();
        reading -= 1;
        return row(repository, file);
      };
      await run({ blockBytes, changes: new Set(names) });
      assert.equal(most, summarizeLimits.rowsConcurrentMax);
    });
  });

  it('keeps repositories apart, the root among them', async () => {
    await addRow('a-1.0');
    await addRow('b-1.0', { repository: '' });
    await addRow('c-1.0', { repository: 'All/sub' });
    for (const repository of ['', 'All', 'All/sub']) await summarize({ objects, records, clock }, repository);
    const text = (key: string) => gunzipSync(objects.objects.get(key)?.body ?? '').toString();
    assert.equal(text('pkg_summary.gz'), recordFor('b-1.0'));
    assert.equal(text('All/pkg_summary.gz'), recordFor('a-1.0'));
    assert.equal(text('All/sub/pkg_summary.gz'), recordFor('c-1.0'));
  });
});
