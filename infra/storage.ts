/** What outlives a request: the bucket with its packages, and two tables that can be made again from it. */

import { Aws, CfnOutput, Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import { AttributeType, BillingMode, type CfnTable, StreamViewType, Table } from 'aws-cdk-lib/aws-dynamodb';
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { deploymentLimits } from './limits.ts';
import { type IndexerOptions, isUsableBucketName } from './options.ts';

export class Storage extends Construct {
  /** Undefined where the bucket exists already: nothing of it is in the template then. */
  readonly newBucket: Bucket | undefined;
  /** By name and not by reference: the bucket needs the queue, whose policy needs the bucket, and a name breaks the circle. */
  readonly bucketName: string;
  readonly bucketArn: string;
  readonly records: Table;
  /** The stream of changes of `records`. */
  readonly changesArn: string;
  readonly repositories: Table;

  constructor(scope: Construct, id: string, options: IndexerOptions) {
    super(scope, id);
    // Account and region, because names of buckets are shared with the whole world.
    this.bucketName = options.bucket.name ?? `${options.stack}-${Aws.ACCOUNT_ID}-${Aws.REGION}`;
    this.bucketArn = `arn:${Aws.PARTITION}:s3:::${this.bucketName}`;
    this.newBucket = options.bucket.kind === 'new' ? this.makeBucket(options) : undefined;

    const tables = {
      billingMode: BillingMode.PAY_PER_REQUEST,
      // Encrypted without a word here: DynamoDB does so for every table, with a key of its own that costs nothing.
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      // Derived data: a reindex brings it back, so a deleted stack leaves none behind unless asked to.
      removalPolicy: options.keepTables ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    };
    const repository = { name: 'repository', type: AttributeType.STRING };
    const file = { name: 'file', type: AttributeType.STRING };
    this.records = new Table(this, 'Records', {
      ...tables,
      partitionKey: repository,
      sortKey: file,
      stream: StreamViewType.KEYS_ONLY,
    });
    this.changesArn = (this.records.node.defaultChild as CfnTable).attrStreamArn;
    // No stream: summarize writes here, and would wake itself.
    this.repositories = new Table(this, 'Repositories', { ...tables, partitionKey: repository });

    new CfnOutput(this, 'BucketName', { value: this.bucketName }).overrideLogicalId('Bucket');
    new CfnOutput(this, 'RecordsTable', { value: this.records.tableName }).overrideLogicalId('RecordsTable');
    new CfnOutput(this, 'RepositoriesTable', { value: this.repositories.tableName }).overrideLogicalId(
      'RepositoriesTable',
    );
  }

  private makeBucket({ bucket: choice, publicBucket }: IndexerOptions): Bucket {
    const bucket = new Bucket(this, 'Bucket', {
      // The CDK refuses a name that S3 would not have; one that only serves to look at a plan is left out.
      ...(isUsableBucketName(choice) ? { bucketName: this.bucketName } : {}),
      encryption: BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      // Public or not, access is decided by the bucket's policy and never by an object's own list.
      blockPublicAccess: publicBucket
        ? new BlockPublicAccess({
            blockPublicAcls: true,
            ignorePublicAcls: true,
            blockPublicPolicy: false,
            restrictPublicBuckets: false,
          })
        : BlockPublicAccess.BLOCK_ALL,
      lifecycleRules: [{ abortIncompleteMultipartUploadAfter: Duration.days(deploymentLimits.incompleteUploadDays) }],
      removalPolicy: RemovalPolicy.RETAIN,
    });
    Validations.of(bucket).acknowledge({
      id: 'AwsSolutions-S1',
      reason:
        'Access logs of a package repository are for its owner to want: they cost storage for every download and need a bucket of their own.',
    });
    if (publicBucket) {
      Validations.of(bucket).acknowledge({
        id: 'AwsSolutions-S2',
        reason:
          '--public-bucket asks for anonymous reads. Lists of access stay blocked; only the policy of this stack opens it.',
      });
    }
    return bucket;
  }
}
