/** What every ObjectStore promises. Run over each adapter; an adapter that passes can stand for any other. */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import {
  type ETag,
  type ListedObject,
  ObjectChanged,
  type ObjectFacts,
  type ObjectKey,
  type ObjectStore,
  type PutCondition,
  type PutOptions,
  type PutOutcome,
} from '../../functions/ports.ts';

export interface OpenedObjectStore {
  readonly store: ObjectStore;
  close(): Promise<void>;
}

export interface ObjectStoreTraits {
  /** More than one page of a listing; S3's has 1,000. */
  readonly objectsListed?: number;
  /** Of what an ETag is the version: of each write, or (S3) of the content, so that equal content has an equal ETag. */
  readonly etagOf: 'write' | 'content';
  /** Whose Last-Modified an object gets: the one asked for, or (S3) the store's own. */
  readonly lastModified: 'as asked' | 'its own';
}

const absent: PutCondition = { ifNoneMatch: '*' };
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (content: Uint8Array): string => new TextDecoder().decode(content);

function options(condition: PutCondition, more: Partial<PutOptions> = {}): PutOptions {
  const lastModified = new Date('2026-02-03T04:05:06Z');
  return { condition, metadata: {}, contentType: 'application/octet-stream', lastModified, ...more };
}

function storedEtag(outcome: PutOutcome): ETag {
  assert.equal(outcome.outcome, 'stored');
  return (outcome as PutOutcome & { outcome: 'stored' }).etag;
}

/** Keys that some layer between us and the bytes may encode, decode, normalize or cut. */
export const oddKeys: readonly ObjectKey[] = [
  'plain.tgz',
  'All/gtk2+-2.24.33.tgz',
  'All/two  blanks 1.0.tgz',
  'All/til~de-1.0.tgz',
  'All/per%cent%2B%-1.0.tgz',
  'All/amper&sand=equals?question#hash-1.0.tgz',
  'All/quote\'s "double" <less>-1.0.tgz',
  'All/back\\slash-1.0.tgz',
  'All/comma,colon:semi;at@star*dollar$-1.0.tgz',
  'All/gr\u00fc\u00dfe-1.0.tgz',
  'All/combining-gru\u0308\u00dfe-1.0.tgz',
  'All/\u5305\u88f9-\u{1f4e6}-1.0.tgz',
  'a/b/c/d/e/f.tgz',
];

