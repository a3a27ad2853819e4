/**
 * Many packages in little time: 389 distinct ones, each as a hard link under 26 names. In what reading them costs they are like the real
 * packages of 2022: compressed bytes before the first payload file (8 KB median, 12 KB p90, 86 KB largest), up to 500 KB in all, and a
 * payload that compresses like programs and texts, since a reader inflates some of it.
 */

import { link, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makePackage } from '../package-maker.ts';
import { keptDirectory } from './made-directories.ts';
import { type MadePackage, madePackages, metadataOf } from './made-packages.ts';
import { SeededRandom } from './seeded-random.ts';

const distinct = 389;
/** Inflated; compressed it is half. */
const payloadBytesMax = 800_000;
/** So many entries of a packing list are kept whole, and a part of the rest: otherwise one in ten would be too long. */
const entriesWhole = 40;
const partOfRest = 0.8;

/** @returns a directory of `count` packages, and nothing else. */
export async function directoryOfLinks(count: number): Promise<string> {
  return await keptDirectory(`links-${count}`, async (directory) => {
    const originals = await keptDirectory('links-originals', async (place) => {
      for (const made of madePackages(distinct)) await writeFile(join(place, made.file), realLikePackage(made));
    });
    const files = (await readdir(originals)).sort();
    for (let number = 0; number < count; number += 1) {
      const file = files[number % files.length] ?? '';
      await link(join(originals, file), join(directory, linkName(file, Math.floor(number / files.length))));
    }
  });
}

/** Links to the same files, for a run that changes some of them. */
export async function linkAll(from: string, to: string): Promise<void> {
  await rm(to, { recursive: true, force: true });
  await mkdir(to, { recursive: true });
  for (const file of await readdir(from)) await link(join(from, file), join(to, file));
}

function linkName(file: string, round: number): string {
  const letter = String.fromCharCode('a'.charCodeAt(0) + (round % 26));
  return `${letter}${round < 26 ? '' : Math.floor(round / 26)}-${file}`;
}

export function realLikePackage(made: MadePackage): Buffer {
  const random = new SeededRandom(made.seed ?? 0);
  const metadata = metadataOf(made);
  return makePackage({
    metadata: {
      ...metadata,
      '+CONTENTS': shortened(metadata['+CONTENTS']),
      '+BUILD_INFO': `${metadata['+BUILD_INFO']}${toolVariables(random)}`,
    },
    payload: { 'bin/program': program(random, Math.min(4 * made.payloadBytes, payloadBytesMax)) },
    headers: 'pax',
  });
}

/** Real packages have some forty such lines, with paths that hardly compress. */
function toolVariables(random: SeededRandom): string {
  const lines = Array.from(
    { length: random.whole(50, 70) },
    (_, n) => `_TOOL_${n}=${random.hex(random.whole(60, 140))}`,
  );
  return `${lines.join('\n')}\n`;
}

function shortened(contents: string): string {
  const lines = contents.trimEnd().split('\n');
  const first = lines.findIndex((line) => !line.startsWith('@'));
  const kept = 2 * Math.floor(entriesWhole + partOfRest * Math.max(0, (lines.length - first) / 2 - entriesWhole));
  return `${lines.slice(0, first + kept).join('\n')}\n`;
}

/** Half of it is new, in pieces of some bytes, as in machine code. */
function program(random: SeededRandom, bytes: number): Buffer {
  const made = Buffer.alloc(bytes);
  for (let offset = 0; offset < bytes; ) {
    const piece = Buffer.from(random.hex(2 * random.whole(4, 24)), 'hex');
    made.set(piece.subarray(0, bytes - offset), offset);
    offset += piece.length;
    const length = Math.min(random.whole(4, 24), bytes - offset);
    if (length <= 0) break;
    const from = Math.max(0, offset - random.whole(length, 20_000));
    made.copy(made, offset, from, Math.min(from + length, offset));
    offset += length;
  }
  return made;
}
