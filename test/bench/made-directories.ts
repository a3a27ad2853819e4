/** Directories of made packages, kept between runs below the system's directory for temporary files. */

import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type MadeOptions, type MadePackage, madePackages, packageBytes } from './made-packages.ts';
import { debBytes, rpmBytes } from './peer-packages.ts';

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

export const packageKinds = ['tgz', 'rpm', 'deb'] as const;
export type PackageKind = (typeof packageKinds)[number];

/** How much is in a package beside its payload: as much as in a real one, or one file, one dependency, and a line of text. */
export type Content = 'real' | 'least';

const smallPayloadBytes = { real: 12_000, least: 18_000 } as const;

/** The same packages for each system, about 20 KB each; the first of `count` is there in another version, too, hidden. */
export async function directoryOfSmallPackages(count: number, kind: PackageKind, content: Content): Promise<string> {
  return await keptDirectory(`small-${content}-${count}-${kind}`, async (directory) => {
    let isFirst = true;
    for (const made of madePackages(count, { payloadBytes: smallPayloadBytes[content] })) {
      const small = content === 'least' ? withLeast(made) : made;
      await writeFile(join(directory, fileOf(small, kind)), bytesOf(small, kind));
      if (isFirst) await writeFile(join(directory, changedFile), bytesOf({ ...small, comment: 'Changed.\n' }, kind));
      isFirst = false;
    }
  });
}

/** What the first package of a directory of small packages is to be replaced by, where one is to change. */
export const changedFile = '.changed';

export function firstFile(kind: PackageKind): string {
  const [first] = [...madePackages(1)];
  if (first === undefined) throw new Error('expected a made package, found none');
  return fileOf(first, kind);
}

function fileOf({ name, file }: MadePackage, kind: PackageKind): string {
  return kind === 'tgz' ? file : `${name}.${kind}`;
}

function bytesOf(made: MadePackage, kind: PackageKind): Buffer {
  const bytes = packageBytes(made);
  if (kind === 'tgz') return bytes;
  return kind === 'rpm' ? rpmBytes(made, bytes.length) : debBytes(made, bytes.length);
}

function withLeast(made: MadePackage): MadePackage {
  return {
    ...made,
    packingList: [...made.packingList.slice(0, 2), '@pkgdep gmake>=3.81'],
    comment: 'The least\n',
    description: 'There is hardly anything to say of it.\n',
    seed: undefined,
  };
}
