/** How much memory something took at most: as Linux counts it, since neither collector of garbage knows of all of it. */

import { readFileSync, writeFileSync } from 'node:fs';

const mebibyte = 1024;

/** Whether this system can tell. */
export const canMeasure = (() => {
  try {
    resetPeak();
    return kibibytes('VmHWM') > 0;
  } catch {
    return false;
  }
})();

/** @returns a function that gives MiB: the most that this process had since, beyond what it had before. */
export function watchPeak(): () => number {
  if (!canMeasure) return () => 0;
  resetPeak();
  const before = kibibytes('VmRSS');
  return () => (kibibytes('VmHWM') - before) / mebibyte;
}

/** proc(5): 5 resets the peak resident set size. */
function resetPeak(): void {
  writeFileSync('/proc/self/clear_refs', '5');
}

function kibibytes(field: 'VmHWM' | 'VmRSS'): number {
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync('/proc/self/status', 'latin1'))?.[1] ?? 0);
}
