/**
 * The arrows of the design, and nothing else:
 *
 *     bucket ─▶ hints (─▶ dead hints) ─▶ extract ─▶ records ─▶ summarize (─▶ dead changes) ─▶ bucket
 *     every day ─▶ reindex ─▶ hints
 */

import { join } from 'node:path';
import { Aws, CfnOutput, Duration, Validations } from 'aws-cdk-lib';
import { Rule, RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction as InvokeFunction } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnEventSourceMapping } from 'aws-cdk-lib/aws-lambda';
import type { CfnBucket } from 'aws-cdk-lib/aws-s3';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { deploymentLimits } from './limits.ts';
import { bucketEvents, keyFilters } from './notifications.ts';
import type { IndexerOptions } from './options.ts';
import { type ConcurrencyLimit, extractPermissions, reindexPermissions, summarizePermissions } from './permissions.ts';
import { functionName, Step } from './step.ts';
import type { Storage } from './storage.ts';

/** The namespace of every metric; their one dimension is `service`, the stack's name. */
export const metricsNamespace = 'PkgsrcIndexer';

export class Pipeline extends Construct {
  readonly hints: Queue;
  readonly deadHints: Queue;
  /**
   * Batches of changes that summarize gave up. Not in one queue with the dead hints: those are cured by sending them back to
   * extract, to which these would mean nothing; these are cured by a reindex.
   */
  readonly deadChanges: Queue;
  readonly extract: Step;
  readonly summarize: Step;
  readonly reindex: Step;

  constructor(scope: Construct, id: string, storage: Storage, options: IndexerOptions) {
    super(scope, id);
    this.deadHints = this.deadLetterQueue('DeadHints');
    this.deadChanges = this.deadLetterQueue('DeadChanges');
    this.hints = this.hintQueue();

    const { extract, summarize, reindex } = this.steps(storage, options);
    this.extract = extract;
    this.summarize = summarize;
    this.reindex = reindex;

    this.bucketSendsHints(storage, options);
    this.hintsWakeExtract(options);
    this.changesWakeSummarize(storage, options);
    this.everyDayWakesReindex();

    new CfnOutput(this, 'HintsUrl', { value: this.hints.queueUrl }).overrideLogicalId('QueueUrl');
    new CfnOutput(this, 'HintsArn', { value: this.hints.queueArn }).overrideLogicalId('QueueArn');
    new CfnOutput(this, 'DeadHintsUrl', { value: this.deadHints.queueUrl }).overrideLogicalId('DeadHintsUrl');
    new CfnOutput(this, 'DeadChangesUrl', { value: this.deadChanges.queueUrl }).overrideLogicalId('DeadChangesUrl');
  }

