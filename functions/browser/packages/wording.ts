/** Numbers, sizes and times as people read them. */

export function numberText(number: number): string {
  return number.toLocaleString('en');
}

export function countText(number: number, singular: string, plural = `${singular}s`): string {
  return `${numberText(number)} ${number === 1 ? singular : plural}`;
}

/** `1.2 kB`: powers of 1,000. The empty string for 0, which stands for a size that is not known. */
export function sizeText(bytes: number): string {
  if (bytes === 0) return '';
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 99.5 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
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
