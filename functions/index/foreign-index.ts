/** Reads the records of an index that may be of any program, in any compression that pkgin knows. */

import { decode } from '../package/decompression.ts';
import { detectCompression, detectionBytes, latin1 } from '../package/formats.ts';
import { type FiledRecord, recordsOf } from './blocks.ts';

const mebibyte = 1024 * 1024;

export const foreignIndexLimits = {
  /** Of the file, which is in memory. The index of 27,699 packages has 6.5 MB. */
  indexBytesMax: 64 * mebibyte,
  /** Of the text, which is read piece by piece. That of 27,699 packages has 26 MB. */
  textBytesMax: 1024 * mebibyte,
  /** Without the end of a record: it is no summary. A record of ours has at most 350 KiB. */
  recordBytesMax: 4 * mebibyte,
} as const;

/** The records, as far as the index can be read: what is damaged, or beyond a limit, has none. */
export async function* recordsInIndex(index: Uint8Array): AsyncGenerator<FiledRecord> {
  let rest = Buffer.alloc(0);
  for await (const bytes of textOf(index)) {
    const text = Buffer.concat([rest, bytes]);
    const end = text.lastIndexOf('\n\n') + 2;
    if (end === 1) rest = text;
    else {
      for (const { file, record } of recordsOf(text.subarray(0, end))) {
        const name = file || fileFor(record);
        if (name !== undefined) yield { file: name, record };
      }
      rest = text.subarray(end);
    }
    if (rest.length > foreignIndexLimits.recordBytesMax) return;
  }
}

/** FILE_NAME is optional; pkgin requests a package by its PKGNAME. */
function fileFor(record: Uint8Array): string | undefined {
  const [, name] = /^PKGNAME=(.+)$/m.exec(latin1(record)) ?? [];
  return name === undefined ? undefined : `${Buffer.from(name, 'latin1')}.tgz`;
}

async function* textOf(index: Uint8Array): AsyncGenerator<Uint8Array> {
  const compression = detectCompression(index.subarray(0, detectionBytes));
  if (compression === undefined) return;
  let bytesSoFar = 0;
  try {
    for await (const bytes of decode(compression, [index.subarray(0, foreignIndexLimits.indexBytesMax)])) {
      yield bytes;
      bytesSoFar += bytes.length;
      if (bytesSoFar > foreignIndexLimits.textBytesMax) return;
    }
  } catch {
    // It is damaged from here on, or cut. Its clients get no more of it either.
  }
}
