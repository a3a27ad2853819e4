/** What the service knows → what `/-/status` answers. */

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
  const { findingsMax, findingPackagesMax } = reportLimits;
  const some = (packages: readonly string[]) => packages.slice(0, findingPackagesMax);
  return {
    packages: report.packages,
    architecture: report.architecture,
    systemLibraries: report.systemLibraries,
    foreignArchitectures: report.foreignArchitectures
      .slice(0, findingsMax)
      .map((finding) => ({ ...finding, names: some(finding.names) })),
    dependencyCycles: report.dependencyCycles
      .slice(0, findingsMax)
      .map((finding) => ({ ...finding, names: some(finding.names) })),
    missingDependencies: report.missingDependencies
      .slice(0, findingsMax)
      .map((finding) => ({ ...finding, neededBy: some(finding.neededBy) })),
    missingLibraries: report.missingLibraries
      .slice(0, findingsMax)
      .map((finding) => ({ ...finding, neededBy: some(finding.neededBy) })),
    duplicateNames: report.duplicateNames
      .slice(0, findingsMax)
      .map((finding) => ({ ...finding, files: some(finding.files) })),
    duplicatePaths: report.duplicatePaths
      .slice(0, findingsMax)
      .map((finding) => ({ ...finding, names: some(finding.names) })),
  };
}
