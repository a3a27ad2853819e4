import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

test('functions/version runs in a browser: it imports itself only, and uses nothing of Node', () => {
  const folder = new URL('../../functions/version/', import.meta.url);
  const files = readdirSync(folder).map((file) => new URL(file, folder));
  assert.ok(files.length > 0);
  for (const file of [...files]) {
    const source = readFileSync(file, 'utf8');
    const imported = [...source.matchAll(/(?:from|import) '([^']+)'|import\(([^)]*)\)/g)].map(([, name]) => name);
    const foreign = imported.filter((name) => !/^\.\/[a-z-]+\.ts$/.test(name ?? ''));
    assert.deepEqual(foreign, [], `${file.pathname} imports`);
    assert.doesNotMatch(
      source,
      /\b(Buffer\.|process\.|globalThis\b|require\(|setImmediate\(|__dirname\b)/,
      file.pathname,
    );
  }
});
