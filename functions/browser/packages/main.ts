/** One script for both: in the page it starts the application, which starts it again as its worker. */

import { Application } from './application.ts';
import { startWorker, type WorkerScope } from './catalogue-worker.ts';

if ('document' in globalThis) new Application(document.currentScript?.textContent ?? '').start();
else startWorker(globalThis as unknown as WorkerScope);
