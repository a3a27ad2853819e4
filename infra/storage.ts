/** The bucket with the packages, and two tables that can be rebuilt from it. */

import { Aws, CfnOutput, Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import { AttributeType, BillingMode, type CfnTable, StreamViewType, Table } from 'aws-cdk-lib/aws-dynamodb';
import { Key } from 'aws-cdk-lib/aws-kms';
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { deploymentLimits } from './limits.ts';
import { type IndexerOptions, isUsableBucketName } from './options.ts';

export class Storage extends Construct {
  /** Undefined for an existing bucket, which the template does not contain. */
  readonly newBucket: Bucket | undefined;
  /** A name, not a reference: the bucket needs the queue, and the queue's policy needs the bucket. */
  readonly bucketName: string;
  readonly bucketArn: string;
  readonly records: Table;
  /** The stream of changes of `records`. */
  readonly changesArn: string;
  readonly repositories: Table;

  constructor(scope: Construct, id: string, options: IndexerOptions) {
    super(scope, id);
    // Account and region, because a bucket's name is unique among all accounts.
    this.bucketName = options.bucket.name ?? `${options.stack}-${Aws.ACCOUNT_ID}-${Aws.REGION}`;
    this.bucketArn = `arn:${Aws.PARTITION}:s3:::${this.bucketName}`;
    this.newBucket = options.bucket.kind === 'new' ? this.makeBucket(options) : undefined;

    const tables = {
      billingMode: BillingMode.PAY_PER_REQUEST,
      // DynamoDB encrypts every table by default, with a key of its own that costs nothing.
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      // A reindex can rebuild them, so a deleted stack leaves no tables behind unless asked to.
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
    // No stream: summarize writes here, and would start itself.
    this.repositories = new Table(this, 'Repositories', { ...tables, partitionKey: repository });

    new CfnOutput(this, 'BucketName', { value: this.bucketName }).overrideLogicalId('Bucket');
    new CfnOutput(this, 'RecordsTable', { value: this.records.tableName }).overrideLogicalId('RecordsTable');
    new CfnOutput(this, 'RepositoriesTable', { value: this.repositories.tableName }).overrideLogicalId(
      'RepositoriesTable',
    );
  }

  private makeBucket({ bucket: choice, publicBucket, kmsKey }: IndexerOptions): Bucket {
    const bucket = new Bucket(this, 'Bucket', {
      // The CDK refuses a name that is too short, which is good enough to see a plan.
      ...(isUsableBucketName(choice) ? { bucketName: this.bucketName } : {}),
      ...(kmsKey === undefined
        ? { encryption: BucketEncryption.S3_MANAGED }
        : {
            encryption: BucketEncryption.KMS,
            encryptionKey: Key.fromKeyArn(this, 'Key', kmsKey),
            // One request to KMS for many objects.
            bucketKeyEnabled: true,
          }),
      enforceSSL: true,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      // Only the bucket's policy grants access, never an object's own list.
      blockPublicAccess: publicBucket
        ? new BlockPublicAccess({
            blockPublicAcls: true,
            ignorePublicAcls: true,
            blockPublicPolicy: false,
            restrictPublicBuckets: false,
          })
        : BlockPublicAccess.BLOCK_ALL,
      lifecycleRules: [
        {
          abortIncompleteMultipartUploadAfter: Duration.days(deploymentLimits.incompleteUploadDays),
          noncurrentVersionExpiration: Duration.days(deploymentLimits.noncurrentVersionDays),
        },
      ],
      // Retained, except by a first deployment that fails: the bucket is empty then, and would block the next one.
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    });
    Validations.of(bucket).acknowledge({
      id: 'AwsSolutions-S1',
      reason:
        'Access logs are the choice of the owner: they cost storage for every download, and need a bucket of their own.',
    });
    if (publicBucket) {
      Validations.of(bucket).acknowledge({
        id: 'AwsSolutions-S2',
        reason:
          '--public-bucket asks for anonymous reads. Access control lists stay blocked; only the policy of this stack grants reads.',
      });
    }
    return bucket;
  }
}
