/**
 * Compares a summary of all rows with the index that it would replace, and decides whether it is held back (hold-back.ts). A part of
 * summarize.
 */

import { crc32 } from 'node:zlib';
import { joinKey } from '../keys.ts';
import type { Clock, HeldBack, ObjectStore, Repository, RepositoryState } from '../ports.ts';
import { readConfirmation } from './confirmation.ts';
import { foreignIndexLimits, recordsInIndex } from './foreign-index.ts';
import { findTooSmall, holdBackLimits, isTooSmall, type Shrinkage } from './hold-back.ts';
import { firstIndex, type Heads, isForeign, type RuledOutSum, ruledOutBefore } from './index-heads.ts';
import type { RowCounts, Summary } from './summary.ts';

export interface ReviewView {
  readonly repository: Repository;
  readonly state: RepositoryState;
  readonly heads: Heads;
  /** Percent of the records of the index that a publication may drop. Undefined: a deletion is no reason to hold one back. */
  readonly maxShrink: number | undefined;
}

export type Review =
  | {
      readonly outcome: 'publish';
      /** For the metadata of the index; undefined: as before. */
      readonly ruledOut: RuledOutSum | 'none' | undefined;
      /** The confirmation is used up once this is published. */
      readonly isConfirmed: boolean;
    }
  | { readonly outcome: 'held-back'; readonly heldBack: HeldBack };

/**
 * @param summary of all rows.
 * @param ours the index that is there, in gz, where we made it; and its records, where its layout says how many there are.
 * @throws {ObjectChanged} where the index, or the confirmation, was replaced meanwhile.
 */
export async function review(
  { objects, clock }: { readonly objects: ObjectStore; readonly clock: Clock },
  view: ReviewView,
  summary: Summary,
  ours: { readonly index: Uint8Array | undefined; readonly records: number | undefined },
): Promise<Review> {
  const { repository, heads, state, maxShrink } = view;
  const first = firstIndex(heads);
  if (first === undefined) return { outcome: 'publish', ruledOut: undefined, isConfirmed: false };
  const { etag, size } = first.head;
  const ruled = summary.counted?.ruledOut ?? new Map();
  let old: OldIndex | undefined;
  const readOld = async () => {
    const bytes = Math.min(size, foreignIndexLimits.indexBytesMax);
    const index = ours.index ?? (await objects.readRange(joinKey(repository, first.file), etag, 0, bytes));
    old ??= await oldIndexOf(index, ruled);
    return old;
  };
  const records = ours.records ?? (await readOld()).records;
  const ruledOut = ruled.size === 0 ? undefined : sumOfRuledOut((await readOld()).ruledOut, heads);
  const found = findTooSmall(shrinkages(view, records, summary.records, ruledOut), maxShrink);
  if (found === undefined) return { outcome: 'publish', ruledOut: ruledOut?.sum, isConfirmed: false };
  const confirmation = await readConfirmation(objects, repository);
  if (
    confirmation?.index === etag &&
    !isTooSmall({ ...found, reason: 'foreign-index', from: confirmation.to }, undefined)
  )
    return { outcome: 'publish', ruledOut: 'none', isConfirmed: true };
  const files = missingFiles((await readOld()).files, summary);
  return {
    outcome: 'held-back',
    heldBack: { ...found, files, index: etag, since: state.heldBack?.since ?? clock.now() },
  };
}

interface OldIndex {
  readonly records: number;
  readonly files: readonly string[];
  /** Fingerprints of the rules by which the same records are rejected now. */
  readonly ruledOut: readonly string[];
}

async function oldIndexOf(index: Uint8Array, ruled: RowCounts['ruledOut']): Promise<OldIndex> {
  const files: string[] = [];
  const ruledOut: string[] = [];
  for await (const { file, record } of recordsInIndex(index)) {
    files.push(file);
    const now = ruled.get(file);
    if (now?.recordCrc === crc32(record)) ruledOut.push(now.rules);
  }
  return { records: files.length, files, ruledOut };
}

/** With what the same rules have taken out before: their change may arrive in several publications, each of which drops few records. */
function sumOfRuledOut(
  ruledOut: readonly string[],
  heads: Heads,
): { readonly sum: RuledOutSum; readonly before: number } | undefined {
  const [rules] = ruledOut;
  if (rules === undefined) return undefined;
  const before = ruledOutBefore(heads, rules);
  return { sum: { records: before + ruledOut.length, rules }, before };
}

function shrinkages(
  { repository, heads, state }: ReviewView,
  from: number,
  to: number,
  ruledOut: { readonly sum: RuledOutSum; readonly before: number } | undefined,
): Shrinkage[] {
  const found: Shrinkage[] = [{ reason: 'max-shrink', from, to }];
  if (ruledOut !== undefined) {
    const all = from + ruledOut.before;
    found.unshift({ reason: 'rules', from: all, to: all - ruledOut.sum.records });
  }
  if (isForeign(heads, repository)) found.unshift({ reason: 'foreign-index', from, to });
  else if (!state.isAdopted) found.unshift({ reason: 'adoption', from, to });
  return found;
}

function missingFiles(old: readonly string[], { files }: Summary): readonly string[] {
  const present = new Set(files.known === 'all' ? files.files : []);
  return old.filter((file) => !present.has(file)).slice(0, holdBackLimits.filesMax);
}
