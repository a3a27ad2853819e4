/** How clients read the repository: through CloudFront, or from the bucket. */

import { readFileSync } from 'node:fs';
import { Aws, CfnOutput, Stack, Validations } from 'aws-cdk-lib';
import { CfnCachePolicy, CfnDistribution, CfnFunction, CfnOriginAccessControl } from 'aws-cdk-lib/aws-cloudfront';
import { AnyPrincipal, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { deploymentLimits } from './limits.ts';
import { notFoundKey } from './not-found-page.ts';
import type { IndexerOptions } from './options.ts';
import type { Storage } from './storage.ts';

/** Also matches the root's index, which has no slash before it. That it matches `x-pkg_summary.y`, too, does no harm. */
const indexPattern = '*pkg_summary.*';

/** Directories, as a client requests them, and their pages. */
const pagePatterns = ['*/', '*index.html'];

export class Serving extends Construct {
  /** The URL of the bucket's root: `https://host` or `https://host/bucket`, without a trailing `/`. */
  readonly url: string;

  constructor(scope: Construct, id: string, storage: Storage, options: IndexerOptions) {
    super(scope, id);
    if (options.publicBucket) everyoneReads(storage, options);
    this.url = options.cdn ? this.throughCloudFront(storage, options) : bucketUrl(storage, options);
    new CfnOutput(this, 'Url', { value: this.url }).overrideLogicalId('RepositoryUrl');
  }

  private throughCloudFront(storage: Storage, options: IndexerOptions): string {
    // These names are unique in the account, over all regions.
    const name = (part: string) => `${options.stack}-${Aws.REGION}-${part}`;
    const accessControl = new CfnOriginAccessControl(this, 'AccessControl', {
      originAccessControlConfig: {
        name: name('bucket'),
        originAccessControlOriginType: 's3',
        signingBehavior: 'always',
        signingProtocol: 'sigv4',
      },
    });
    const viewerRequest = new CfnFunction(this, 'ViewerRequest', {
      name: name('viewer-request'),
      autoPublish: true,
      functionCode: readFileSync(new URL('viewer-request.js', import.meta.url), 'utf8'),
      functionConfig: { comment: 'Encodes + for S3; directory → index.html', runtime: 'cloudfront-js-2.0' },
    });
    const behaviour = (cachePolicy: CfnCachePolicy, { compress } = { compress: false }) => ({
      targetOriginId: 'bucket',
      viewerProtocolPolicy: 'redirect-to-https',
      allowedMethods: ['GET', 'HEAD'],
      cachePolicyId: cachePolicy.ref,
      // CloudFront compresses without Content-Length, which pkgin needs and browsers do not.
      compress,
      functionAssociations: [{ eventType: 'viewer-request', functionArn: viewerRequest.attrFunctionArn }],
    });
    const packages = this.cachePolicy('Packages', name('packages'), {
      defaultTtl: deploymentLimits.packageCacheSeconds,
      maxTtl: deploymentLimits.packageCacheSecondsMax,
    });
    const indexes = this.cachePolicy('Indexes', name('indexes'), {
      defaultTtl: 0,
      maxTtl: deploymentLimits.indexCacheSecondsMax,
    });
    const pages = this.cachePolicy('Pages', name('pages'), {
      defaultTtl: 0,
      maxTtl: deploymentLimits.indexCacheSecondsMax,
      compress: true,
    });
    const distribution = new CfnDistribution(this, 'Distribution', {
      distributionConfig: {
        comment: options.stack,
        enabled: true,
        httpVersion: 'http2and3',
        ipv6Enabled: true,
        origins: [
          {
            id: 'bucket',
            domainName: `${storage.bucketName}.s3.${Aws.REGION}.${Aws.URL_SUFFIX}`,
            originAccessControlId: accessControl.attrId,
            s3OriginConfig: { originAccessIdentity: '' },
          },
        ],
        defaultCacheBehavior: behaviour(packages),
        cacheBehaviors: [
          { pathPattern: indexPattern, ...behaviour(indexes) },
          ...pagePatterns.map((pathPattern) => ({ pathPattern, ...behaviour(pages, { compress: true }) })),
        ],
        // Not cached: a package may be uploaded the next moment.
        customErrorResponses: [403, 404].map((errorCode) => ({
          errorCode,
          responseCode: 404,
          responsePagePath: `/${notFoundKey(options.prefixes)}`,
          errorCachingMinTtl: 0,
        })),
      },
    });
    acknowledge(distribution);
    new CfnOutput(this, 'NotFound', { value: notFoundKey(options.prefixes) }).overrideLogicalId('NotFoundKey');
    cloudFrontReads(this, storage, options, distribution);
    if (options.kmsKey !== undefined) cloudFrontDecrypts(this, options, distribution);
    return `https://${distribution.attrDomainName}`;
  }

  /**
   * An object's own Cache-Control counts up to `maxTtl`; without one, `defaultTtl` counts. With 0, CloudFront keeps the bytes and asks
   * S3 at every request whether they changed (CloudFront guide, "Manage how long content stays in the cache").
   */
  private cachePolicy(
    id: string,
    name: string,
    { compress = false, ...ttl }: { readonly defaultTtl: number; readonly maxTtl: number; readonly compress?: boolean },
  ) {
    return new CfnCachePolicy(this, id, {
      cachePolicyConfig: {
        name,
        minTtl: 0,
        ...ttl,
        parametersInCacheKeyAndForwardedToOrigin: {
          cookiesConfig: { cookieBehavior: 'none' },
          headersConfig: { headerBehavior: 'none' },
          queryStringsConfig: { queryStringBehavior: 'none' },
          // Packages and indexes are compressed already.
          enableAcceptEncodingGzip: compress,
          enableAcceptEncodingBrotli: compress,
        },
      },
    });
  }
}

function everyoneReads(storage: Storage, options: IndexerOptions): void {
  storage.newBucket?.addToResourcePolicy(
    new PolicyStatement({
      sid: 'EveryoneReads',
      principals: [new AnyPrincipal()],
      actions: ['s3:GetObject'],
      resources: servedArns(storage, options),
    }),
  );
}

/** A template can replace the policy of an existing bucket, but not add to it: `deploy` adds the statement in this output. */
function cloudFrontReads(
  scope: Construct,
  storage: Storage,
  options: IndexerOptions,
  distribution: CfnDistribution,
): void {
  const statement = new PolicyStatement({
    ...allowDistribution('CloudFrontReads', options, distribution),
    actions: ['s3:GetObject'],
    resources: servedArns(storage, options),
  });
  if (storage.newBucket !== undefined) {
    storage.newBucket.addToResourcePolicy(statement);
    return;
  }
  const value = Stack.of(scope).toJsonString(statement.toStatementJson());
  new CfnOutput(scope, 'Statement', { value }).overrideLogicalId('BucketPolicyStatement');
}

/** A template cannot change a key's policy: the owner adds the statement in this output. */
function cloudFrontDecrypts(scope: Construct, options: IndexerOptions, distribution: CfnDistribution): void {
  const statement = new PolicyStatement({
    ...allowDistribution('CloudFrontDecrypts', options, distribution),
    actions: ['kms:Decrypt'],
    resources: ['*'],
  });
  const value = Stack.of(scope).toJsonString(statement.toStatementJson());
  new CfnOutput(scope, 'KeyStatement', { value }).overrideLogicalId('KeyPolicyStatement');
}

function allowDistribution(name: string, { stack }: IndexerOptions, { attrId }: CfnDistribution) {
  return {
    sid: `${name}${stack.replaceAll('-', '')}`,
    principals: [new ServicePrincipal('cloudfront.amazonaws.com')],
    conditions: {
      StringEquals: {
        'aws:SourceArn': `arn:${Aws.PARTITION}:cloudfront::${Aws.ACCOUNT_ID}:distribution/${attrId}`,
      },
    },
  };
}

function servedArns({ bucketArn }: Storage, { prefixes }: IndexerOptions): string[] {
  return prefixes.length === 0 ? [`${bucketArn}/*`] : prefixes.map((prefix) => `${bucketArn}/${prefix}/*`);
}

/** The certificate *.s3.REGION.amazonaws.com does not cover the host name of a bucket with a dot in its name. */
function bucketUrl({ bucketName }: Storage, { bucket }: IndexerOptions): string {
  const host = `s3.${Aws.REGION}.${Aws.URL_SUFFIX}`;
  const isDotted = bucket.name?.includes('.') ?? false;
  return isDotted ? `https://${host}/${bucketName}` : `https://${bucketName}.${host}`;
}

function acknowledge(distribution: CfnDistribution): void {
  const reasons = {
    'AwsSolutions-CFR1': 'Package repositories are for every country; owners add their own restrictions.',
    'AwsSolutions-CFR2': 'Static files for GET and HEAD: no request needs a firewall.',
    'AwsSolutions-CFR3':
      'Access logs are the choice of the owner: they cost storage for every download, and need a bucket of their own.',
    'AwsSolutions-CFR4': "With CloudFront's own certificate and host name, no minimum TLS version can be set.",
  };
  Validations.of(distribution).acknowledge(...Object.entries(reasons).map(([id, reason]) => ({ id, reason })));
}
