/** The findings of a consistency report, in the order in which they are shown: what stops every client comes first. */

import type { PatternProblem } from '../version/pattern.ts';
import type { ConsistencyReport } from './consistency.ts';
import type { DependencyCycle } from './dependency-cycles.ts';

export type FindingKind = Exclude<keyof ConsistencyReport, 'packages' | 'architecture' | 'systemLibraries'>;

/** The number of findings of each kind. */
export type FindingCounts = Readonly<Record<FindingKind, number>>;

export interface Finding {
  readonly kind: FindingKind;
  /** A pattern, a library, a name, a path, an architecture, or a cycle: `a-1 → b-1 → a-1`. */
  readonly what: string;
  readonly problem?: PatternProblem | undefined;
  /** The PKGNAMEs that it is about; for `duplicateNames` the files. */
  readonly packages: readonly string[];
}

/** What each kind is called, and what its packages are to it. */
export const findingTitles: Readonly<Record<FindingKind, { readonly what: string; readonly packages: string }>> = {
  foreignArchitectures: { what: 'Foreign architecture (stops pkgin update)', packages: 'Packages' },
  dependencyCycles: { what: 'Dependency cycle', packages: 'Packages' },
  missingDependencies: { what: 'Missing dependency', packages: 'Needed by' },
  missingLibraries: { what: 'Missing library', packages: 'Required by' },
  duplicateNames: { what: 'PKGNAME in several files (clients see one)', packages: 'Files' },
  duplicatePaths: { what: 'PKGPATH with several versions', packages: 'Packages' },
};

export function listFindings(report: ConsistencyReport): Finding[] {
  return [
    ...report.foreignArchitectures.map(({ architecture, names }) => ({
      kind: 'foreignArchitectures' as const,
      what: architecture === '' ? '(empty)' : architecture,
      packages: names,
    })),
    ...report.dependencyCycles.map(({ names, length }) => ({
      kind: 'dependencyCycles' as const,
      what: describeCycle({ names, length }),
      packages: names,
    })),
    ...report.missingDependencies.map(({ pattern, problem, neededBy }) => ({
      kind: 'missingDependencies' as const,
      what: pattern,
      problem,
      packages: neededBy,
    })),
    ...report.missingLibraries.map(({ library, neededBy }) => ({
      kind: 'missingLibraries' as const,
      what: library,
      packages: neededBy,
    })),
    ...report.duplicateNames.map(({ name, files }) => ({
      kind: 'duplicateNames' as const,
      what: name,
      packages: files,
    })),
    ...report.duplicatePaths.map(({ path, names }) => ({
      kind: 'duplicatePaths' as const,
      what: path,
      packages: names,
    })),
  ];
}

/** Names shown of a cycle. */
const cycleNamesMax = 10;

/** @param cycle with all its names, or the first ones. */
export function describeCycle({ names, length }: Pick<DependencyCycle, 'names' | 'length'>): string {
  const shown = names.slice(0, cycleNamesMax);
  return [...shown, ...(length > shown.length ? ['…'] : []), names[0]].join(' → ');
}

export function countFindings(report: ConsistencyReport): FindingCounts {
  const { foreignArchitectures, dependencyCycles, missingDependencies } = report;
  const { missingLibraries, duplicateNames, duplicatePaths } = report;
  return {
    foreignArchitectures: foreignArchitectures.length,
    dependencyCycles: dependencyCycles.length,
    missingDependencies: missingDependencies.length,
    missingLibraries: missingLibraries.length,
    duplicateNames: duplicateNames.length,
    duplicatePaths: duplicatePaths.length,
  };
}

/** The number of findings of all kinds. */
export function sumOf(counts: FindingCounts): number {
  return Object.values(counts).reduce((sum, number) => sum + number, 0);
}
