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
    ...report.foreignArchitectures.map(({ architecture, names }) =>
      finding('foreignArchitectures', architecture === '' ? '(empty)' : architecture, names),
    ),
    ...report.dependencyCycles.map((cycle) => finding('dependencyCycles', describeCycle(cycle), cycle.names)),
    ...report.missingDependencies.map(({ pattern, problem, neededBy }) => ({
      ...finding('missingDependencies', pattern, neededBy),
      problem,
    })),
    ...report.missingLibraries.map(({ library, neededBy }) => finding('missingLibraries', library, neededBy)),
    ...report.duplicateNames.map(({ name, files }) => finding('duplicateNames', name, files)),
    ...report.duplicatePaths.map(({ path, names }) => finding('duplicatePaths', path, names)),
  ];
}

function finding(kind: FindingKind, what: string, packages: readonly string[]): Finding {
  return { kind, what, packages };
}

/** Names shown of a cycle. */
const cycleNamesMax = 10;

/** @param cycle with all its names, or the first ones. */
export function describeCycle({ names, length }: Pick<DependencyCycle, 'names' | 'length'>): string {
  const shown = names.slice(0, cycleNamesMax);
  return [...shown, ...(length > shown.length ? ['…'] : []), names[0]].join(' → ');
}

export function countFindings(report: ConsistencyReport): FindingCounts {
  const kinds = Object.keys(findingTitles) as FindingKind[];
  return Object.fromEntries(kinds.map((kind) => [kind, report[kind].length])) as FindingCounts;
}

/** The number of findings of all kinds. */
export function sumOf(counts: FindingCounts): number {
  return Object.values(counts).reduce((sum, number) => sum + number, 0);
}
