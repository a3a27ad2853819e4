import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { extract, extractLimits } from '../functions/extract.ts';
import {
  type AliasKeeper,
  aliasMetadata,
  type ObjectFacts,
  type ObjectKey,
  type ObjectStore,
  type Row,
} from '../functions/ports.ts';
import { recordLimits } from '../functions/record/limits.ts';
import { defaultRules, fingerprintOf } from '../functions/record/rules.ts';
import { ManualClock } from './adapters/manual-clock.ts';
import { MemoryObjects } from './adapters/memory-objects.ts';
import { MemoryRecords } from './adapters/memory-records.ts';
import { corpusPackage } from './corpus.ts';
import { recordOf } from './package/byte-source.ts';
import { makePackage, noise } from './package-maker.ts';

const key = 'All/made-1.0.tgz';
const good = makePackage();
const better = makePackage({ comment: 'A better one\n' });
const bad = good.subarray(0, 100);
const uploadedAt = new Date('2026-01-01T00:00:07Z');

/** A bucket in which something happens between two requests. */
class WatchedObjects extends MemoryObjects {
  /** In the order of the requests: `head`, `read`. */
  readonly requests: string[] = [];
  /** Called before each request, with how many of its kind went before. */
  before: (request: 'head' | 'read', count: number) => void = () => undefined;

  override async head(key: ObjectKey): Promise<ObjectFacts | undefined> {
    this.#note('head');
    return super.head(key);
  }

  override async readRange(...range: Parameters<MemoryObjects['readRange']>): Promise<Uint8Array> {
    this.#note('read');
    return super.readRange(...range);
  }

  #note(request: 'head' | 'read'): void {
    this.before(request, this.requests.filter((earlier) => earlier === request).length);
    this.requests.push(request);
  }
}

