/**
 * A digest of a set of file names: the sum of their SHA-256s, modulo 2^256. Adding or removing a file needs no other file. It detects
 * accidental differences; names with a chosen sum can be found with 2^32 hashes.
 */

import { hash } from 'node:crypto';

/** In hexadecimal. */
export type FileSum = string;

/** The metadata of an index and of a page that has the sum of their files. */
export const fileSumMetadata = 'files-sha256-sum';

/** @param files each once. */
export function sumOf(files: Iterable<string>): FileSum {
  return changedSum('0', files, []);
}

/** The sum of the set after these files were added and removed. */
export function changedSum(sum: FileSum, entered: Iterable<string>, left: Iterable<string>): FileSum {
  let total = BigInt(`0x${sum}`);
  for (const file of entered) total += termOf(file);
  for (const file of left) total -= termOf(file);
  return BigInt.asUintN(256, total).toString(16).padStart(64, '0');
}

function termOf(file: string): bigint {
  return BigInt(`0x${hash('sha256', file)}`);
}
