import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Json, resource, resourcesOf, templateFor } from './synthesized.ts';

type Properties = { readonly [name: string]: Json };

const template = templateFor({ alarmEmail: 'admin@example.org' });

/** `name: Namespace Metric Dimension=Value Statistic over SECONDS ≥ threshold, missing data` */
function line({ Properties: alarm }: { readonly Properties: Properties }): string {
  const dimensions = (alarm.Dimensions as Properties[]).map(({ Name, Value }) => `${Name}=${Value}`).join(' ');
  assert.equal(alarm.ComparisonOperator, 'GreaterThanOrEqualToThreshold');
  const what = `${alarm.Namespace} ${alarm.MetricName} ${dimensions} ${alarm.Statistic} over ${alarm.EvaluationPeriods === 1 ? '' : `${alarm.EvaluationPeriods} × `}${alarm.Period}`;
  return `${alarm.AlarmName}: ${what} ≥ ${alarm.Threshold}, ${alarm.TreatMissingData}`;
}

test('the alarms', () => {
  const service = 'service=pkgsrc-indexer';
  const summarize = 'FunctionName=PipelineSummarizeFunction';
  assert.deepEqual([...resourcesOf(template, 'AWS::CloudWatch::Alarm').values()].map(line), [
    'pkgsrc-indexer-dead-hints: AWS/SQS ApproximateNumberOfMessagesVisible QueueName=PipelineDeadHints.QueueName Maximum over 300 ≥ 1, notBreaching',
    'pkgsrc-indexer-dead-changes: AWS/SQS ApproximateNumberOfMessagesVisible QueueName=PipelineDeadChanges.QueueName Maximum over 300 ≥ 1, notBreaching',
    'pkgsrc-indexer-hints-old: AWS/SQS ApproximateAgeOfOldestMessage QueueName=PipelineHints.QueueName Maximum over 300 ≥ 900, notBreaching',
    `pkgsrc-indexer-summarize-errors: AWS/Lambda Errors ${summarize} Sum over 300 ≥ 1, notBreaching`,
    `pkgsrc-indexer-changes-old: AWS/Lambda IteratorAge ${summarize} Maximum over 300 ≥ 900000, notBreaching`,
    `pkgsrc-indexer-publications-failed: PkgsrcIndexer PublicationsFailed ${service} Sum over 2 × 900 ≥ 1, notBreaching`,
    `pkgsrc-indexer-publications-held-back: PkgsrcIndexer PublicationsHeldBack ${service} Sum over 300 ≥ 1, notBreaching`,
    'pkgsrc-indexer-reindex-errors: AWS/Lambda Errors FunctionName=PipelineReindexFunction Sum over 300 ≥ 1, notBreaching',
    `pkgsrc-indexer-packages-rejected: PkgsrcIndexer PackagesRejected ${service} Sum over 300 ≥ 1, notBreaching`,
    `pkgsrc-indexer-not-adopted: PkgsrcIndexer PackagesMissing ${service} Minimum over 3600 ≥ 1, ignore`,
  ]);
});

test('every alarm says what it means, and mails when it begins and when it ends', () => {
  for (const { Properties: alarm } of resourcesOf(template, 'AWS::CloudWatch::Alarm').values()) {
    assert.match(String(alarm.AlarmDescription), /\.$/);
    assert.deepEqual(alarm.AlarmActions, ['WatchAlarms']);
    assert.deepEqual(alarm.OKActions, ['WatchAlarms']);
  }
  const { TopicArn, Protocol, Endpoint } = resource(template, 'AWS::SNS::Subscription', 'WatchMail').Properties;
  assert.deepEqual(
    { TopicArn, Protocol, Endpoint },
    {
      TopicArn: 'WatchAlarms',
      Protocol: 'email',
      Endpoint: 'admin@example.org',
    },
  );
});

test('without an address there is no topic, and the alarms are there all the same', () => {
  const silent = templateFor({});
  assert.equal(resourcesOf(silent, 'AWS::SNS::Topic').size, 0);
  const alarms = [...resourcesOf(silent, 'AWS::CloudWatch::Alarm').values()];
  assert.equal(alarms.length, 10);
  for (const { Properties: alarm } of alarms) assert.equal(alarm.AlarmActions, undefined);
});

test('the dashboard shows every metric that the steps count, of this stack', () => {
  const { DashboardBody, DashboardName } = resource(
    template,
    'AWS::CloudWatch::Dashboard',
    'WatchDashboard',
  ).Properties;
  assert.equal(DashboardName, 'pkgsrc-indexer-eu-central-1');
  const { widgets } = JSON.parse(String(DashboardBody)) as { widgets: { properties: { metrics: Json[][] } }[] };
  const shown = widgets.flatMap(({ properties }) => properties.metrics);
  const counted = shown.filter(([namespace]) => namespace === 'PkgsrcIndexer');
  assert.deepEqual([...new Set(counted.map(([, name]) => name))].toSorted(), [
    'DependencyCycles',
    'DuplicateNames',
    'DuplicatePaths',
    'ForeignArchitectures',
    'HintsReceived',
    'MissingDependencies',
    'MissingLibraries',
    'NotificationsFailed',
    'PackagesIndexed',
    'PackagesMissing',
    'PackagesRejected',
    'Publications',
    'PublicationsFailed',
    'PublicationsHeldBack',
    'SummaryBytes',
    'SummaryDuration',
    'SummaryRecords',
    'UnknownEvents',
    'UploadToIndexLatency',
  ]);
  for (const metric of counted) assert.deepEqual(metric.slice(2, 4), ['service', 'pkgsrc-indexer']);
  const latencies = counted.filter(([, name]) => name === 'UploadToIndexLatency').map((metric) => metric[4]);
  assert.deepEqual(latencies, [{ stat: 'p50' }, { stat: 'p90' }, { stat: 'p99' }]);
  const queue = shown.filter(([namespace]) => namespace === 'AWS/SQS').map(([, name]) => name);
  assert.ok(queue.includes('ApproximateAgeOfOldestMessage'));
});
