/**
 * Bundles the command for npm: dist/, which runs without dependencies, on the oldest Node that has everything. What a command does not
 * need stays in a file of its own, and is not loaded.
 */

import { chmod, copyFile, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { loadPage } from '../functions/adapters/pages.ts';
import { embeddedPages } from './embedded-pages.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The oldest: 22.15 lacks a timeout of node:sqlite, and loses a statement while its rows are read. */
export const packageEngines = '^22.16.0 || >=24';

/** @param outdir emptied first. @throws esbuild's BuildFailure */
export async function buildPackage(outdir: string): Promise<void> {
  await rm(outdir, { recursive: true, force: true });
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: ['scripts/indexer.ts', 'functions/extract-worker.ts'],
    // All files in one directory, where the worker is found by its URL.
    entryNames: '[name]',
    chunkNames: '[name]-[hash]',
    outdir,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    mainFields: ['module', 'main'],
    // Names stay, for stack traces.
    minifyWhitespace: true,
    minifySyntax: true,
    metafile: true,
    plugins: [embeddedPages, withoutDeployment],
    // Some dependencies are CommonJS, and require modules of Node.
    banner: { js: "import{createRequire as nodeRequire}from'node:module';const require=nodeRequire(import.meta.url);" },
    legalComments: 'none',
    logLevel: 'error',
  });
  await copyFile(join(root, 'scripts/launcher.cjs'), join(outdir, 'pkgsrc-indexer.cjs'));
  await chmod(join(outdir, 'pkgsrc-indexer.cjs'), 0o755);
  const pages = await Promise.all((['packages', 'operations', 'site'] as const).map((name) => loadPage(name)));
  const sources = [...Object.keys(metafile.inputs), ...pages.flatMap((page) => page.sources)];
  await writeFile(join(outdir, 'LICENSES.txt'), await licencesOf(sources));
}

const withoutDeployment: Plugin = {
  name: 'without deployment',
  setup({ onResolve }) {
    onResolve({ filter: /\/aws\/(deploy|destroy)-stack\.ts$/ }, () => ({ path: join(root, 'scripts/needs-clone.ts') }));
  },
};

/** The licences ask to be kept with every copy. Many packages have the same text, which is there once. */
async function licencesOf(sources: readonly string[]): Promise<string> {
  const packages = new Set(sources.flatMap((source) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(source) ?? []));
  const names = new Map<string, string[]>();
  for (const path of [...packages].sort()) {
    const directory = join(root, path);
    const file = (await readdir(directory)).find((name) => /^licen[cs]e/i.test(name));
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    const { license }: { license?: string } = JSON.parse(await readFile(join(directory, 'package.json'), 'utf8'));
    const text = file === undefined ? `${license}` : (await readFile(join(directory, file), 'utf8')).trim();
    names.set(text, [...(names.get(text) ?? []), name]);
  }
  return [...names].map(([text, of]) => `${of.join(', ')}:\n\n${text}\n`).join(`\n${'-'.repeat(72)}\n\n`);
}
