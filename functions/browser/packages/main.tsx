/** One script for both: in the page it starts the application, which starts it again as its worker. */

import { render } from 'preact';
import { Application } from './application.tsx';
import { CatalogueClient } from './catalogue-client.ts';
import { startWorker, type WorkerScope } from './catalogue-worker.ts';

if ('document' in globalThis) {
  // First of all, so that the index is on its way while the page is being made.
  const client = new CatalogueClient(document.currentScript?.textContent ?? '', new URL('.', document.baseURI).href);
  render(<Application client={client} />, document.body);
} else startWorker(globalThis as unknown as WorkerScope);
