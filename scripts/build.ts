/**
 * Bundles the steps for Lambda: build/STEP/index.js, one file each without dependencies, with its source map beside it. No module of ours
 * does anything by being imported (package.json, `sideEffects`), so that a bundle has none that its step does not use.
 */

import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { embeddedPages } from './embedded-pages.ts';

export const stepNames = ['extract', 'summarize', 'reindex'] as const;

export interface BuildPlaces {
  /** The module that exports a handler for each step, under the step's name. */
  readonly entry: string;
  /** Directory for the bundles. */
  readonly outdir: string;
}

export interface Bundle {
  readonly step: (typeof stepNames)[number];
  readonly file: string;
  readonly sizeBytes: number;
}

const root = new URL('../', import.meta.url);

export const defaultPlaces: BuildPlaces = {
  entry: fileURLToPath(new URL('functions/lambda.ts', root)),
  outdir: fileURLToPath(new URL('build', root)),
};

/** @throws esbuild's BuildFailure, which names file and line. */
export async function buildBundles({ entry, outdir }: BuildPlaces = defaultPlaces): Promise<readonly Bundle[]> {
  return Promise.all(stepNames.map((step) => buildBundle(step, entry, join(outdir, step, 'index.js'))));
}

async function buildBundle(step: Bundle['step'], entry: string, file: string): Promise<Bundle> {
  await build({
    stdin: {
      contents: `export { ${step} as handler } from ${JSON.stringify(entry)};`,
      resolveDir: fileURLToPath(root),
      sourcefile: `${step}-handler.ts`,
      loader: 'ts',
    },
    plugins: [embeddedPages],
    outfile: file,
    bundle: true,
    platform: 'node',
    target: 'node24',
    // CommonJS starts faster than ESM on Lambda: 61 against 100 ms to import the S3 client.
    format: 'cjs',
    // A dependency's ES modules rather than its CommonJS, where it has both: what is not used is left out of them.
    mainFields: ['module', 'main'],
    minify: true,
    sourcemap: 'linked',
    // Positions are enough for a stack trace; the sources would triple what Lambda has to unpack.
    sourcesContent: false,
    // The dependencies' licences ask to be kept with every copy.
    legalComments: 'linked',
    logLevel: 'silent',
  });
  const { size } = await stat(file);
  return { step, file, sizeBytes: size };
}

if (import.meta.main) {
  for (const { step, sizeBytes } of await buildBundles()) {
    console.log(`${step.padEnd(10)} ${(sizeBytes / 1000).toFixed(0).padStart(5)} KB`);
  }
}
