import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { mutations } from './mutations.ts';

test('docs/interleavings.md names every mutation, and none that is not there', () => {
  const text = readFileSync(new URL('../../docs/interleavings.md', import.meta.url), 'utf8').replaceAll(/\s+/g, ' ');
  const named = [...text.matchAll(/(?<!\*)\*([^*]+)\*(?!\*)/g)].map(([, name = '']) => name);
  const mutationsNamed = named.filter((name) => /^(extract|summarize|reindex|the store|hints|an? \w+) /.test(name));
  assert.deepEqual(
    {
      missing: Object.keys(mutations).filter((name) => !mutationsNamed.includes(name)),
      unknown: mutationsNamed.filter((name) => !(name in mutations)),
    },
    { missing: [], unknown: [] },
  );
});
