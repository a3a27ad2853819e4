/** The log and the metrics of the functions. The metrics' one dimension, `service`, is the stack's name (infra/pipeline.ts sets it). */

import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';

export const logger = new Logger();

const metrics = new Metrics();

/** What the steps count and measure. infra/watch.ts shows all of it, and sets alarms. */
export const metricNames = [
  'HintsReceived',
  'UnknownEvents',
  'PackagesIndexed',
  'PackagesRejected',
  'Publications',
  'PublicationsFailed',
  'PublicationsHeldBack',
  'NotificationsFailed',
  'SummaryRecords',
  'SummaryBytes',
  'SummaryDuration',
  'UploadToIndexLatency',
  'PackagesMissing',
  'ForeignArchitectures',
  'DependencyCycles',
  'MissingDependencies',
  'MissingLibraries',
  'DuplicateNames',
  'DuplicatePaths',
] as const;

export type MetricName = (typeof metricNames)[number];

/** A 0 counts, too: it ends an alarm, and empties a graph. */
export function count(name: MetricName, value: number): void {
  metrics.addMetric(name, MetricUnit.Count, value);
}

export function measureBytes(name: MetricName, bytes: number): void {
  metrics.addMetric(name, MetricUnit.Bytes, bytes);
}

export function measureMilliseconds(name: MetricName, milliseconds: number): void {
  metrics.addMetric(name, MetricUnit.Milliseconds, milliseconds);
}

/** Writes what this invocation counted, if it counted anything. */
export function publishMetrics(): void {
  if (metrics.hasStoredMetrics()) metrics.publishStoredMetrics();
}
