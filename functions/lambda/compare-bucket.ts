import type { Context } from 'aws-lambda';
import type { ConsistencyReport } from '../check/consistency.ts';
import { countFindings } from '../check/findings.ts';
import type { Repository } from '../ports.ts';
import type { ComparedRules } from '../record/rules.ts';
import { type ReindexPlace, type ReindexPorts, type ReindexResult, reindex } from '../reindex.ts';
import { count, logger, publishMetrics } from './telemetry.ts';

export const compareLimits = {
  /** With less time left, the rest is for the next invocation: one batch of hints takes about 3 s. */
  reserveMilliseconds: 60_000,
  /**
   * Invocations of one reindex, each started by the one before. Lambda stops a function that invokes itself 16 times in a row (Lambda
   * guide, "recursive loop detection"). 15 invocations of 14 minutes are enough for millions of packages.
   */
  roundsMax: 15,
} as const;

/** The request for a reindex. One invocation hands `prefixes` and what follows to the next. */
export interface ReindexRequest {
  readonly prefix?: string;
  readonly force?: boolean;
  readonly prefixes?: readonly string[];
  readonly after?: ReindexPlace;
  readonly round?: number;
  readonly done?: ReindexCounts;
}

export interface ReindexCounts extends Omit<ReindexResult, 'stoppedAt'> {
  /** False: another invocation continues. */
  readonly isComplete: boolean;
}

interface ComparePorts extends ReindexPorts {
  /** What to compare if the request names no prefix. */
  readonly prefixes: readonly string[];
  /** Which packages are accepted. */
  readonly rules: ComparedRules;
  /** Starts the next invocation. */
  continueWith(request: ReindexRequest): Promise<void>;
}

/** Compares the bucket with the table. Before the time runs out, it hands the rest to another invocation of itself. */
export async function compareBucket(
  ports: ComparePorts,
  request: ReindexRequest,
  context: Pick<Context, 'getRemainingTimeInMillis'>,
): Promise<ReindexCounts> {
  const { prefix, force = false, round = 0, after } = request;
  const prefixes = request.prefixes ?? (prefix === undefined ? ports.prefixes : [prefix]);
  const isTimeUp = () => context.getRemainingTimeInMillis() < compareLimits.reserveMilliseconds;
  let counts = request.done ?? noCounts;
  for (const [index, at] of prefixes.entries()) {
    const resumed = index === 0 && after !== undefined ? { after } : {};
    const options = { prefix: at, force, rules: ports.rules, isTimeUp, onReport: reportConsistency };
    const result = await reindex(ports, { ...options, ...resumed });
    counts = sum(counts, result);
    const { stoppedAt } = result;
    const rest = prefixes.slice(stoppedAt === undefined ? index + 1 : index);
    const isMoreToDo = stoppedAt !== undefined || (rest.length > 0 && isTimeUp());
    if (!isMoreToDo) continue;
    const place = stoppedAt === undefined ? {} : { after: stoppedAt };
    publishMetrics();
    await handOver(ports, { force, prefixes: rest, round: round + 1, done: counts, ...place });
    return counts;
  }
  publishMetrics();
  const complete = { ...counts, isComplete: true };
  if (counts.unusable !== undefined)
    logger.warn('packages ignored: their keys have an empty part (//); copy them to other keys', {
      ...counts.unusable,
    });
  logger.info('reindexed', { ...complete });
  return complete;
}

const noCounts: ReindexCounts = { repositories: 0, packages: 0, hints: 0, isComplete: false };

/** Counts zeros as well: they are how a finding that was mended leaves the dashboard. */
function reportConsistency(repository: Repository, report: ConsistencyReport | undefined): void {
  if (report === undefined) {
    logger.warn('the repository is too large to check for inconsistencies', { repository });
    return;
  }
  const found = countFindings(report);
  logger.info('checked', { repository, packages: report.packages, ...found });
  count(
    'ForeignArchitectures',
    report.foreignArchitectures.reduce((sum, { names }) => sum + names.length, 0),
  );
  count('DependencyCycles', found.dependencyCycles);
  count('MissingDependencies', found.missingDependencies);
  count('MissingLibraries', found.missingLibraries);
  count('DuplicateNames', found.duplicateNames);
  count('DuplicatePaths', found.duplicatePaths);
}

function sum(counts: ReindexCounts, result: ReindexResult): ReindexCounts {
  const first = counts.unusable?.first ?? result.unusable?.first;
  const unusable = (counts.unusable?.packages ?? 0) + (result.unusable?.packages ?? 0);
  return {
    repositories: counts.repositories + result.repositories,
    packages: counts.packages + result.packages,
    hints: counts.hints + result.hints,
    ...(first === undefined ? {} : { unusable: { packages: unusable, first } }),
    isComplete: false,
  };
}

async function handOver(ports: ComparePorts, request: ReindexRequest): Promise<void> {
  const { round = 0, after, done } = request;
  if (round >= compareLimits.roundsMax)
    throw new Error(
      `expected a reindex to end within ${compareLimits.roundsMax} invocations, stopped at ${JSON.stringify(after)}; ` +
        'reindex each part of the bucket by itself, with --prefix',
    );
  logger.info('not done yet: the next invocation continues', { round, after, ...done });
  await ports.continueWith(request);
}
