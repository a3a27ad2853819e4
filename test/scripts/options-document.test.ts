import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { describeOptions, optionsDocument } from '../../scripts/options-document.ts';

test('docs/options.md is that of the commands', async () => {
  assert.equal(await readFile(optionsDocument, 'utf8'), await describeOptions(), 'run: npm run options');
});
