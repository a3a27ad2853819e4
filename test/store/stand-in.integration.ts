/** The store of `s3://` over one that ignores conditions of puts. */

import { startStandInStore } from '../adapters/store/stand-in-store.ts';
import { pipelineSuite } from './pipeline-suite.ts';
import { storeSuite } from './store-suite.ts';
import { tryStore } from './tried-store.ts';

async function open() {
  const store = await startStandInStore();
  return await tryStore(store.endpoint, store.newBucket(), () => store.stop());
}

const name = 'a store without conditional puts';
storeSuite(name, open, { bytesPerRequest: 8 * 1024 * 1024 });
pipelineSuite(name, open);
