/** +PKG_HASH: the hashes of the package's blocks, which are what is signed. As strict as pkg_install lib/pkg_signature.c. */

import { createHash } from 'node:crypto';
import { latin1 } from '../package/formats.ts';

export interface HashFile {
  readonly packageName: string;
  /** Bytes. */
  readonly blockSize: number;
  /** Bytes of the package in the signed file. */
  readonly fileSize: number;
  /** Lower-case hexadecimal digits of each block. */
  readonly hashes: readonly string[];
}

/** What does not fit: a sentence that says what was expected and found. */
export class BadHashFile extends Error {
  override readonly name = 'BadHashFile';
}

const layout =
  /^pkgsrc signature\n\nversion: 1\npkgname: ([^\n]+)\nalgorithm: SHA512\nblock size: (\d{1,15})\nfile size: (\d{1,15})\n\n/;
const trailer = 'end pkgsrc signature\n';
const blockSizeMin = 1_024;
const lineBytes = 129;

/** @throws {BadHashFile} */
export function readHashFile(bytes: Uint8Array): HashFile {
  const text = latin1(bytes);
  const [head, packageName = '', blockText = '', fileText = ''] = layout.exec(text) ?? [];
  if (head === undefined) throw new BadHashFile('expected the head of a +PKG_HASH of version 1, found something else');
  const [blockSize, fileSize] = [Number(blockText), Number(fileText)];
  if (blockSize < blockSizeMin || fileSize < 1)
    throw new BadHashFile(
      `expected blocks of at least ${blockSizeMin} bytes, found ${blockSize} for ${fileSize} bytes`,
    );
  const blocks = Math.ceil(fileSize / blockSize);
  if (text.length !== head.length + blocks * lineBytes + trailer.length || !text.endsWith(trailer))
    throw new BadHashFile(`expected ${blocks} hashes and the line "end pkgsrc signature", found something else`);
  const hashes = text.slice(head.length, -trailer.length - 1).split('\n');
  if (hashes.length !== blocks || hashes.some((hash) => !/^[0-9a-f]{128}$/.test(hash)))
    throw new BadHashFile('expected hashes of 128 lower-case hexadecimal digits, found something else');
  return { packageName, blockSize, fileSize, hashes };
}

/**
 * Reads the whole package.
 * @param read bytes of the package, counted from its own start; throws where it cannot
 * @throws {BadHashFile} at the first block that differs
 */
export async function verifyBlocks(
  { blockSize, fileSize, hashes }: HashFile,
  read: (offset: number, length: number) => Promise<Uint8Array>,
): Promise<void> {
  for (const [block, expected] of hashes.entries()) {
    const offset = block * blockSize;
    const bytes = await read(offset, Math.min(blockSize, fileSize - offset));
    if (createHash('sha512').update(bytes).digest('hex') !== expected)
      throw new BadHashFile(
        `expected the signed hash of ${bytes.length} bytes at byte ${offset} of the package, found another`,
      );
  }
}
