import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import fc from 'fast-check';
import { splitKey } from '../functions/keys.ts';
import type { Hint, ObjectKey } from '../functions/ports.ts';
import { defaultRules, fingerprintOf } from '../functions/record/rules.ts';
import { type ReindexOptions, type ReindexPlace, reindex, reindexLimits } from '../functions/reindex.ts';
import { MemoryObjects } from './adapters/memory-objects.ts';
import { MemoryRecords } from './adapters/memory-records.ts';
import { runs } from './thoroughness.ts';

const bytes = Buffer.from('a package');

const rules = fingerprintOf(defaultRules);

/** A bucket, a table, and what a reindex did with them. */
class World {
  readonly objects = new MemoryObjects();
  readonly sent: (readonly Hint[])[] = [];
  /** Repositories whose rows changed, or whose summary was asked for. */
  readonly changes: string[] = [];
  readonly records = new MemoryRecords((repository) => this.changes.push(repository));
  readonly hints = { send: async (hints: readonly Hint[]) => void this.sent.push(hints) };

  get keys(): string[] {
    return this.sent.flat().map(({ key }) => key);
  }

  /** In the bucket, and with a row. */
  async settled(...keys: ObjectKey[]): Promise<void> {
    for (const key of keys) await this.row(key, this.objects.upload(key, bytes));
  }

  async row(key: ObjectKey, etag = 'of another version'): Promise<void> {
    const facts = { ...splitKey(key), etag, size: 1, lastModified: new Date(0), indexedAt: new Date(0), rules };
    await this.records.putRow({ ...facts, state: 'indexed', record: bytes, warnings: [] });
  }
}

