/** Turns what the service knows into the answer of `/-/status`. */

import type { DeadLetter } from '../adapters/local/memory-hints.ts';
import type { Polled } from '../adapters/local/watch-directory.ts';
import type { ConsistencyReport } from '../check/consistency.ts';
import { countFindings } from '../check/findings.ts';
import type { RepositoryStatus } from '../check/repository-status.ts';
import type { Activity } from './activity.ts';
import type { ServedRepository, ServiceStatus } from './service-status.ts';

export const reportLimits = {
  /** Findings of each kind in `/-/status`; `check` lists them all. */
  findingsMax: 100,
  /** Packages of each finding. */
  findingPackagesMax: 10,
} as const;

interface Queue {
  readonly pending: number;
  readonly publications: number;
  readonly deadLetters: readonly DeadLetter[];
}

export function serviceStatus(
  activity: Activity,
  queue: Queue,
  polled: readonly Polled[],
  repositories: readonly ServedRepository[],
  now: Date,
): ServiceStatus {
  const { startedAt, counts, publications } = activity;
  return {
    startedAt: startedAt.toISOString(),
    uptimeSeconds: Math.round((now.getTime() - startedAt.getTime()) / 1000),
    memoryBytes: process.memoryUsage.rss(),
    counts,
    queue: {
      ...queue,
      deadLetters: queue.deadLetters.map(({ hint, message, tries, at }) => ({
        key: hint.key,
        message,
        tries,
        at: at.toISOString(),
      })),
    },
    polled: polled.map(({ directories, reason, setting = null }) => ({ directories, reason, setting })),
    publications: publications.map(({ at, latency = null, ...publication }) => ({
      ...publication,
      at: at.toISOString(),
      latency,
    })),
    repositories,
  };
}

/** @param at when the status was made. */
export function servedRepository({ consistency, indexes, ...status }: RepositoryStatus, at: Date): ServedRepository {
  return {
    ...status,
    indexes: indexes.map(({ published, ...index }) => ({ ...index, published: published.toISOString() })),
    at: at.toISOString(),
    findings: consistency === undefined ? null : countFindings(consistency),
    report: consistency === undefined ? null : shortened(consistency),
  };
}

function shortened(report: ConsistencyReport): ConsistencyReport {
  return {
    ...report,
    foreignArchitectures: first(report.foreignArchitectures, 'names'),
    dependencyCycles: first(report.dependencyCycles, 'names'),
    missingDependencies: first(report.missingDependencies, 'neededBy'),
    missingLibraries: first(report.missingLibraries, 'neededBy'),
    duplicateNames: first(report.duplicateNames, 'files'),
    duplicatePaths: first(report.duplicatePaths, 'names'),
  };
}

/** The first findings, each with the first of its packages. */
function first<Field extends string, Finding extends Readonly<Record<Field, readonly string[]>>>(
  findings: readonly Finding[],
  field: Field,
): Finding[] {
  const { findingsMax, findingPackagesMax } = reportLimits;
  return findings
    .slice(0, findingsMax)
    .map((finding) => ({ ...finding, [field]: finding[field].slice(0, findingPackagesMax) }));
}
