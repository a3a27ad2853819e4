/** Counts the findings of a consistency report. */

import type { ConsistencyReport } from './consistency.ts';

/** The number of findings of each kind. */
export interface FindingCounts {
  readonly missingDependencies: number;
  readonly missingLibraries: number;
  readonly duplicateNames: number;
  readonly duplicatePaths: number;
}

export function countFindings(report: ConsistencyReport): FindingCounts {
  const { missingDependencies, missingLibraries, duplicateNames, duplicatePaths } = report;
  return {
    missingDependencies: missingDependencies.length,
    missingLibraries: missingLibraries.length,
    duplicateNames: duplicateNames.length,
    duplicatePaths: duplicatePaths.length,
  };
}

/** The number of findings of all kinds. */
export function sumOf(counts: FindingCounts): number {
  return Object.values(counts).reduce((sum: number, number: number) => sum + number, 0);
}
