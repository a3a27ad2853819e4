/**
 * The packages of a simulation: tiny tar archives, and the record that the index must have of each. The code that is tested makes
 * neither of them.
 */

import { gzipSync } from 'node:zlib';
import { makeArchive } from '../package-maker.ts';

/**
 * `plain` and `other` have equal sizes; `long` is longer; `wide` has its description behind the first range, so that it takes
 * several reads; `gzip` is compressed. The rest is bad: `cut` ends early, `text` is no archive, `nameless` has no @name,
 * and the name of `unsafe` would break out of the directory that a client downloads to.
 */
export const packageKinds = ['plain', 'other', 'long', 'wide', 'gzip', 'cut', 'text', 'nameless', 'unsafe'] as const;
export type PackageKind = (typeof packageKinds)[number];

export interface MadePackage {
  /** PKGNAME. */
  readonly name: string;
  readonly kind: PackageKind;
  readonly bytes: Uint8Array;
}

const made = new Map<string, MadePackage>();

/** The same name and kind give the same package. */
export function makePackage(name: string, kind: PackageKind): MadePackage {
  const id = `${kind} ${name}`;
  const known = made.get(id) ?? { name, kind, bytes: bytesOf(name, kind) };
  made.set(id, known);
  return known;
}

/**
 * What the index must say of the package under that file name; undefined: nothing, since it is bad, or of an architecture that is not
 * accepted.
 * @param architectures that are accepted; empty: any.
 */
export function recordOf(
  { name, kind, bytes }: MadePackage,
  file: string,
  architectures: readonly string[],
): string | undefined {
  if (kind === 'cut' || kind === 'text' || kind === 'nameless' || kind === 'unsafe') return undefined;
  if (architectures.length > 0 && !architectures.includes(architectureOf(kind))) return undefined;
  const lines = [
    `PKGNAME=${name}`,
    'DEPENDS=pe>=5.0',
    `COMMENT=${comments[kind]}`,
    `MACHINE_ARCH=${architectureOf(kind)}`,
    `FILE_NAME=${file}`,
    `FILE_SIZE=${bytes.length}`,
    `DESCRIPTION=It is ${kind}.`,
  ];
  return `${lines.join('\n')}\n\n`;
}

export const architectures = ['x', 'y'] as const;

function architectureOf(kind: PackageKind): (typeof architectures)[number] {
  return kind === 'other' || kind === 'wide' ? 'y' : 'x';
}

const comments: Record<PackageKind, string> = {
  plain: 'one content',
  other: 'two content',
  long: `long ${'content '.repeat(80)}`,
  wide: 'wide',
  gzip: 'compressed',
  cut: 'cut',
  text: 'text',
  nameless: 'nameless',
  unsafe: 'unsafe',
};

function bytesOf(name: string, kind: PackageKind): Uint8Array {
  if (kind === 'text') return Buffer.from(`${name} is no package\n`);
  const nameLine = kind === 'nameless' ? '' : `@name ${kind === 'unsafe' ? '../' : ''}${name}\n`;
  const archive = makeArchive([
    { name: '+CONTENTS', body: `@cwd /usr/pkg\n${nameLine}@pkgdep pe>=5.0\nbin/x\n` },
    { name: '+COMMENT', body: `${comments[kind]}\n` },
    ...(kind === 'wide' ? [{ name: '+INSTALL', body: '#'.repeat(20_000) }] : []),
    { name: '+DESC', body: `It is ${kind}.\n` },
    { name: '+BUILD_INFO', body: `MACHINE_ARCH=${architectureOf(kind)}\nCC=cc\n` },
    { name: 'bin/x', body: '#!/bin/sh\n' },
  ]);
  if (kind === 'gzip') return gzipSync(archive);
  return kind === 'cut' ? archive.subarray(0, 1700) : archive;
}
