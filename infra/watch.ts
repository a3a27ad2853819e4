/** Alarms, a topic for e-mail if an address was given, and a dashboard. */

import { Aws, Duration } from 'aws-cdk-lib';
import {
  Alarm,
  type AlarmProps,
  Dashboard,
  GraphWidget,
  type IMetric,
  Metric,
  Stats,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnSubscription, Topic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import type { MetricName } from '../functions/lambda/telemetry.ts';
import { deploymentLimits } from './limits.ts';
import type { IndexerOptions } from './options.ts';
import { metricsNamespace, type Pipeline } from './pipeline.ts';

const period = Duration.minutes(5);

export class Watch extends Construct {
  constructor(scope: Construct, id: string, pipeline: Pipeline, options: IndexerOptions) {
    super(scope, id);
    const counted = (name: MetricName, statistic: string): Metric =>
      new Metric({
        namespace: metricsNamespace,
        metricName: name,
        dimensionsMap: { service: options.stack },
        statistic,
        period,
      });
    const alarms = this.alarms(pipeline, counted, options.stack);
    if (options.alarmEmail !== undefined) {
      const action = new SnsAction(this.mailTopic(options.alarmEmail));
      for (const alarm of alarms) {
        alarm.addAlarmAction(action);
        alarm.addOkAction(action);
      }
    }
    this.dashboard(pipeline, counted, options.stack);
  }

  private alarms(pipeline: Pipeline, counted: Counted, stack: string): readonly Alarm[] {
    const { hintAgeAlarmSeconds, changeAgeAlarmSeconds } = deploymentLimits;
    const visible = { period, statistic: Stats.MAXIMUM };
    return [
      this.alarm(stack, 'dead-hints', {
        metric: pipeline.deadHints.metricApproximateNumberOfMessagesVisible(visible),
        threshold: 1,
        alarmDescription: `A hint failed ${deploymentLimits.hintDeliveriesMax} times: its package may be missing from the index. Fix the cause (log of extract), then: pkgsrc-indexer redrive --stack ${stack}.`,
      }),
      this.alarm(stack, 'dead-changes', {
        metric: pipeline.deadChanges.metricApproximateNumberOfMessagesVisible(visible),
        threshold: 1,
        alarmDescription: `Summarize gave up on a batch of changes: an index may be stale. Fix the cause (log of summarize), then: pkgsrc-indexer redrive --stack ${stack}.`,
      }),
      this.alarm(stack, 'hints-old', {
        metric: pipeline.hints.metricApproximateAgeOfOldestMessage(visible),
        threshold: hintAgeAlarmSeconds,
        alarmDescription: `The oldest hint has waited for ${hintAgeAlarmSeconds} s: extract fails, or is too slow.`,
      }),
      this.alarm(stack, 'summarize-errors', {
        metric: pipeline.summarize.function.metricErrors({ period }),
        threshold: 1,
        alarmDescription: 'Summarize failed, or ran out of time.',
      }),
      this.alarm(stack, 'changes-old', {
        // Changes that there is no time for are no error of the function: only the age of its batch shows them.
        metric: pipeline.summarize.function.metric('IteratorAge', visible),
        threshold: changeAgeAlarmSeconds * 1000,
        alarmDescription: `A change has waited for ${changeAgeAlarmSeconds} s: summarize fails or is too slow, and indexes are stale.`,
      }),
      this.alarm(stack, 'publications-failed', {
        metric: counted('PublicationsFailed', Stats.SUM).with({ period: Duration.minutes(15) }),
        threshold: 1,
        // One that lasts: a single failure is retried within seconds, and a lasting one is counted in every period.
        evaluationPeriods: 2,
        alarmDescription:
          'A repository could not be published for half an hour: its index is stale. Which, and why: log of summarize.',
      }),
      this.alarm(stack, 'publications-held-back', {
        metric: counted('PublicationsHeldBack', Stats.SUM),
        threshold: 1,
        alarmDescription: `A publication would drop many records, so the index that is there stays. Which: pkgsrc-indexer status --stack ${stack}. To publish it: pkgsrc-indexer reindex --adopt --stack ${stack}.`,
      }),
      this.alarm(stack, 'reindex-errors', {
        metric: pipeline.reindex.function.metricErrors({ period }),
        threshold: 1,
        alarmDescription: 'Reindex failed: lost events are not repaired.',
      }),
      this.alarm(stack, 'packages-rejected', {
        metric: counted('PackagesRejected', Stats.SUM),
        threshold: 1,
        alarmDescription: `A package was rejected and is not in its index. The reason: pkgsrc-indexer status --stack ${stack}.`,
      }),
      this.alarm(stack, 'not-adopted', {
        // The minimum of an hour: during an adoption the count falls to 0, and only one that does not is a fault.
        metric: counted('PackagesMissing', Stats.MINIMUM).with({ period: Duration.hours(1) }),
        threshold: 1,
        // Counted only when rows change: until then the last count stands.
        treatMissingData: TreatMissingData.IGNORE,
        alarmDescription: `Packages of a repository have not been read, so its old index stays. Which: pkgsrc-indexer status --stack ${stack}.`,
      }),
    ];
  }

  private alarm(
    stack: string,
    name: string,
    properties: Omit<AlarmProps, 'evaluationPeriods'> & { readonly evaluationPeriods?: number },
  ): Alarm {
    return new Alarm(this, name, {
      alarmName: `${stack}-${name}`,
      evaluationPeriods: 1,
      treatMissingData: TreatMissingData.NOT_BREACHING,
      ...properties,
    });
  }

  private mailTopic(address: string): Topic {
    const topic = new Topic(this, 'Alarms', { enforceSSL: true });
    // A topic's policy replaces the default one, which would let the alarms publish.
    topic.addToResourcePolicy(
      new PolicyStatement({
        sid: 'AlarmsPublish',
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [topic.topicArn],
        conditions: { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } },
      }),
    );
    new CfnSubscription(this, 'Mail', { topicArn: topic.topicArn, protocol: 'email', endpoint: address });
    return topic;
  }

  private dashboard(pipeline: Pipeline, counted: Counted, stack: string): void {
    const graph = (title: string, left: IMetric[], right: IMetric[] = []): GraphWidget =>
      new GraphWidget({ title, left, right, width: 12, leftYAxis: { min: 0 }, rightYAxis: { min: 0 } });
    new Dashboard(this, 'Dashboard', {
      // A dashboard's name is unique in the account, over all regions.
      dashboardName: `${stack}-${Aws.REGION}`,
      defaultInterval: Duration.days(1),
      widgets: [
        [
          graph('Uploads', [counted('HintsReceived', Stats.SUM), counted('PackagesIndexed', Stats.SUM)]),
          graph(
            'Upload to index, percentiles',
            [50, 90, 99].map((percentile) => counted('UploadToIndexLatency', Stats.percentile(percentile))),
          ),
        ],
        [
          graph('Rejected and unknown', [
            counted('PackagesRejected', Stats.SUM),
            counted('UnknownEvents', Stats.SUM),
            counted('PackagesMissing', Stats.MAXIMUM),
          ]),
          graph(
            'Publications',
            [
              counted('Publications', Stats.SUM),
              counted('PublicationsFailed', Stats.SUM),
              counted('PublicationsHeldBack', Stats.SUM),
              counted('NotificationsFailed', Stats.SUM),
            ],
            [counted('SummaryDuration', Stats.MAXIMUM)],
          ),
        ],
        [
          graph(
            'Queue',
            [pipeline.hints.metricApproximateAgeOfOldestMessage({ period })],
            [
              pipeline.hints.metricApproximateNumberOfMessagesVisible({ period }),
              pipeline.deadHints.metricApproximateNumberOfMessagesVisible({ period }),
              pipeline.deadChanges.metricApproximateNumberOfMessagesVisible({ period }),
            ],
          ),
          graph(
            'Size of the index',
            [counted('SummaryRecords', Stats.MAXIMUM)],
            [counted('SummaryBytes', Stats.MAXIMUM)],
          ),
        ],
        [
          graph(
            'Errors',
            [pipeline.extract, pipeline.summarize, pipeline.reindex].map((step) =>
              step.function.metricErrors({ period }),
            ),
          ),
          graph('Age of the oldest change', [pipeline.summarize.function.metric('IteratorAge', { period })]),
        ],
        [
          // Counted once a day for each repository; foreign architectures at each publication, too.
          graph('Inconsistencies (the repository with the most)', [
            counted('ForeignArchitectures', Stats.MAXIMUM),
            counted('DependencyCycles', Stats.MAXIMUM),
            counted('MissingDependencies', Stats.MAXIMUM),
            counted('MissingLibraries', Stats.MAXIMUM),
            counted('DuplicateNames', Stats.MAXIMUM),
            counted('DuplicatePaths', Stats.MAXIMUM),
          ]),
        ],
      ],
    });
  }
}

type Counted = (name: MetricName, statistic: string) => Metric;
