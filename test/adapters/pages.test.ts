import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type BundledPage, bundlePage } from '../../functions/adapters/page-bundler.ts';
import { loadPage } from '../../functions/adapters/pages.ts';

describe('a page of the sources', () => {
  let cache: string;
  let page: BundledPage;
  const file = () => join(cache, 'operations-page.json');

  before(async () => {
    cache = join(mkdtempSync(join(tmpdir(), 'pages-')), 'cache');
    page = await loadPage('operations', cache);
  });
  after(() => rmSync(join(cache, '..'), { recursive: true }));

  it('is the same whenever it is bundled, and names the files it was made of', async () => {
    const { html, policy, sources } = await bundlePage('operations');
    assert.deepEqual({ html, policy }, { html: page.html, policy: page.policy });
    for (const source of ['functions/browser/operations/page.html', 'functions/browser/operations/page.css'])
      assert.ok(sources.includes(source), `${sources}`);
  });

  it('is kept, and nothing else is left in the cache', () => {
    assert.deepEqual(readdirSync(cache), ['operations-page.json']);
  });

  it('comes from the cache without esbuild being loaded', () => {
    const code = `
      const { loadPage } = await import(${JSON.stringify(new URL('../../functions/adapters/pages.ts', import.meta.url))});
      const { html } = await loadPage('operations', ${JSON.stringify(cache)});
      const loaded = Object.keys(process.getBuiltinModule('module')._cache);
      console.log(JSON.stringify({ html, esbuild: loaded.filter((file) => file.includes('esbuild')) }));
    `;
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' });
    assert.deepEqual(JSON.parse(output), { html: page.html, esbuild: [] });
  });

  const kept = (): object => JSON.parse(readFileSync(file(), 'utf8'));
  const unusable: Readonly<Record<string, () => string>> = {
    'a source changed': () => JSON.stringify({ ...kept(), html: 'old', digest: 'of other sources' }),
    'a source was removed': () => JSON.stringify({ ...kept(), html: 'old', sources: [...page.sources, 'removed.ts'] }),
    'it was cut off': () => readFileSync(file(), 'utf8').slice(0, 1_000),
    'it is of another kind': () => '{}',
  };
  for (const [what, content] of Object.entries(unusable)) {
    it(`is bundled again where ${what}`, async () => {
      writeFileSync(file(), content());
      assert.equal((await loadPage('operations', cache)).html, page.html);
      assert.match(readFileSync(file(), 'utf8'), /^\{"html":"<!doctype html>/);
    });
  }

  it('is bundled at every start where nothing can be written', async () => {
    const obstacle = join(cache, '../file');
    writeFileSync(obstacle, '');
    assert.equal((await loadPage('operations', join(obstacle, 'cache'))).html, page.html);
    const taken = join(cache, '../taken');
    mkdirSync(join(taken, 'operations-page.json'), { recursive: true });
    assert.equal((await loadPage('operations', taken)).html, page.html);
    assert.deepEqual(readdirSync(taken), ['operations-page.json']);
  });
});