describe('extract', () => {
  let objects: WatchedObjects;
  let records: MemoryRecords;
  let clock: ManualClock;
  /** Repositories whose rows changed, once for each change. */
  let changes: string[];

  beforeEach(() => {
    changes = [];
    objects = new WatchedObjects();
    records = new MemoryRecords((repository) => changes.push(repository));
    clock = new ManualClock();
  });

  function run(options?: Parameters<typeof extract>[2]) {
    return extract({ objects, records, clock }, key, options);
  }

  function upload(bytes: Uint8Array): string {
    return objects.upload(key, bytes, uploadedAt);
  }

  function row(): Promise<Row | undefined> {
    return records.row('All', 'made-1.0.tgz');
  }

  /** The row says what the object is, now. */
  async function assertAgreement(bytes: Uint8Array): Promise<void> {
    const { etag, size, lastModified } = (await objects.head(key)) ?? assert.fail('there is no object');
    const found = await row();
    assert.ok(found?.state === 'indexed');
    assert.deepEqual([found.etag, found.size, found.lastModified], [etag, size, lastModified]);
    assert.deepEqual(Buffer.from(found.record).toString(), Buffer.from(await recordOf(bytes)).toString());
  }

  it('gives a package a row with its record, its warnings and its facts', async () => {
    const etag = upload(makePackage({ name: 'other-1.0' }));
    const extraction = await run();
    const expected = {
      repository: 'All',
      file: 'made-1.0.tgz',
      state: 'indexed',
      etag,
      size: makePackage({ name: 'other-1.0' }).length,
      lastModified: uploadedAt,
      indexedAt: clock.now(),
      rules: fingerprintOf(defaultRules),
      record: await recordOf(makePackage({ name: 'other-1.0' })),
      warnings: ['name-mismatch'],
    };
    assert.deepEqual(extraction, { outcome: 'written', row: expected });
    const found = await row();
    assert.ok(found?.state === 'indexed');
    assert.deepEqual({ ...found, record: Buffer.from(found.record) }, expected);
    assert.deepEqual(changes, ['All']);
  });

  it('replaces the row of a package that was replaced', async () => {
    upload(good);
    await run();
    upload(better);
    assert.equal((await run()).outcome, 'written');
    await assertAgreement(better);
  });

  it('removes the row of a package that is gone', async () => {
    upload(good);
    await run();
    await objects.delete(key);
    assert.deepEqual(await run(), { outcome: 'removed' });
    assert.equal(await row(), undefined);
    assert.deepEqual(changes, ['All', 'All']);
  });

  it('does nothing for a key that is neither in the bucket nor in the table', async () => {
    await records.markAdopted('All');
    assert.deepEqual(await run(), { outcome: 'unchanged', row: undefined });
    assert.deepEqual(changes, []);
  });

  it('neither reads nor writes what is up to date', async () => {
    await records.markAdopted('All');
    upload(good);
    await run();
    objects.requests.length = 0;
    assert.deepEqual(await run(), { outcome: 'unchanged', row: await row() });
    assert.deepEqual(objects.requests, ['head', 'head']);
    assert.deepEqual(changes, ['All']);
  });

  describe('when the rules have changed', () => {
    const [own, foreign] = [{ architectures: ['x86_64'] }, { architectures: ['aarch64'] }];
    const package64 = makePackage({ buildInfo: 'MACHINE_ARCH=x86_64\n' });

    beforeEach(async () => {
      await records.markAdopted('All');
      upload(package64);
      await run();
      await clock.advance(60_000);
      objects.requests.length = 0;
      changes.length = 0;
    });

    it('rejects a package that they do not accept, and accepts it again, without reading it', async () => {
      const before = (await row()) ?? assert.fail();
      const { outcome } = await run({ rules: foreign });
      assert.equal(outcome, 'written');
      const rejected = await row();
      assert.ok(rejected?.state === 'rejected');
      assert.equal(rejected.reason.code, 'foreign-architecture');
      assert.deepEqual([rejected.etag, rejected.indexedAt], [before.etag, before.indexedAt]);
      await run({ rules: own });
      assert.deepEqual(await row(), { ...before, rules: fingerprintOf(own) });
      assert.deepEqual(objects.requests, ['head', 'head', 'head', 'head']);
      assert.deepEqual(changes, ['All', 'All']);
    });

    it('says so in a row that they do not change, so that it does not differ any more', async () => {
      assert.equal((await run({ rules: own })).outcome, 'written');
      assert.equal((await row())?.rules, fingerprintOf(own));
      assert.equal((await run({ rules: own })).outcome, 'unchanged');
    });

    it('reads a package again that could not be read', async () => {
      upload(bad);
      await run();
      objects.requests.length = 0;
      assert.equal((await run({ rules: own })).outcome, 'written');
      assert.ok(objects.requests.includes('read'));
      const found = await row();
      assert.ok(found?.state === 'rejected');
      assert.deepEqual([found.reason.code, found.rules], ['truncated', fingerprintOf(own)]);
    });

    it('reads a package again that was replaced, even while the old row is judged', async () => {
      const other = makePackage({ buildInfo: 'MACHINE_ARCH=aarch64\n' });
      objects.before = (request, count) => {
        if (request === 'head' && count === 1) upload(other);
      };
      await run({ rules: foreign });
      await assertAgreement(other);
    });
  });

  describe('while a first publication may be waiting for it', () => {
    it('tells of a package that is gone, and of one that is as its row says: no row changes, and yet there is no need to wait', async () => {
      await run();
      assert.deepEqual(changes, ['All']);
      upload(good);
      await run();
      assert.deepEqual(changes, ['All', 'All'], 'the change of the row says it');
      await run();
      assert.deepEqual(changes, ['All', 'All', 'All']);
    });

    it('says so after it has looked again', async () => {
      objects.before = () => assert.deepEqual(changes, []);
      await run();
      assert.deepEqual(objects.requests, ['head', 'head']);
      assert.deepEqual(changes, ['All']);
    });
  });

  describe('with force', () => {
    it('reads again, and writes nothing where it reads the same', async () => {
      await records.markAdopted('All');
      for (const bytes of [good, bad, makePackage({ name: '../x-1.0' })]) {
        upload(bytes);
        await run();
        const before = await row();
        changes = [];
        objects.requests.length = 0;
        await clock.advance(1_000);
        assert.deepEqual(await run({ force: true }), { outcome: 'unchanged', row: before });
        assert.ok(objects.requests.includes('read'));
        assert.deepEqual(changes, []);
        assert.deepEqual(await row(), before);
      }
    });

    it('writes what an older reader had read otherwise', async () => {
      upload(good);
      await run();
      const now = (await row()) ?? assert.fail();
      assert.ok(now.state === 'indexed');
      const { record, warnings, ...facts } = now;
      const reason = { code: 'truncated', message: 'expected more, found the end' };
      const olderRows: Row[] = [
        { ...now, record: Buffer.from('PKGNAME=made-1.0\n\n') },
        { ...now, warnings: ['name-mismatch'] },
        { ...facts, state: 'rejected', reason },
      ];
      for (const older of olderRows) {
        await records.putRow(older);
        assert.equal((await run()).outcome, 'unchanged');
        assert.equal((await run({ force: true })).outcome, 'written');
        await assertAgreement(good);
      }
    });

    it('writes a rejection for another reason', async () => {
      upload(bad);
      await run();
      const now = (await row()) ?? assert.fail();
      assert.ok(now.state === 'rejected');
      await records.putRow({ ...now, reason: { code: 'empty', message: 'something else' } });
      await run({ force: true });
      assert.deepEqual(await row(), now);
    });
  });

  describe('a bad package', () => {
    const badPackages: readonly (readonly [what: string, bytes: Uint8Array, code: string, record?: 'has a record'])[] =
      [
        ['a cut one', bad, 'truncated'],
        ['an empty file', new Uint8Array(), 'empty'],
        ['a text', Buffer.from('hello, world\n'), 'not-a-package'],
        ['one without a name', makePackage({ metadata: { '+CONTENTS': 'bin/x\n' } }), 'no-name'],
        ['a dangerous one', makePackage({ name: '../x-1.0' }), 'unsafe-name', 'has a record'],
        ['one with a long line', makePackage({ comment: 'x'.repeat(9_000) }), 'line-too-long', 'has a record'],
        ['one of the corpus', corpusPackage('bad-dup-contents.tgz').bytes(), 'repeated-metadata'],
      ];
    for (const [what, bytes, code, record] of badPackages) {
      it(`has a row with the reason, and its record if it has one: ${what}`, async () => {
        const etag = upload(bytes);
        const extraction = await run();
        const found = await row();
        assert.ok(found?.state === 'rejected' && extraction.outcome === 'written');
        assert.equal(extraction.row.state, 'rejected');
        assert.equal(found.reason.code, code);
        assert.match(found.reason.message, /found/);
        assert.deepEqual([found.etag, found.size], [etag, bytes.length]);
        assert.deepEqual(found.record, record && Uint8Array.from(await recordOf(bytes)));
      });
    }

    it('heals when it is replaced, and a good one can become bad', async () => {
      upload(bad);
      await run();
      upload(good);
      await run();
      await assertAgreement(good);
      upload(bad);
      await run();
      assert.equal((await row())?.state, 'rejected');
      assert.deepEqual(changes, ['All', 'All', 'All']);
    });

    it('has a reason of limited length', async () => {
      upload(makePackage({ packingList: Array.from({ length: 900 }, (_, index) => `@name another-${index}`) }));
      await run();
      const found = await row();
      assert.ok(found?.state === 'rejected');
      assert.equal(found.reason.code, 'several-names');
      assert.equal(found.reason.message.length, recordLimits.reasonCharactersMax);
    });
  });

  describe('a store that fails', () => {
    it('makes extract fail, at whichever request, and the row stays as it was', async () => {
      upload(good);
      await run();
      const before = await row();
      upload(makePackage({ payload: { bin: 40_000 } }));
      for (const request of ['head', 'read'] as const) {
        const failure = new Error(`no ${request}`);
        objects.before = (kind) => {
          if (kind === request) throw failure;
        };
        await assert.rejects(run(), (error) => error === failure);
        assert.deepEqual(await row(), before);
      }
    });

    it('with fewer bytes than there are is tried again, too: the package is not to blame', async () => {
      class ShortObjects extends MemoryObjects {
        override async readRange(...range: Parameters<MemoryObjects['readRange']>): Promise<Uint8Array> {
          return (await super.readRange(...range)).subarray(1);
        }
      }
      const short = new ShortObjects();
      short.upload(key, good);
      await assert.rejects(
        extract({ objects: short, records, clock }, key),
        /bytes of All\/made-1\.0\.tgz at byte 0, found/,
      );
      assert.equal(await row(), undefined);
    });

    it('and is slow: so much time for all of a package, and no more', async () => {
      const { readMillisecondsMax } = extractLimits;
      const large = makePackage({ metadata: { '+INSTALL': noise(100_000) }, payload: { bin: 2 ** 20 } });
      for (const [milliseconds, isRead] of [
        [readMillisecondsMax, true],
        [readMillisecondsMax + 1, false],
      ] as const) {
        upload(large);
        const begin = clock.now().getTime();
        let time = begin;
        objects.before = (request) => {
          if (request === 'read') time = begin + milliseconds;
        };
        const slow = { now: () => new Date(time), sleep: () => Promise.resolve() };
        const extraction = extract({ objects, records, clock: slow }, key);
        if (isRead) assert.equal((await extraction).outcome, 'written');
        else await assert.rejects(extraction, /took more than 60000 ms; will retry/);
      }
    });

    it('and keeps changing: all attempts together have that time', async () => {
      const { readMillisecondsMax, checksMax } = extractLimits;
      upload(good);
      const begin = clock.now().getTime();
      let time = begin;
      objects.before = (request) => {
        if (request !== 'read') return;
        time += readMillisecondsMax / 3;
        upload(good);
      };
      const slow = { now: () => new Date(time), sleep: () => Promise.resolve() };
      await assert.rejects(extract({ objects, records, clock: slow }, key), /took more than 60000 ms/);
      assert.ok(time - begin < checksMax * (readMillisecondsMax / 3));
    });

    it('hands its signal to every request to the store', async () => {
      const { signal } = new AbortController();
      const asked: string[] = [];
      class SignalledObjects extends MemoryObjects {
        override async head(name: ObjectKey, given?: AbortSignal) {
          if (given === signal) asked.push('head');
          return super.head(name);
        }
        override async readRange(...[name, etag, offset, length, given]: Parameters<ObjectStore['readRange']>) {
          if (given === signal) asked.push('read');
          return super.readRange(name, etag, offset, length);
        }
      }
      const signalled = new SignalledObjects();
      signalled.upload(key, good);
      const aliases: AliasKeeper = {
        reconcile: async (_key, _seen, given) => {
          if (given === signal) asked.push('alias');
        },
      };
      await extract({ objects: signalled, records, clock, aliases }, key, { signal });
      assert.deepEqual(asked, ['head', 'read', 'alias', 'head']);
    });

    it('at a row that cannot be written', async () => {
      upload(good);
      const failure = new Error('the table is full');
      records.putRow = () => Promise.reject(failure);
      await assert.rejects(run(), (error) => error === failure);
    });
  });

  describe('an object that changes meanwhile', () => {
    /** What happens, once, before the given request. */
    function meanwhile(request: 'head' | 'read', count: number, happens: () => void): void {
      objects.before = (kind, before) => {
        if (kind !== request || before !== count) return;
        objects.before = () => undefined;
        happens();
      };
    }
    const removal = () => void objects.objects.delete(key);

    for (const [when, request, count] of [
      ['before it is read', 'read', 0],
      ['while it is read', 'read', 1],
      ['after its row was written', 'head', 1],
    ] as const) {
      it(`is read anew: replaced ${when}`, async () => {
        upload(makePackage({ payload: { bin: 40_000 } }));
        meanwhile(request, count, () => upload(better));
        await run();
        await assertAgreement(better);
      });

      it(`is read anew: replaced by a bad one ${when}`, async () => {
        upload(makePackage({ payload: { bin: 40_000 } }));
        meanwhile(request, count, () => upload(bad));
        await run();
        assert.equal((await row())?.state, 'rejected');
      });

      it(`has no row: removed ${when}`, async () => {
        upload(makePackage({ payload: { bin: 40_000 } }));
        meanwhile(request, count, removal);
        await run();
        assert.equal(await row(), undefined);
      });
    }

    it('is found: uploaded after it was seen to be absent', async () => {
      meanwhile('head', 1, () => upload(good));
      await run();
      await assertAgreement(good);
    });

    it('is found: uploaded again after its row was removed', async () => {
      upload(good);
      await run();
      await objects.delete(key);
      objects.requests.length = 0;
      meanwhile('head', 1, () => upload(better));
      await run();
      await assertAgreement(better);
    });

    it('is looked at after the row is written: a crash in between leaves the hint', async () => {
      upload(good);
      objects.before = (request, count) => {
        if (request === 'head' && count === 1) throw new Error('killed');
      };
      await assert.rejects(run(), /killed/);
      assert.equal((await row())?.state, 'indexed');
    });

    it('for ever goes back to the queue, after so many looks', async () => {
      for (const [changesMeanwhile, isQuiet] of [
        [extractLimits.checksMax - 1, true],
        [extractLimits.checksMax, false],
      ] as const) {
        upload(good);
        let left = changesMeanwhile;
        objects.requests.length = 0;
        objects.before = (request) => {
          if (request === 'read' && left > 0) {
            left -= 1;
            upload(good);
          }
        };
        if (isQuiet) await run();
        else await assert.rejects(run(), /changed 10 times while it was being read; will retry/);
        assert.equal(left, 0);
      }
    });
  });

  describe('an alias', () => {
    it('is no package: it has no row', async () => {
      const aliasKey = 'All/gtk2 -1.0.tgz';
      objects.objects.set(aliasKey, {
        body: good,
        etag: 'e',
        size: good.length,
        lastModified: uploadedAt,
        metadata: { [aliasMetadata]: 'x' },
        contentType: '',
      });
      assert.deepEqual(await extract({ objects, records, clock }, aliasKey), { outcome: 'unchanged', row: undefined });
    });

    it('is made to agree before the second look, with what was seen', async () => {
      const agreed: unknown[] = [];
      const aliases = {
        async reconcile(key: ObjectKey, seen: ObjectFacts | undefined) {
          agreed.push([key, seen?.etag, objects.requests.filter((request) => request === 'head').length]);
        },
      };
      const etag = upload(good);
      await extract({ objects, records, clock, aliases }, key);
      await objects.delete(key);
      objects.requests.length = 0;
      await extract({ objects, records, clock, aliases }, key);
      assert.deepEqual(agreed, [
        [key, etag, 1],
        [key, undefined, 1],
      ]);
    });

    it('that cannot be made makes extract fail', async () => {
      upload(good);
      const failure = new Error('no copy');
      const aliases = { reconcile: () => Promise.reject(failure) };
      await assert.rejects(extract({ objects, records, clock, aliases }, key), (error) => error === failure);
    });
  });
});
