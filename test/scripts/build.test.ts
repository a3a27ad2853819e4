import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Bundle, buildBundles, stepNames } from '../../scripts/build.ts';

/** Stands for functions/lambda.ts: a handler per step, and code that only one of them needs. */
const entry = `
  import { gunzipSync, gzipSync } from 'node:zlib';
  export async function extract(event: { readonly text: string }): Promise<string> {
    return gunzipSync(gzipSync(event.text)).toString();
  }
  export async function summarize(): Promise<string> { return 'only-summarize-says-this'; }
  export async function reindex(): Promise<never> {
    throw new Error('reindex failed');
  }
`;

let directory: string;
let bundles: readonly Bundle[];

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'bundles-'));
  await writeFile(join(directory, 'lambda.ts'), entry);
  bundles = await buildBundles({ entry: join(directory, 'lambda.ts'), outdir: directory });
});
after(() => rm(directory, { recursive: true }));

/** Runs the bundle as Lambda does: a fresh process, `require`, the export called handler. */
function invoke(step: string, event: unknown): { readonly stdout: string; readonly stderr: string } {
  const file = join(directory, step, 'index.js');
  const call = `require(${JSON.stringify(file)}).handler(${JSON.stringify(event)}).then((said) => console.log(said))`;
  return spawnSync(process.execPath, ['--enable-source-maps', '-e', call], { encoding: 'utf8' });
}

test('every step gets a bundle of its own, and is told its size', async () => {
  assert.deepEqual(
    bundles.map(({ step, file }) => ({ step, file })),
    stepNames.map((step) => ({ step, file: join(directory, step, 'index.js') })),
  );
  for (const { file, sizeBytes } of bundles) assert.equal((await readFile(file)).length, sizeBytes);
});

test('a bundle is CommonJS whose handler runs in a fresh process', () => {
  assert.equal(invoke('extract', { text: 'hello' }).stdout, 'hello\n');
});

test('a bundle holds only what its own step needs', async () => {
  assert.match(await readFile(join(directory, 'summarize', 'index.js'), 'utf8'), /only-summarize-says-this/);
  assert.doesNotMatch(await readFile(join(directory, 'extract', 'index.js'), 'utf8'), /only-summarize-says-this/);
});

test('a stack trace names the line of the source, not of the bundle', () => {
  assert.match(invoke('reindex', {}).stderr, /lambda\.ts:8:11/);
});

test('a missing entry fails, and says which', async () => {
  const absent = join(directory, 'absent.ts');
  await assert.rejects(buildBundles({ entry: absent, outdir: directory }), /absent\.ts/);
});
