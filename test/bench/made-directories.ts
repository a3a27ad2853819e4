/** Directories of made packages, kept between runs below the system's directory for temporary files. */

import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type MadeOptions, madePackages, packageBytes } from './made-packages.ts';

const root = join(tmpdir(), 'pkgsrc-indexer-bench');

/** A directory that `fill` fills, once for each name. Nobody changes what is in it. */
export async function keptDirectory(name: string, fill: (directory: string) => Promise<void>): Promise<string> {
  const directory = join(root, name);
  if (existsSync(directory)) return directory;
  const unfinished = `${directory}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true });
  await fill(unfinished);
  await rename(unfinished, directory);
  return directory;
}

/** @returns the directory, which holds the packages and nothing else. */
export async function directoryOfPackages(count: number, options: MadeOptions = {}): Promise<string> {
  const { seed = 1, payloadBytes = 'any' } = options;
  return await keptDirectory(`packages-${count}-${payloadBytes}-${seed}`, async (directory) => {
    for (const made of madePackages(count, options)) await writeFile(join(directory, made.file), packageBytes(made));
  });
}
