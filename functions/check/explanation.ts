/** Why a package is or is not in its index, which problems clients may have with it, and what to do. */

import { isUtf8 } from 'node:buffer';
import { isPackageKey, packageSuffixes, splitKey } from '../keys.ts';
import {
  aliasMetadata,
  type HeldBack,
  type ObjectFacts,
  type ObjectKey,
  type RecordTable,
  type Row,
} from '../ports.ts';
import { findDuplicates, packageNameOf, remedies } from '../record/hazards.ts';
import { byteSize, count, repositoryName } from '../wording.ts';

export interface Explanation {
  readonly state: 'indexed' | 'rejected' | 'pending' | 'absent' | 'ignored';
  readonly sentence: string;
  /** Each code with what to do about it. */
  readonly remarks: readonly { readonly code: string; readonly what?: string; readonly remedy: string }[];
}

/**
 * @param head the object that is stored under the key now
 * @param next a sentence: when a pending package is read
 */
export async function explainKey(
  key: ObjectKey,
  head: ObjectFacts | undefined,
  records: RecordTable,
  next: string,
): Promise<Explanation> {
  const { repository, file } = splitKey(key);
  const place = repositoryName(repository);
  if (!isPackageKey(key)) {
    const sentence = `This is not a package: the name of a package ends in ${packageSuffixes.join(', ')}, and no part of its path begins with a dot.`;
    return { state: 'ignored', sentence, remarks: [] };
  }
  if (head !== undefined && aliasMetadata in head.metadata) {
    const sentence =
      'The indexer made this copy of a package with + in its name, because S3 reads the + in a URL as a blank.';
    return { state: 'ignored', sentence, remarks: [] };
  }
  const row = await records.row(repository, file);
  const { isAdopted, heldBack } = await records.state(repository);
  const older = heldBack === undefined ? '' : ` ${olderIndex(heldBack, file)}`;
  if (row === undefined && head === undefined) {
    const sentence = `There is no such package in ${place}${heldBack === undefined ? ' or in its index' : ''}.${older}`;
    return { state: 'absent', sentence, remarks: [] };
  }
  if (row === undefined || row.etag !== head?.etag)
    return { state: 'pending', sentence: `${pendingState(row, head)} ${next}`, remarks: [] };
  if (row.state === 'rejected') {
    const { code, message } = row.reason;
    const remedy =
      remedyOf(code) ??
      'The file is damaged or not a package. Build or upload it again; a good file replaces this one.';
    return {
      state: 'rejected',
      sentence: `${heldBack === undefined ? `It is not in the index of ${place}.` : 'It is rejected.'}${older}${signedBy(row)}`,
      remarks: [{ code, what: message, remedy }],
    };
  }
  const codes = [...row.warnings, ...((await isDuplicate(records, row)) ? ['duplicate-pkgname'] : [])];
  const name = readable(packageNameOf(row.record));
  const { signature } = row;
  const whereIndexed = () => {
    if (heldBack !== undefined)
      return `The index that is there is older: a publication is held back (${change(heldBack)}). This package will be in the index of ${place} as ${name} once that is confirmed`;
    // Until the repository is adopted, an index that another program made stays in place.
    return isAdopted
      ? `It is in the index of ${place} as ${name}`
      : `It will be in the index of ${place} as ${name} when every package there has been read`;
  };
  const problem = signature?.state === 'problem' ? signature : undefined;
  return {
    state: 'indexed',
    sentence: `${whereIndexed()} (${byteSize(row.size)}, read ${row.indexedAt.toISOString()}).${signedBy(row)}`,
    remarks: codes.map((code) => ({
      code,
      ...(code === problem?.code && { what: problem.message }),
      remedy: remedyOf(code) ?? '',
    })),
  };
}

/** Of a package that the held-back publication lacks. */
function olderIndex(heldBack: HeldBack, file: string): string {
  // Only the first files are named, so any other one may be there too.
  const has = heldBack.files.includes(file) ? 'still has' : 'may still have';
  return `The index that is there is older, and ${has} it: a publication is held back (${change(heldBack)}) until it is confirmed.`;
}

function change({ from, to }: HeldBack): string {
  return `from ${count(from, 'package')} to ${count(to, 'package')}`;
}

function signedBy({ signature }: Row): string {
  return signature?.state === 'good' ? ` It is signed by ${signature.name} (key ${signature.keyId}).` : '';
}

function pendingState(row: Row | undefined, head: ObjectFacts | undefined): string {
  if (row === undefined) return 'It has not been read yet.';
  return head === undefined ? 'It was removed, but is still in the index.' : 'It has changed since it was last read.';
}

/** Bytes of a record, which came as Latin-1, in the encoding that they are most likely in. */
function readable(latin1: string): string {
  const bytes = Buffer.from(latin1, 'latin1');
  return isUtf8(bytes) ? bytes.toString() : latin1;
}

async function isDuplicate(records: RecordTable, row: Row & { readonly state: 'indexed' }): Promise<boolean> {
  const names: { file: string; name: string }[] = [];
  for await (const other of records.rows(row.repository)) {
    if (other.state === 'indexed') names.push({ file: other.file, name: packageNameOf(other.record) });
  }
  return findDuplicates(names).has(row.file);
}

function remedyOf(code: string): string | undefined {
  return remedies[code as keyof typeof remedies];
}
