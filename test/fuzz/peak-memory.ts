/** Measures peak memory as Linux counts it, because the garbage collector does not know all of it. */

import { readFileSync, writeFileSync } from 'node:fs';

const mebibyte = 1024;

/** Whether this system can measure it. */
export const canMeasure = (() => {
  try {
    resetPeak();
    return kibibytes('VmHWM') > 0;
  } catch {
    return false;
  }
})();

/** @returns a function that returns the growth in MiB: the peak since this call minus the memory before it. */
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
