/** All targets, and the case that belongs to a number. */

import { Dice } from '../dice.ts';
import { eventTarget } from './event-target.ts';
import { packageTarget } from './package-target.ts';
import { indexTarget, readerTarget, recordTarget } from './record-target.ts';
import type { FuzzTarget } from './target.ts';
import { ringTarget, signatureTarget } from './trust-target.ts';
import { patternTarget, versionTarget } from './version-target.ts';

export const targets: readonly FuzzTarget[] = [
  packageTarget,
  recordTarget,
  indexTarget,
  readerTarget,
  eventTarget,
  versionTarget,
  patternTarget,
  ringTarget,
  signatureTarget,
];

/** Runs one case. Seed and number determine it. */
export async function runCase(
  list: readonly FuzzTarget[],
  seed: number,
  index: number,
  only?: string,
): Promise<string> {
  const dice = new Dice(seed, `case ${index}`);
  const chosen = list.filter(({ name }) => only === undefined || name === only);
  if (chosen.length === 0) throw new Error(`expected one of ${list.map(({ name }) => name).join(', ')}, found ${only}`);
  const drawn = dice.weighted(Object.fromEntries(chosen.map(({ name, weight }) => [name, weight])));
  const target = chosen.find(({ name }) => name === drawn);
  return `${drawn}: ${(await target?.run(dice))?.replace(/^(read): .*/s, '$1')}`;
}
