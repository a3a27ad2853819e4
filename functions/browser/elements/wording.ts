/** Numbers, sizes and times as people read them, and words that several views use. */

import type { FindingKind } from '../../check/findings.ts';
import type { PatternProblem } from '../../version/pattern.ts';
import { byteSize, duration } from '../../wording.ts';

export { count as countText } from '../../wording.ts';

export function numberText(number: number): string {
  return number.toLocaleString('en');
}

/** `1.2 kB`: powers of 1,000. The empty string for 0, which stands for a size that is not known. */
export function sizeText(bytes: number): string {
  return bytes === 0 ? '' : byteSize(bytes);
}

/** `2026-07-24`, in UTC, as pkgsrc writes it. The empty string for 0, which stands for a date that is not known. */
export function dateText(milliseconds: number): string {
  return milliseconds === 0 ? '' : new Date(milliseconds).toISOString().slice(0, 10);
}

const steps = [
  { unit: 'year', milliseconds: 365 * 86_400_000 },
  { unit: 'month', milliseconds: 30 * 86_400_000 },
  { unit: 'day', milliseconds: 86_400_000 },
  { unit: 'hour', milliseconds: 3_600_000 },
  { unit: 'minute', milliseconds: 60_000 },
] as const;

/** `3 days ago`. */
export function agoText(milliseconds: number, now: number): string {
  const age = now - milliseconds;
  const step = steps.find((each) => age >= each.milliseconds);
  if (step === undefined) return 'just now';
  return new Intl.RelativeTimeFormat('en').format(-Math.floor(age / step.milliseconds), step.unit);
}

/** `40 ms`, `1.4 s`, `12 min`, `3 h`, `5 days` */
export function spanText(milliseconds: number): string {
  return milliseconds < 1_000 ? `${Math.round(milliseconds)} ms` : duration(milliseconds);
}

/** `14:03:22` of today, `2026-11-23 14:03` of another day; where the reader is. */
export function timeText(isoTime: string, now = new Date()): string {
  const time = new Date(isoTime);
  const two = (number: number) => String(number).padStart(2, '0');
  const date = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  const clock = `${two(time.getHours())}:${two(time.getMinutes())}`;
  const isToday = time.toDateString() === now.toDateString();
  return isToday ? `${clock}:${two(time.getSeconds())}` : `${date} ${clock}`;
}

/** What the kinds of inconsistencies are called. */
export const findingTitles: Readonly<Record<FindingKind, string>> = {
  foreignArchitectures: 'Foreign architectures',
  dependencyCycles: 'Dependency cycles',
  missingDependencies: 'Missing dependencies',
  missingLibraries: 'Missing libraries',
  duplicateNames: 'Duplicate package names',
  duplicatePaths: 'Several versions of one package',
};

/** What they do to clients, where their titles do not say it. */
export const findingNotes: Readonly<Partial<Record<FindingKind, string>>> = {
  foreignArchitectures:
    'One such package stops pkgin update for everyone: move it to another repository, or remove it.',
  dependencyCycles: 'Packages that need each other cannot be installed.',
};

/** Why no package could match a pattern. */
export const patternProblemTexts: Readonly<Record<PatternProblem, string>> = {
  'unbalanced-braces': 'unbalanced braces',
  'too-many-alternatives': 'too many alternatives',
  'too-long': 'too long',
  'too-complicated': 'takes too long to match',
};
