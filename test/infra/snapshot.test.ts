/**
 * The whole template, so that no change of it goes unseen. After a change that was meant:
 * `node --test --test-update-snapshots test/infra/snapshot.test.ts`, and read the difference.
 */

import { test } from 'node:test';
import { optionMatrix, templateFor } from './synthesized.ts';

for (const name of ['alarm e-mail', 'existing bucket without a CDN']) {
  test(`the template: ${name}`, (t) => {
    t.assert.snapshot(templateFor(optionMatrix[name] ?? {}));
  });
}
