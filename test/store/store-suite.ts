/** The contracts over a store, and what the probe finds in it. */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { abilitiesLine } from '../../functions/adapters/store/abilities.ts';
import { StoreObjects } from '../../functions/adapters/store/store-objects.ts';
import { objectStoreContract } from '../adapters/object-store.contract.ts';
import { collected, uploadsContract } from '../adapters/store/uploads.contract.ts';
import { newPlace, type TriedStore } from './tried-store.ts';

export function storeSuite(
  name: string,
  openStore: () => Promise<TriedStore>,
  limits: Parameters<typeof uploadsContract>[2] = {},
): void {
  describe(name, () => {
    let tried: TriedStore;
    before(async () => {
      tried = await openStore();
    });
    after(() => tried?.stop());

    const open = async () => newPlace(tried);
    objectStoreContract(`StoreObjects over ${name}`, open, { etagOf: 'content', lastModified: 'its own' });
    uploadsContract(`StoreObjects over ${name}`, open, limits);

    it('is left clean by the probe', async (t) => {
      t.diagnostic(abilitiesLine(tried.abilities));
      const { bucket, client } = tried;
      const hidden = new StoreObjects(client, { bucket, prefix: '.indexer/', conditionalPuts: 'no' });
      assert.deepEqual(await collected(hidden.list('')), []);
    });

    it('is written to only where that is permitted', async () => {
      const { bucket, client } = tried;
      const refused = new Error('another indexer took over');
      const permitWrite = () => {
        throw refused;
      };
      const place = newPlace(tried);
      const objects = new StoreObjects(client, { bucket, prefix: place.prefix, conditionalPuts: 'no', permitWrite });
      const options = { metadata: {}, contentType: 'text/plain', lastModified: new Date() } as const;
      await assert.rejects(
        objects.put('a', Buffer.from('1'), { ...options, condition: { ifNoneMatch: '*' } }),
        refused,
      );
      await assert.rejects(objects.delete('a'), refused);
      await assert.rejects(objects.receive('a', (async function* () {})(), { bytesMax: 1 }), refused);
      assert.equal(await objects.head('a'), undefined);
    });

    it('of two prefixes in a bucket shows each its own alone', async () => {
      const [one, other] = [newPlace(tried), newPlace(tried)];
      await one.put('All/x.tgz', Buffer.from('content'));
      assert.equal(await other.store.head('All/x.tgz'), undefined);
      assert.deepEqual(await collected(other.store.list('')), []);
      const keys = (await collected(one.store.list(''))).map(({ key }) => key);
      assert.deepEqual(keys, ['All/x.tgz']);
      await one.close();
    });
  });
}
