/** Turns what the service knows into the answer of `/-/status`. */

import type { Polled } from '../adapters/local/known-directories.ts';
import type { DeadLetter } from '../adapters/local/memory-hints.ts';
import type { ConsistencyReport } from '../check/consistency.ts';
import { countFindings, sumOf } from '../check/findings.ts';
import type { RepositoryStatus } from '../check/repository-status.ts';
import type { Activity } from './activity.ts';
import type { ServedRepository, ServiceStatus } from './service-status.ts';

export const reportLimits = {
  /** Findings of each kind in `/-/status`; `check` lists them all. */
  findingsMax: 100,
  /** Packages of each finding. */
  findingPackagesMax: 10,
  /** The answer is requested every few seconds, and making it holds up the server: 1 MB takes 10 ms. The totals count the rest. */
  repositoriesMax: 1_000,
  /** Rejected packages, pending ones, and dead letters: each of all repositories together. */
  listedMax: 1_000,
  /** Findings of all kinds and repositories together. */
  findingsListedMax: 2_000,
} as const;

/** A repository with everything that is known of it. */
export type KnownRepository = Omit<ServedRepository, 'totals'>;

interface Queue {
  readonly pending: number;
  readonly publications: number;
  readonly deadLetters: readonly DeadLetter[];
}

export function serviceStatus(
  activity: Activity,
  queue: Queue,
  polled: readonly Polled[],
  repositories: readonly KnownRepository[],
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
      deadLetters: queue.deadLetters.slice(0, reportLimits.listedMax).map(({ hint, message, tries, at }) => ({
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
    totals: {
      repositories: repositories.length,
      packages: sumOver(repositories, ({ packages }) => packages),
      packageBytes: sumOver(repositories, ({ packageBytes }) => packageBytes),
      rejected: sumOver(repositories, ({ rejected }) => rejected.length),
      pending: sumOver(repositories, ({ pending }) => pending.length),
      warnings: sumOver(repositories, ({ warnings }) => sumOver(Object.values(warnings), (packages) => packages)),
      findings: sumOver(repositories, ({ findings }) => (findings === null ? 0 : sumOf(findings))),
      deadLetters: queue.deadLetters.length,
    },
    repositories: listed(repositories),
  };
}

function sumOver<Item>(items: readonly Item[], of: (item: Item) => number): number {
  return items.reduce((sum, item) => sum + of(item), 0);
}

/** The first of everything. */
function listed(repositories: readonly KnownRepository[]): ServedRepository[] {
  const { repositoriesMax, listedMax, findingsListedMax } = reportLimits;
  const rejected = new Allowance(listedMax);
  const pending = new Allowance(listedMax);
  const findings = new Allowance(findingsListedMax);
  return repositories.slice(0, repositoriesMax).map((each) => ({
    ...each,
    rejected: rejected.of(each.rejected),
    pending: pending.of(each.pending),
    totals: { rejected: each.rejected.length, pending: each.pending.length },
    report: each.report === null ? null : mapLists(each.report, (list) => findings.of(list)),
  }));
}

function mapLists(report: ConsistencyReport, map: <Item>(list: readonly Item[]) => readonly Item[]): ConsistencyReport {
  const entries = Object.entries(report).map(([name, value]) => [name, Array.isArray(value) ? map(value) : value]);
  return Object.fromEntries(entries) as ConsistencyReport;
}

/** So many items, of several lists together. */
class Allowance {
  #left: number;

  constructor(items: number) {
    this.#left = items;
  }

  of<Item>(list: readonly Item[]): readonly Item[] {
    const first = list.slice(0, this.#left);
    this.#left -= first.length;
    return first;
  }
}

/** @param at when the status was made. */
export function servedRepository(
  { consistency, indexes, heldBack, ...status }: RepositoryStatus,
  at: Date,
): KnownRepository {
  return {
    ...status,
    indexes: indexes.map(({ published, ...index }) => ({ ...index, published: published.toISOString() })),
    heldBack: heldBack === undefined ? null : { ...heldBack, since: heldBack.since.toISOString() },
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