export function objectStoreContract(
  name: string,
  open: () => Promise<OpenedObjectStore>,
  { etagOf, lastModified, objectsListed = 1_100 }: ObjectStoreTraits,
): void {
  describe(`${name} keeps the promises of ObjectStore`, () => {
    let opened: OpenedObjectStore;
    let store: ObjectStore;

    beforeEach(async () => {
      opened = await open();
      store = opened.store;
    });
    afterEach(() => opened.close());

    async function create(key: ObjectKey, content: string): Promise<ETag> {
      return storedEtag(await store.put(key, bytes(content), options(absent)));
    }
    async function replace(key: ObjectKey, content: string): Promise<ETag> {
      const { etag } = await headOf(key);
      return storedEtag(await store.put(key, bytes(content), options({ ifMatch: etag })));
    }
    async function headOf(key: ObjectKey): Promise<ObjectFacts> {
      const facts = await store.head(key);
      assert.ok(facts, `${key} is absent`);
      return facts;
    }
    async function contentOf(key: ObjectKey): Promise<string> {
      const { etag, size } = await headOf(key);
      return text(await store.readRange(key, etag, 0, size + 1));
    }
    async function listed(prefix: string): Promise<Map<ObjectKey, ListedObject>> {
      const byKey = new Map<ObjectKey, ListedObject>();
      for await (const object of store.list(prefix)) {
        assert.ok(!byKey.has(object.key), `${object.key} was listed twice`);
        byKey.set(object.key, object);
      }
      return byKey;
    }
    async function keysListed(prefix: string): Promise<ObjectKey[]> {
      return [...(await listed(prefix)).keys()].sort();
    }

    it('has nothing at first', async () => {
      assert.equal(await store.head('All/a-1.0.tgz'), undefined);
      assert.deepEqual(await keysListed(''), []);
    });

    it('gives back what was put, with its facts', async () => {
      const etag = await create('All/a-1.0.tgz', 'content');
      const facts = await headOf('All/a-1.0.tgz');
      assert.equal(facts.etag, etag);
      assert.equal(facts.size, 7);
      assert.deepEqual(facts.metadata, {});
      assert.equal(facts.lastModified.getTime() % 1000, 0, 'Last-Modified has whole seconds');
      assert.equal(await contentOf('All/a-1.0.tgz'), 'content');
      assert.deepEqual([...(await listed('')).values()], [{ key: 'All/a-1.0.tgz', etag, size: 7 }]);
    });

    it('gives back every byte as it was', async () => {
      const body = Uint8Array.from({ length: 1024 }, (_, index) => (index * 7) % 256);
      const etag = storedEtag(await store.put('bytes', body, options(absent)));
      assert.deepEqual(Buffer.from(await store.readRange('bytes', etag, 0, 2000)), Buffer.from(body));
    });

    it('holds an empty object', async () => {
      const etag = await create('empty', '');
      assert.equal((await headOf('empty')).size, 0);
      assert.deepEqual([...(await listed('')).values()], [{ key: 'empty', etag, size: 0 }]);
      assert.equal((await store.readRange('empty', etag, 0, 16_384)).byteLength, 0);
    });

    if (lastModified === 'as asked') {
      it('obeys the Last-Modified asked for, in whole seconds', async () => {
        for (const [key, asked, found] of [
          ['a', '2001-02-03T04:05:06.000Z', '2001-02-03T04:05:06.000Z'],
          ['b', '2038-01-19T03:14:08.999Z', '2038-01-19T03:14:08.000Z'],
        ] as const) {
          await store.put(key, bytes('x'), options(absent, { lastModified: new Date(asked) }));
          assert.equal((await headOf(key)).lastModified.toISOString(), found);
        }
      });
    }

    it('gives back metadata, of this object and of this version only', async () => {
      const metadata = { 'summary-sha256': 'ab'.repeat(32), run: '17' };
      const first = storedEtag(await store.put('a', bytes('1'), options(absent, { metadata })));
      assert.deepEqual({ ...(await headOf('a')).metadata }, metadata);
      await create('b', '1');
      assert.deepEqual({ ...(await headOf('b')).metadata }, {});

      const changed = { run: '18' };
      await store.put('a', bytes('2'), options({ ifMatch: first }, { metadata: changed }));
      assert.deepEqual({ ...(await headOf('a')).metadata }, changed);
      await replace('a', '3');
      assert.deepEqual({ ...(await headOf('a')).metadata }, {});

      await store.delete('b');
      await store.put('b', bytes('4'), options(absent, { metadata }));
      assert.deepEqual({ ...(await headOf('b')).metadata }, metadata);
    });

    describe('ranges', () => {
      const cases = [
        { offset: 0, length: 10, expected: '0123456789' },
        { offset: 0, length: 1, expected: '0' },
        { offset: 3, length: 4, expected: '3456' },
        { offset: 9, length: 1, expected: '9' },
        { offset: 8, length: 100, expected: '89' },
        { offset: 10, length: 5, expected: '' },
        { offset: 1000, length: 5, expected: '' },
      ];
      for (const { offset, length, expected } of cases) {
        it(`reads ${length} bytes from ${offset} of 10 as ${JSON.stringify(expected)}`, async () => {
          const etag = await create('digits', '0123456789');
          assert.equal(text(await store.readRange('digits', etag, offset, length)), expected);
        });
      }

      it('refuses to read an object that was replaced, deleted, or never there', async () => {
        const etag = await create('a', 'first');
        await replace('a', 'other');
        await assert.rejects(store.readRange('a', etag, 0, 5), ObjectChanged);
        const next = (await headOf('a')).etag;
        await store.delete('a');
        await assert.rejects(store.readRange('a', next, 0, 5), ObjectChanged);
        await assert.rejects(store.readRange('All/none', next, 0, 5), ObjectChanged);
      });
    });

    describe('versions', () => {
      it('have a new ETag with other content', async () => {
        const etags = [await create('a', '1')];
        for (const content of ['2', '3', '22', '33']) etags.push(await replace('a', content));
        assert.equal(new Set(etags).size, etags.length, `${etags}`);
      });

      if (etagOf === 'write') {
        it('have a new ETag with every put, of equal content and time too', async () => {
          const etags = [await create('a', 'same')];
          for (let count = 0; count < 10; count += 1) etags.push(await replace('a', 'same'));
          await store.delete('a');
          etags.push(await create('a', 'same'));
          assert.equal(new Set(etags).size, etags.length, `${etags}`);
        });
      }

      it('keep their ETag while nothing is put', async () => {
        const etag = await create('a', '1');
        await create('b', '2');
        assert.equal((await headOf('a')).etag, etag);
        assert.equal((await listed('a')).get('a')?.etag, etag);
      });
    });

    describe('conditions', () => {
      it('If-None-Match holds only where there is no object', async () => {
        await create('a', 'first');
        assert.deepEqual(await store.put('a', bytes('second'), options(absent)), { outcome: 'lost-race' });
        assert.equal(await contentOf('a'), 'first');
        await store.delete('a');
        await create('a', 'third');
        assert.equal(await contentOf('a'), 'third');
      });

      it('If-Match holds only for the version that is there', async () => {
        const first = await create('a', 'first');
        const second = storedEtag(await store.put('a', bytes('second'), options({ ifMatch: first })));
        assert.deepEqual(await store.put('a', bytes('third'), options({ ifMatch: first })), { outcome: 'lost-race' });
        assert.equal(await contentOf('a'), 'second');
        await store.delete('a');
        assert.deepEqual(await store.put('a', bytes('third'), options({ ifMatch: second })), { outcome: 'lost-race' });
        assert.equal(await store.head('a'), undefined);
      });

      it('a put that lost its race leaves the metadata alone', async () => {
        const etag = storedEtag(await store.put('a', bytes('1'), options(absent, { metadata: { run: '1' } })));
        await store.put('a', bytes('2'), options(absent, { metadata: { run: '2' } }));
        assert.deepEqual({ ...(await headOf('a')).metadata }, { run: '1' });
        assert.equal((await headOf('a')).etag, etag);
      });

      for (const kind of ['If-None-Match', 'If-Match']) {
        it(`of 20 concurrent puts with ${kind} one wins, and it is the one that is there`, async () => {
          const condition = kind === 'If-Match' ? { ifMatch: await create('a', 'before') } : absent;
          const contents = Array.from({ length: 20 }, (_, index) => `content ${index}`);
          const outcomes = await Promise.all(
            contents.map((content) => store.put('a', bytes(content), options(condition))),
          );
          const winners = outcomes.flatMap(({ outcome }, index) => (outcome === 'stored' ? [index] : []));
          assert.equal(winners.length, 1, `winners: ${winners}`);
          assert.equal(await contentOf('a'), contents[winners[0] ?? -1]);
          assert.equal((await headOf('a')).etag, storedEtag(outcomes[winners[0] ?? -1] as PutOutcome));
        });
      }
    });

    it('deletes an object, and is content where there is none', async () => {
      await create('All/a', '1');
      await create('All/b', '2');
      await store.delete('All/a');
      await store.delete('All/a');
      await store.delete('Other/none');
      assert.equal(await store.head('All/a'), undefined);
      assert.deepEqual(await keysListed(''), ['All/b']);
    });

    it('takes odd keys as they are', async () => {
      for (const key of oddKeys) await create(key, `content of ${key}`);
      for (const key of oddKeys) assert.equal(await contentOf(key), `content of ${key}`);
      assert.deepEqual(await keysListed(''), [...oddKeys].sort());
      for (const key of oddKeys) assert.deepEqual(await keysListed(key), [key]);
      for (const key of oddKeys) await store.delete(key);
      assert.deepEqual(await keysListed(''), []);
    });

    it('lists by a prefix of the key, not of its parts', async () => {
      const keys = ['All', 'All.txt', 'All2/x', 'B/All/y', 'a/All/x', 'a/All/y', 'a/All2/x', 'a/Al/x', 'a/All.txt'];
      for (const key of keys) await create(key, key);
      const cases = {
        '': keys,
        All: ['All', 'All.txt', 'All2/x'],
        'All2/': ['All2/x'],
        'a/All': ['a/All.txt', 'a/All/x', 'a/All/y', 'a/All2/x'],
        'a/All/': ['a/All/x', 'a/All/y'],
        'a/All/x': ['a/All/x'],
        'a/All/x/': [],
        a: ['a/Al/x', 'a/All.txt', 'a/All/x', 'a/All/y', 'a/All2/x'],
        'none/': [],
        none: [],
      };
      for (const [prefix, expected] of Object.entries(cases)) {
        assert.deepEqual(await keysListed(prefix), [...expected].sort(), `prefix ${JSON.stringify(prefix)}`);
      }
    });

    it(`lists ${objectsListed} objects, each once, with the facts that head gives`, async () => {
      const keys = Array.from({ length: objectsListed }, (_, index) => `many/package-${index}.tgz`);
      for (let start = 0; start < keys.length; start += 50) {
        await Promise.all(keys.slice(start, start + 50).map((key) => create(key, key)));
      }
      const objects = await listed('many/');
      assert.deepEqual([...objects.keys()].sort(), [...keys].sort());
      for (const key of keys.filter((_, index) => index % 100 === 0)) {
        const { etag, size } = await headOf(key);
        assert.deepEqual(objects.get(key), { key, etag, size });
      }
    });

    it('can be listed while objects come and go', async () => {
      for (let index = 0; index < 20; index += 1) await create(`All/${index}`, 'x');
      const seen = new Set<ObjectKey>();
      for await (const { key } of store.list('All/')) {
        seen.add(key);
        await store.delete('All/7');
        await store.delete(`All/${19 - seen.size}`);
      }
      assert.ok(seen.has('All/19'), 'an object that stayed was not listed');
    });
  });
}