describe('reindex', () => {
  let world: World;
  beforeEach(() => {
    world = new World();
  });

  it('sends a hint for every package without a row that has its ETag, and for every row without a package', async () => {
    await world.settled('All/same-1.0.tgz', 'Other/same-1.0.tgz');
    world.objects.upload('All/new-1.0.tgz', bytes);
    world.objects.upload('All/changed-1.0.tgz', bytes);
    await world.row('All/changed-1.0.tgz');
    await world.row('All/gone-1.0.tgz');
    await world.row('Gone/gone-1.0.tgz');
    const result = await reindex(world);
    const differing = ['All/changed-1.0.tgz', 'All/gone-1.0.tgz', 'All/new-1.0.tgz', 'Gone/gone-1.0.tgz'];
    assert.deepEqual(world.keys, differing);
    assert.deepEqual(result, { repositories: 3, packages: 4, hints: 4 });
    assert.ok(world.sent.flat().every((hint) => !('force' in hint)));
  });

  describe('an alias of a package with a plus in its name', () => {
    const marked = { 'alias-of': 'an etag All%2Fgtk2%2B-1.0.tgz' };
    async function putAlias(key: ObjectKey): Promise<void> {
      const options = { metadata: marked, contentType: 'application/octet-stream', lastModified: new Date(0) };
      await world.objects.put(key, bytes, { condition: { ifNoneMatch: '*' }, ...options });
    }

    for (const force of [false, true]) {
      it(`gets no hint, and is no package${force ? ', with force neither' : ''}`, async () => {
        await world.settled('All/gtk2+-1.0.tgz');
        await putAlias('All/gtk2 -1.0.tgz');
        assert.deepEqual(await reindex(world, { force }), { repositories: 1, packages: 1, hints: force ? 1 : 0 });
        assert.deepEqual(world.keys, force ? ['All/gtk2+-1.0.tgz'] : []);
      });
    }

    it('gets a hint where its package is gone: it has to go as well', async () => {
      await putAlias('All/gtk2 -1.0.tgz');
      await reindex(world);
      assert.deepEqual(world.keys, ['All/gtk2 -1.0.tgz']);
    });

    it('is told from a package that somebody uploaded under that key', async () => {
      await world.settled('All/gtk2+-1.0.tgz');
      world.objects.upload('All/gtk2 -1.0.tgz', bytes);
      assert.deepEqual(await reindex(world), { repositories: 1, packages: 2, hints: 1 });
      assert.deepEqual(world.keys, ['All/gtk2 -1.0.tgz']);
    });
  });

  it('counts packages that cannot be indexed because of an empty part in their keys, and names one', async () => {
    await world.settled('All/a-1.0.tgz');
    for (const key of ['All//b-1.0.tgz', '/c-1.0.tgz', 'All//notes.txt']) world.objects.upload(key, bytes);
    const unusable = { packages: 2, first: 'All//b-1.0.tgz' };
    assert.deepEqual(await reindex(world), { repositories: 1, packages: 1, hints: 0, unusable });
  });

  it('compares rejected rows as well', async () => {
    const etag = world.objects.upload('All/bad-1.0.tgz', bytes);
    const facts = {
      repository: 'All',
      file: 'bad-1.0.tgz',
      etag,
      size: 1,
      lastModified: new Date(0),
      indexedAt: new Date(0),
      rules,
    };
    await world.records.putRow({ ...facts, state: 'rejected', reason: { code: 'empty', message: 'm' } });
    await reindex(world);
    assert.deepEqual(world.keys, []);
  });

  it('sends one for a row of other rules, whatever the row says, and none once all are of the same', async () => {
    await world.settled('All/a-1.0.tgz', 'All/b-1.0.tgz');
    const architectures = ['x86_64'];
    const row = (await world.records.row('All', 'a-1.0.tgz')) ?? assert.fail();
    await world.records.putRow({ ...row, rules: fingerprintOf({ architectures }) });
    await reindex(world, { rules: { architectures } });
    assert.deepEqual(world.keys, ['All/b-1.0.tgz']);
    await reindex(world);
    assert.deepEqual(world.keys, ['All/b-1.0.tgz', 'All/a-1.0.tgz']);
    await world.records.putRow({ ...row, rules: '' });
    await reindex(world);
    assert.deepEqual(world.keys, ['All/b-1.0.tgz', 'All/a-1.0.tgz', 'All/a-1.0.tgz']);
  });

  it('changes nothing itself', async () => {
    await world.settled('All/a-1.0.tgz');
    world.objects.upload('All/b-1.0.tgz', bytes);
    await world.row('All/c-1.0.tgz');
    const before = [...world.objects.objects.keys()];
    await reindex(world);
    assert.deepEqual([...world.objects.objects.keys()], before);
    assert.equal((await world.records.row('All', 'c-1.0.tgz'))?.etag, 'of another version');
    assert.equal(await world.records.row('All', 'b-1.0.tgz'), undefined);
    assert.equal(await world.records.lastRun('All'), 0);
  });

  it('takes only packages for packages', async () => {
    const others = [
      'All/README',
      'All/x.zip',
      'All/.x-1.0.tgz',
      '.indexer/x-1.0.tgz',
      'All/x-1.0.tgz.asc',
      'All/pkg_summary.gz',
    ];
    for (const key of others) world.objects.upload(key, bytes);
    const result = await reindex(world);
    assert.deepEqual(world.keys, []);
    assert.deepEqual(result, { repositories: 1, packages: 0, hints: 0 });
  });

  it('with force sends one for every package and every row, each saying so', async () => {
    await world.settled('All/a-1.0.tgz', 'b-1.0.tgz');
    await world.row('All/c-1.0.tgz');
    await reindex(world, { force: true });
    assert.deepEqual(world.sent.flat(), [
      { key: 'b-1.0.tgz', force: true },
      { key: 'All/a-1.0.tgz', force: true },
      { key: 'All/c-1.0.tgz', force: true },
    ]);
  });

  it('tells how the packages of each repository fit together, those behind a prefix and a place too', async () => {
    const record = (name: string) => Buffer.from(`PKGNAME=${name}\nDEPENDS=b>=1\n\n`);
    for (const key of ['All/a-1.tgz', 'All/b-1.tgz', 'Other/a-1.tgz']) {
      const { repository, file } = splitKey(key);
      const facts = {
        repository,
        file,
        etag: 'old',
        size: 1,
        lastModified: new Date(0),
        indexedAt: new Date(0),
        rules,
      };
      await world.records.putRow({ ...facts, state: 'indexed', record: record(file.slice(0, -4)), warnings: [] });
    }
    for (const options of [{}, { after: { repository: 'All', file: 'a-1.tgz' } }, { prefix: 'All/b' }]) {
      const told: (readonly [string, number | undefined])[] = [];
      const onReport: ReindexOptions['onReport'] = (repository, report) =>
        told.push([repository, report?.missingDependencies.length]);
      await reindex(world, { ...options, onReport });
      const expected = [['All', 0] as const, ['Other', 1] as const];
      assert.deepEqual(told, 'prefix' in options ? expected.slice(0, 1) : expected);
    }
  });

  it('does not tell it of a repository in the middle of which it stops', async () => {
    world.objects.upload('All/a-1.0.tgz', bytes);
    const told: string[] = [];
    await reindex(world, { isTimeUp: () => true, onReport: (repository) => told.push(repository) });
    assert.deepEqual(told, []);
  });

  describe('asks for the summary', () => {
    it('of every repository that has packages, rows or an index, without differences too', async () => {
      await world.settled('settled/a-1.0.tgz');
      world.objects.upload('new/a-1.0.tgz', bytes);
      await world.row('gone/a-1.0.tgz');
      world.objects.upload('indexed/pkg_summary.bz2', bytes);
      await world.records.takeRun('summarized');
      world.changes.length = 0;
      const { repositories } = await reindex(world);
      assert.deepEqual(world.changes, ['gone', 'indexed', 'new', 'settled', 'summarized']);
      assert.equal(repositories, 5);
    });

    it('unless only packages are asked about', async () => {
      world.objects.upload('new/a-1.0.tgz', bytes);
      await world.settled('settled/a-1.0.tgz');
      world.changes.length = 0;
      await reindex(world, { onlyPackages: true });
      assert.deepEqual(world.sent.flat(), [{ key: 'new/a-1.0.tgz' }]);
      assert.deepEqual(world.changes, []);
    });

    it('after its hints were sent', async () => {
      world.objects.upload('All/a-1.0.tgz', bytes);
      const failure = new Error('the queue is down');
      await assert.rejects(
        reindex({
          ...world,
          objects: world.objects,
          records: world.records,
          hints: { send: () => Promise.reject(failure) },
        }),
        (error) => error === failure,
      );
      assert.deepEqual(world.changes, []);
    });
  });

  describe('below a prefix', () => {
    beforeEach(async () => {
      for (const key of ['a-1.0.tgz', 'All/a-1.0.tgz', 'All/ab-1.0.tgz', 'All/sub/a-1.0.tgz', 'Allx/a-1.0.tgz'])
        world.objects.upload(key, bytes);
      for (const key of ['gone-1.0.tgz', 'All/gone-1.0.tgz', 'All/agone-1.0.tgz', 'Gone/gone-1.0.tgz'])
        await world.row(key);
    });
    const cases: readonly (readonly [prefix: string, keys: string[]])[] = [
      ['All/', ['All/a-1.0.tgz', 'All/ab-1.0.tgz', 'All/agone-1.0.tgz', 'All/gone-1.0.tgz', 'All/sub/a-1.0.tgz']],
      ['All/a', ['All/a-1.0.tgz', 'All/ab-1.0.tgz', 'All/agone-1.0.tgz']],
      ['All/sub/', ['All/sub/a-1.0.tgz']],
      ['Allx', ['Allx/a-1.0.tgz']],
      ['G', ['Gone/gone-1.0.tgz']],
      ['g', ['gone-1.0.tgz']],
      ['All/a-1.0.tgz', ['All/a-1.0.tgz']],
      ['nothing/', []],
    ];
    for (const [prefix, keys] of cases) {
      it(`sends hints for that only: ${prefix}`, async () => {
        await reindex(world, { prefix });
        assert.deepEqual(world.keys, keys);
        world.sent.length = 0;
        await reindex(world, { prefix, force: true });
        assert.deepEqual(world.keys, keys);
      });
    }
  });

  it('sends so many hints at a time, and no more, in the order of their bytes', async () => {
    const { hintsPerSendMax } = reindexLimits;
    const name = (index: number) => `${String(index).padStart(5, '0')}-1.0.tgz`;
    const count = 2 * hintsPerSendMax + 1;
    for (let index = 0; index < count; index += 1) world.objects.upload(name(index), bytes);
    for (const rows of [[], [name(count)], [name(0), name(count - 2)]]) {
      for (const row of rows) await world.row(row);
      world.sent.length = 0;
      const { hints } = await reindex(world);
      assert.equal(hints, world.keys.length);
      assert.deepEqual(world.keys, world.keys.toSorted());
      for (const sent of world.sent) assert.ok(sent.length <= hintsPerSendMax, `${sent.length}`);
    }
  });

  it('that is stopped and goes on sends the same hints, each once, in one order', async () => {
    const file = fc.constantFrom('a.tgz', 'b.tgz', 'c.tgz', '\u{1f600}.tgz', '\uffff.tgz', 'B.tgz');
    const repository = fc.constantFrom('', 'All', 'All/sub', '\u{1f600}', '\uffff');
    const entry = fc.record({ repository, file, state: fc.constantFrom('settled', 'new', 'gone', 'changed') });
    const entries = fc.uniqueArray(entry, {
      selector: ({ repository, file }) => `${repository}/${file}`,
      maxLength: 15,
    });
    await fc.assert(
      fc.asyncProperty(entries, fc.boolean(), fc.infiniteStream(fc.boolean()), async (entries, force, stops) => {
        const [whole, stopped] = [new World(), new World()];
        for (const world of [whole, stopped]) {
          for (const { repository, file, state } of entries) {
            const key = repository === '' ? file : `${repository}/${file}`;
            if (state === 'settled') await world.settled(key);
            if (state === 'new' || state === 'changed') world.objects.upload(key, bytes);
            if (state === 'gone' || state === 'changed') await world.row(key);
          }
          world.changes.length = 0;
        }
        await reindex(whole, { force });

        let place: ReindexPlace | undefined;
        let rounds = 0;
        do {
          const isTimeUp = () => stops.next().value === true;
          const result = await reindex(stopped, { force, isTimeUp, ...(place && { after: place }) });
          place = result.stoppedAt;
          rounds += 1;
        } while (place !== undefined && rounds < 100);
        assert.equal(place, undefined);
        assert.deepEqual(stopped.sent.flat(), whole.sent.flat());
        assert.deepEqual(stopped.changes, whole.changes);
      }),
      { numRuns: runs(200) },
    );
  });
});
