/**
 * Stands for a set of file names, in whatever order: the sum of their SHA-256s, modulo 2^256. So it follows the set file by file,
 * without the others. It tells sets apart that differ by accident; names that are made to have a certain sum take 2^32 hashes.
 */

import { hash } from 'node:crypto';

/** In hexadecimal. */
export type FileSum = string;

/** The metadata in which an index, and a page, say of which files they are. */
export const fileSumMetadata = 'files-sha256-sum';

/** @param files each once. */
export function sumOf(files: Iterable<string>): FileSum {
  return changedSum('0', files, []);
}

/** The sum of the set that `sum` stands for, once these files have come and gone. */
export function changedSum(sum: FileSum, entered: Iterable<string>, left: Iterable<string>): FileSum {
  let total = BigInt(`0x${sum}`);
  for (const file of entered) total += termOf(file);
  for (const file of left) total -= termOf(file);
  return BigInt.asUintN(256, total).toString(16).padStart(64, '0');
}

function termOf(file: string): bigint {
  return BigInt(`0x${hash('sha256', file)}`);
}
