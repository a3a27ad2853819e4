/**
 * The packages of a simulation: tiny tar archives, and what the index must say of each. Neither the archive nor the record is
 * made with the code that is tested: both are spelt out here.
 */

import { gzipSync } from 'node:zlib';

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

/** What the index must say of the package under that file name; undefined: nothing, since it is bad. */
export function recordOf({ name, kind, bytes }: MadePackage, file: string): string | undefined {
  if (kind === 'cut' || kind === 'text' || kind === 'nameless' || kind === 'unsafe') return undefined;
  const lines = [
    `PKGNAME=${name}`,
    'DEPENDS=perl>=5.0',
    `COMMENT=${comments[kind]}`,
    'OPSYS=NetBSD',
    `FILE_NAME=${file}`,
    `FILE_SIZE=${bytes.length}`,
    `DESCRIPTION=It is ${kind}.`,
  ];
  return `${lines.join('\n')}\n\n`;
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
  const archive = Buffer.concat([
    entry('+CONTENTS', `@cwd /usr/pkg\n${nameLine}@pkgdep perl>=5.0\nbin/x\n`),
    entry('+COMMENT', `${comments[kind]}\n`),
    ...(kind === 'wide' ? [entry('+INSTALL', '#'.repeat(20_000))] : []),
    entry('+DESC', `It is ${kind}.\n`),
    entry('+BUILD_INFO', 'OPSYS=NetBSD\nCC=cc\n'),
    entry('bin/x', '#!/bin/sh\n'),
  ]);
  if (kind === 'gzip') return gzipSync(archive);
  return kind === 'cut' ? archive.subarray(0, 1700) : archive;
}

/** A header of POSIX ustar, and the body in whole blocks. */
function entry(name: string, body: string): Uint8Array {
  const bytes = Buffer.alloc(512 + 512 * Math.ceil(body.length / 512));
  bytes.write(name);
  bytes.write('0000644\x000000000\x000000000\0', 100);
  bytes.write(`${body.length.toString(8).padStart(11, '0')}\x0000000000000\0        0`, 124);
  bytes.write('ustar\x0000', 257);
  const sum = bytes.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  bytes.write(body, 512);
  return bytes;
}
