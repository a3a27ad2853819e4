/**
 * Whether a publication may replace the index that is there, or is held back because it would drop many of its records. A package that is
 * deleted is no reason: its deletion was intended. A rule that changed, or an index that is not of these rows, is one.
 */

import type { HeldBack, HoldBackReason } from '../ports.ts';
import { count, printable } from '../wording.ts';

export const holdBackLimits = {
  /** Of the records of the index that is there. The gates of other build systems stop at the same share. */
  shrinkPercentMax: 10,
  /** So many records may go in any case: a tenth of a small repository is one package. */
  droppedMax: 9,
  /** Files that are named, of those that would be missing. */
  filesMax: 10,
  /** In a sentence. */
  filesNamedMax: 3,
} as const;

/** `10` or `10%`; undefined for anything else. */
export function percentOf(text: string): number | undefined {
  const percent = Number(text.replace(/%$/, ''));
  return /^\d+(\.\d+)?%?$/.test(text) && percent <= 100 ? percent : undefined;
}

/** A publication, compared with the index that it would replace, for one reason. */
export interface Shrinkage {
  readonly reason: HoldBackReason;
  readonly from: number;
  readonly to: number;
}

/** @param maxShrink percent that the operator allows, for any reason. */
export function isTooSmall({ reason, from, to }: Shrinkage, maxShrink: number | undefined): boolean {
  const dropped = from - to;
  if (dropped <= 0) return false;
  if (reason === 'foreign-index' && to === 0) return true;
  if (maxShrink !== undefined) return 100 * dropped > maxShrink * from;
  const { shrinkPercentMax, droppedMax } = holdBackLimits;
  return reason !== 'max-shrink' && dropped > droppedMax && 100 * dropped > shrinkPercentMax * from;
}

/** The first among these that is held back. */
export function findTooSmall(shrinkages: readonly Shrinkage[], maxShrink: number | undefined): Shrinkage | undefined {
  return shrinkages.find((shrinkage) => isTooSmall(shrinkage, maxShrink));
}

const reasons: Readonly<Record<HoldBackReason, string>> = {
  rules: 'the rules changed',
  'foreign-index': 'another program made the index that is there',
  adoption: 'the index that is there is older than the table',
  'max-shrink': 'more than --max-shrink allows',
};

/** `held back: would-shrink: from 20,002 packages to 3,880 (another program made …); missing: a-1.0.tgz, b-1.0.tgz and 16,120 more` */
export function heldBackSentence({ reason, from, to, files }: Omit<HeldBack, 'index' | 'since'>): string {
  const named = files.slice(0, holdBackLimits.filesNamedMax);
  const more = from - to - named.length;
  const rest = more > 0 ? ` and ${count(more, 'more', 'more')}` : '';
  const what = `would-shrink: from ${count(from, 'package')} to ${count(to, 'package')} (${reasons[reason]})`;
  return `held back: ${what}${named.length === 0 ? '' : `; missing: ${named.map(printable).join(', ')}${rest}`}`;
}

/** Whether both say the same to the operator. */
export function isSameHoldBack(a: HeldBack, b: HeldBack): boolean {
  return JSON.stringify({ ...a, since: 0 }) === JSON.stringify({ ...b, since: 0 });
}

/** As tables store it. */
export function heldBackText(heldBack: HeldBack): string {
  return JSON.stringify(heldBack);
}

/** @throws {SyntaxError} */
export function heldBackOf(text: string): HeldBack {
  const stored = JSON.parse(text) as Omit<HeldBack, 'since'> & { readonly since: string };
  return { ...stored, since: new Date(stored.since) };
}