  private hintQueue(): Queue {
    const { visibilityTimeoutsMin, extractTimeoutSeconds, hintBatchWindowSeconds } = deploymentLimits;
    return new Queue(this, 'Hints', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      visibilityTimeout: Duration.seconds(visibilityTimeoutsMin * extractTimeoutSeconds + hintBatchWindowSeconds),
      deadLetterQueue: { queue: this.deadHints, maxReceiveCount: deploymentLimits.hintDeliveriesMax },
    });
  }

  private deadLetterQueue(id: string): Queue {
    const queue = new Queue(this, id, {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(deploymentLimits.deadLetterDays),
    });
    Validations.of(queue).acknowledge({ id: 'AwsSolutions-SQS3', reason: 'It is a dead-letter queue itself.' });
    return queue;
  }

  private steps(storage: Storage, options: IndexerOptions) {
    const { stack } = options;
    const places: ConcurrencyLimit = {
      bucketArn: storage.bucketArn,
      prefixes: options.prefixes,
      plusAliases: options.plusAliases,
      formats: options.formats,
      page: options.page,
      hintsArn: this.hints.queueArn,
      deadChangesArn: this.deadChanges.queueArn,
      recordsArn: storage.records.tableArn,
      changesArn: storage.changesArn,
      repositoriesArn: storage.repositories.tableArn,
      reindexArn: `arn:${Aws.PARTITION}:lambda:${Aws.REGION}:${Aws.ACCOUNT_ID}:function:${functionName(stack, 'reindex')}`,
    };
    const environment = this.environment(storage, options);
    const extract = new Step(this, 'Extract', {
      stack,
      name: 'extract',
      description: 'A package changed in the bucket: make its row agree',
      bundle: join(options.bundles, 'extract'),
      environment,
      permissions: extractPermissions(places),
      timeoutSeconds: deploymentLimits.extractTimeoutSeconds,
      memoryMegabytes: deploymentLimits.extractMemoryMegabytes,
    });
    const summarize = new Step(this, 'Summarize', {
      stack,
      name: 'summarize',
      description: 'Rows changed: replace pkg_summary',
      bundle: join(options.bundles, 'summarize'),
      environment,
      permissions: summarizePermissions(places),
      timeoutSeconds: deploymentLimits.summarizeTimeoutSeconds,
      memoryMegabytes: deploymentLimits.summarizeMemoryMegabytes,
    });
    const reindex = new Step(this, 'Reindex', {
      stack,
      name: 'reindex',
      description: 'List the bucket, compare with the table, send hints for what differs',
      bundle: join(options.bundles, 'reindex'),
      environment,
      permissions: reindexPermissions(places),
      timeoutSeconds: deploymentLimits.reindexTimeoutSeconds,
      memoryMegabytes: deploymentLimits.reindexMemoryMegabytes,
    });
    return { extract, summarize, reindex };
  }

  /** What functions/lambda.ts reads. No endpoints: the SDK takes those from AWS_ENDPOINT_URL where somebody sets it. */
  private environment(storage: Storage, options: IndexerOptions): Readonly<Record<string, string>> {
    return {
      BUCKET: storage.bucketName,
      RECORDS_TABLE: storage.records.tableName,
      REPOSITORIES_TABLE: storage.repositories.tableName,
      QUEUE_URL: this.hints.queueUrl,
      FORMATS: options.formats.join(','),
      PAGE: options.page ? 'on' : 'off',
      PREFIXES: options.prefixes.length === 0 ? '' : JSON.stringify(options.prefixes),
      PLUS_ALIASES: options.plusAliases ? 'on' : 'off',
      NODE_OPTIONS: '--enable-source-maps',
      // Powertools makes it the metrics' dimension `service`: two stacks in one account are told apart by it.
      POWERTOOLS_SERVICE_NAME: options.stack,
      POWERTOOLS_METRICS_NAMESPACE: metricsNamespace,
    };
  }

  /** An existing bucket's notifications hold other people's rules too: the deploying script merges ours into them. */
  private bucketSendsHints(storage: Storage, options: IndexerOptions): void {
    this.hints.addToResourcePolicy(
      new PolicyStatement({
        sid: 'BucketSendsHints',
        principals: [new ServicePrincipal('s3.amazonaws.com')],
        actions: ['sqs:SendMessage'],
        resources: [this.hints.queueArn],
        conditions: {
          ArnEquals: { 'aws:SourceArn': storage.bucketArn },
          // A bucket's ARN names no account: without this, whoever takes its name after it is gone could send.
          StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID },
        },
      }),
    );
    if (storage.newBucket === undefined) return;
    const bucket = storage.newBucket.node.defaultChild as CfnBucket;
    bucket.notificationConfiguration = {
      queueConfigurations: bucketEvents.flatMap((event) =>
        keyFilters(options.prefixes).map(({ prefix, suffix }) => ({
          event,
          queue: this.hints.queueArn,
          filter: {
            s3Key: {
              rules: [
                ...(prefix === undefined ? [] : [{ name: 'prefix', value: prefix }]),
                { name: 'suffix', value: suffix },
              ],
            },
          },
        })),
      ),
    };
    // S3 tries to reach the queue when it is told of it, so the queue's policy has to be there before.
    bucket.node.addDependency(this.hints.node.findChild('Policy'));
  }

  private hintsWakeExtract({ debounceSeconds }: IndexerOptions): void {
    new CfnEventSourceMapping(this, 'HintsWakeExtract', {
      eventSourceArn: this.hints.queueArn,
      functionName: this.extract.function.functionName,
      batchSize: deploymentLimits.hintBatchSize,
      maximumBatchingWindowInSeconds: Math.min(deploymentLimits.hintBatchWindowSeconds, debounceSeconds),
      functionResponseTypes: ['ReportBatchItemFailures'],
      scalingConfig: { maximumConcurrency: deploymentLimits.extractConcurrentMax },
    });
  }

  private changesWakeSummarize(storage: Storage, { debounceSeconds }: IndexerOptions): void {
    new CfnEventSourceMapping(this, 'ChangesWakeSummarize', {
      eventSourceArn: storage.changesArn,
      functionName: this.summarize.function.functionName,
      // From the oldest change, so that those made while the mapping was being made are not lost.
      startingPosition: 'TRIM_HORIZON',
      batchSize: debounceSeconds === 0 ? deploymentLimits.changeBatchSizeUnbuffered : deploymentLimits.changeBatchSize,
      maximumBatchingWindowInSeconds: debounceSeconds,
      functionResponseTypes: ['ReportBatchItemFailures'],
      bisectBatchOnFunctionError: true,
      maximumRetryAttempts: deploymentLimits.changeTriesMax,
      maximumRecordAgeInSeconds: deploymentLimits.changeAgeSecondsMax,
      // One summarize per shard at a time: the rows of a repository are all in one.
      parallelizationFactor: 1,
      destinationConfig: { onFailure: { destination: this.deadChanges.queueArn } },
    });
  }

  private everyDayWakesReindex(): void {
    new Rule(this, 'EveryDayWakesReindex', {
      description: 'Repairs what lost events left behind',
      schedule: Schedule.rate(Duration.days(1)),
      // Reindex takes {prefix?, force?}, not the schedule's own event.
      targets: [new InvokeFunction(this.reindex.function, { event: RuleTargetInput.fromObject({}) })],
    });
  }
}
