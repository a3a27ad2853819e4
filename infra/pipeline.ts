/**
 * The queues, the functions, and what starts them:
 *
 *     bucket ─▶ hints (─▶ dead hints) ─▶ extract ─▶ records ─▶ summarize (─▶ dead changes) ─▶ bucket
 *     every day ─▶ reindex ─▶ hints
 */

import { Aws, CfnOutput, Duration, Validations } from 'aws-cdk-lib';
import { Rule, RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction as InvokeFunction } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnEventSourceMapping } from 'aws-cdk-lib/aws-lambda';
import type { CfnBucket } from 'aws-cdk-lib/aws-s3';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { deploymentLimits } from './limits.ts';
import { bucketEvents, keyFilters } from './notifications.ts';
import type { IndexerOptions } from './options.ts';
import { extractPermissions, type PermissionPlaces, reindexPermissions, summarizePermissions } from './permissions.ts';
import { functionName, Step } from './step.ts';
import type { Storage } from './storage.ts';

/** The namespace of every metric. Their only dimension is `service`, the stack's name. */
export const metricsNamespace = 'PkgsrcIndexer';

export class Pipeline extends Construct {
  readonly hints: Queue;
  readonly deadHints: Queue;
  /** Batches of changes that summarize gave up. Apart from the dead hints, because only hints can be sent back. */
  readonly deadChanges: Queue;
  /** Gets a message for each publication; undefined unless it was asked for. */
  readonly publications: Topic | undefined;
  readonly extract: Step;
  readonly summarize: Step;
  readonly reindex: Step;

  constructor(scope: Construct, id: string, storage: Storage, options: IndexerOptions) {
    super(scope, id);
    this.deadHints = this.deadLetterQueue('DeadHints');
    this.deadChanges = this.deadLetterQueue('DeadChanges');
    this.hints = this.hintQueue();
    this.publications = options.publishTopic ? this.publicationTopic() : undefined;

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

  /** Subscriptions are made outside of this stack, and last as long as the topic. */
  private publicationTopic(): Topic {
    const topic = new Topic(this, 'Publications', { enforceSSL: true });
    new CfnOutput(this, 'PublicationsArn', { value: topic.topicArn }).overrideLogicalId('PublicationsTopicArn');
    return topic;
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
    const places: PermissionPlaces = {
      bucketArn: storage.bucketArn,
      prefixes: options.prefixes,
      plusAliases: options.plusAliases,
      formats: options.formats,
      page: options.page,
      kmsKey: options.kmsKey,
      hintsArn: this.hints.queueArn,
      deadChangesArn: this.deadChanges.queueArn,
      recordsArn: storage.records.tableArn,
      changesArn: storage.changesArn,
      repositoriesArn: storage.repositories.tableArn,
      topicArn: this.publications?.topicArn,
      reindexArn: `arn:${Aws.PARTITION}:lambda:${Aws.REGION}:${Aws.ACCOUNT_ID}:function:${functionName(stack, 'reindex')}`,
    };
    const shared = { stack, environment: this.environment(storage, options), bundles: options.bundles };
    const extract = new Step(this, 'Extract', {
      ...shared,
      name: 'extract',
      description: 'A package changed in the bucket: update its row',
      permissions: extractPermissions(places),
      timeoutSeconds: deploymentLimits.extractTimeoutSeconds,
      memoryMegabytes: deploymentLimits.extractMemoryMegabytes,
    });
    const summarize = new Step(this, 'Summarize', {
      ...shared,
      name: 'summarize',
      description: 'Rows changed: update pkg_summary',
      permissions: summarizePermissions(places),
      timeoutSeconds: deploymentLimits.summarizeTimeoutSeconds,
      memoryMegabytes: deploymentLimits.summarizeMemoryMegabytes,
    });
    const reindex = new Step(this, 'Reindex', {
      ...shared,
      name: 'reindex',
      description: 'List the bucket, compare it with the table, send hints for the differences',
      permissions: reindexPermissions(places),
      timeoutSeconds: deploymentLimits.reindexTimeoutSeconds,
      memoryMegabytes: deploymentLimits.reindexMemoryMegabytes,
    });
    return { extract, summarize, reindex };
  }

  /** The variables that functions/lambda.ts reads. Endpoints are not among them: an emulator sets AWS_ENDPOINT_URL itself. */
  private environment(storage: Storage, options: IndexerOptions): Readonly<Record<string, string>> {
    return {
      BUCKET: storage.bucketName,
      RECORDS_TABLE: storage.records.tableName,
      REPOSITORIES_TABLE: storage.repositories.tableName,
      QUEUE_URL: this.hints.queueUrl,
      FORMATS: options.formats.join(','),
      PAGE: options.page ? 'on' : 'off',
      PREFIXES: options.prefixes.length === 0 ? '' : JSON.stringify(options.prefixes),
      ARCHITECTURES: JSON.stringify(options.architectures),
      MAX_SHRINK: options.maxShrink === undefined ? '' : `${options.maxShrink}`,
      TRUST: options.trust ?? 'off',
      ...(this.publications === undefined ? {} : { PUBLISH_TOPIC: this.publications.topicArn }),
      PLUS_ALIASES: options.plusAliases ? 'on' : 'off',
      NODE_OPTIONS: '--enable-source-maps',
      // Powertools makes it the dimension `service` of every metric, which tells two stacks in one account apart.
      POWERTOOLS_SERVICE_NAME: options.stack,
      POWERTOOLS_METRICS_NAMESPACE: metricsNamespace,
    };
  }

  /** An existing bucket may have other rules: `deploy` adds ours to them. */
  private bucketSendsHints(storage: Storage, options: IndexerOptions): void {
    this.hints.addToResourcePolicy(
      new PolicyStatement({
        sid: 'BucketSendsHints',
        principals: [new ServicePrincipal('s3.amazonaws.com')],
        actions: ['sqs:SendMessage'],
        resources: [this.hints.queueArn],
        conditions: {
          ArnEquals: { 'aws:SourceArn': storage.bucketArn },
          // A bucket's ARN has no account: without this, a later bucket of the same name in another account could send.
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
    // S3 tests the queue when a rule names it, so the queue's policy comes first.
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
      // From the oldest change: some may come before the mapping is ready.
      startingPosition: 'TRIM_HORIZON',
      batchSize: debounceSeconds === 0 ? deploymentLimits.changeBatchSizeUnbuffered : deploymentLimits.changeBatchSize,
      maximumBatchingWindowInSeconds: debounceSeconds,
      functionResponseTypes: ['ReportBatchItemFailures'],
      bisectBatchOnFunctionError: true,
      maximumRetryAttempts: deploymentLimits.changeTriesMax,
      maximumRecordAgeInSeconds: deploymentLimits.changeAgeSecondsMax,
      // One summarize per shard at a time: a shard holds all changes of a repository.
      parallelizationFactor: 1,
      destinationConfig: { onFailure: { destination: this.deadChanges.queueArn } },
    });
  }

  private everyDayWakesReindex(): void {
    new Rule(this, 'EveryDayWakesReindex', {
      description: 'Repairs what lost events left behind',
      schedule: Schedule.rate(Duration.days(1)),
      // Reindex expects {prefix?, force?}, not the schedule's own event.
      targets: [new InvokeFunction(this.reindex.function, { event: RuleTargetInput.fromObject({}) })],
    });
  }
}
