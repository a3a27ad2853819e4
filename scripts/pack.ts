/**
 * What `npm pack` runs: `prepack` builds dist/ and puts the manifest of the package in the place of package.json; `postpack` puts ours
 * back. npm has no other way to pack a manifest without `dependencies`. Interrupted in between, the next `npm pack` puts it back.
 */

import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildPackage, packageEngines } from './build-package.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const manifestFile = join(root, 'package.json');
const keptFile = join(root, 'build/package.json.kept');

interface Kept {
  readonly ours: string;
  readonly packed: string;
}

function packedManifest(ours: string): string {
  const { name, version, description, license, keywords, type, files } = JSON.parse(ours);
  const bin = { 'pkgsrc-indexer': 'dist/pkgsrc-indexer.cjs' };
  const engines = { node: packageEngines };
  const packed = { name, version, description, license, keywords, type, bin, engines, files };
  return `${JSON.stringify(packed, undefined, 2)}\n`;
}

/** The rename is atomic: package.json is always one of the two. */
function replace(file: string, text: string): void {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

/** Leaves a package.json alone that has changed since. */
function restore(): void {
  if (!existsSync(keptFile)) return;
  const { ours, packed }: Kept = JSON.parse(readFileSync(keptFile, 'utf8'));
  if (readFileSync(manifestFile, 'utf8') === packed) replace(manifestFile, ours);
  rmSync(keptFile);
}

async function prepare(): Promise<void> {
  await buildPackage(join(root, 'dist'));
  const ours = readFileSync(manifestFile, 'utf8');
  const packed = packedManifest(ours);
  mkdirSync(dirname(keptFile), { recursive: true });
  replace(keptFile, JSON.stringify({ ours, packed } satisfies Kept));
  replace(manifestFile, packed);
}

restore();
if (process.argv[2] === 'prepack') await prepare();
