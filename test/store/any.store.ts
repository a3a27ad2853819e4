/**
 * Any store: `STORE_ENDPOINT=https://… STORE_BUCKET=… npm run test:store`, with the credentials in the environment. The bucket must exist;
 * everything is below prefixes of its own, and removed again.
 */

import { test } from 'node:test';
import { pipelineSuite } from './pipeline-suite.ts';
import { storeSuite } from './store-suite.ts';
import { tryStore } from './tried-store.ts';

const { STORE_ENDPOINT: endpoint, STORE_BUCKET: bucket } = process.env;

if (endpoint === undefined || bucket === undefined)
  test('a store', (t) => t.skip('set STORE_ENDPOINT and STORE_BUCKET to try a store'));
else {
  const open = () => tryStore(endpoint, bucket);
  storeSuite(endpoint, open);
  pipelineSuite(endpoint, open);
}
