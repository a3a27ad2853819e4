/** Numbers and names as people read them. */

import type { Repository } from './ports.ts';

export function count(number: number, singular: string, plural = `${singular}s`): string {
  return `${thousands(number)} ${number === 1 ? singular : plural}`;
}

/** `27,699` */
export function thousands(number: number): string {
  // Not toLocaleString, whose first call loads the languages of the world: 13 ms.
  return String(number).replace(/\B(?=(?:\d{3})+$)/g, ',');
}

/** `1.2 kB`: powers of 1,000. */
export function byteSize(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 99.5 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

export function duration(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} h` : `${Math.round(seconds / 86_400)} days`;
}

/** `2026-11-24 12:01:05` */
export function utcTime(time: Date): string {
  return time.toISOString().slice(0, 19).replace('T', ' ');
}

/** The bucket's root is a repository without a name. */
export function repositoryName(repository: Repository): string {
  return repository === '' ? '(top directory)' : repository;
}

/**
 * Control characters, which move the cursor of a terminal, and those that change the direction of the text around them (Unicode's
 * Bidi_Control): `gnp.tgz` could be shown as `png.tgz`.
 */
const unprintable = /[\p{Cc}\p{Bidi_Control}]/gu;

/** A file name or a record as text that is safe to print. */
export function printable(text: string): string {
  return text.replace(unprintable, (character) => {
    const code = character.charCodeAt(0).toString(16);
    return code.length > 2 ? `\\u${code.padStart(4, '0')}` : `\\x${code.padStart(2, '0')}`;
  });
}
