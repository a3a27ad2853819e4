/** How clients read the repository: through CloudFront, or from the bucket itself. */

import { readFileSync } from 'node:fs';
import { Aws, CfnOutput, Stack, Validations } from 'aws-cdk-lib';
import { CfnCachePolicy, CfnDistribution, CfnFunction, CfnOriginAccessControl } from 'aws-cdk-lib/aws-cloudfront';
import { AnyPrincipal, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { deploymentLimits } from './limits.ts';
import type { IndexerOptions } from './options.ts';
import type { Storage } from './storage.ts';

/** Matches the root's index too, which has no slash before it; that it matches `x-pkg_summary.y` as well does no harm. */
const indexPattern = '*pkg_summary.*';

/** Directories, by the path that was asked for, and what they are served as. */
const pagePatterns = ['*/', '*index.html'];

export class Serving extends Construct {
  /** Where a repository's path goes on: `https://host` or `https://host/bucket`, without a trailing `/`. */
  readonly url: string;

  constructor(scope: Construct, id: string, storage: Storage, options: IndexerOptions) {
    super(scope, id);
    if (options.publicBucket) everyoneReads(storage, options);
    this.url = options.cdn ? this.throughCloudFront(storage, options) : bucketUrl(storage, options);
    new CfnOutput(this, 'Url', { value: this.url }).overrideLogicalId('RepositoryUrl');
  }

  private throughCloudFront(storage: Storage, options: IndexerOptions): string {
    // These names are the account's, in all regions at once.
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
      functionConfig: { comment: 'Lets S3 see a + as a +, and a directory as its page', runtime: 'cloudfront-js-2.0' },
    });
    const behaviour = (cachePolicy: CfnCachePolicy, { compress } = { compress: false }) => ({
      targetOriginId: 'bucket',
      viewerProtocolPolicy: 'redirect-to-https',
      allowedMethods: ['GET', 'HEAD'],
      cachePolicyId: cachePolicy.ref,
      // CloudFront sends what it compresses itself without Content-Length: pkgin cannot take that, and browsers can.
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
      },
    });
    acknowledge(distribution);
    cloudFrontReads(this, storage, options, distribution);
    return `https://${distribution.attrDomainName}`;
  }

  /**
   * The uploader's own Cache-Control counts up to `maxTtl`; without one, `defaultTtl`. With 0 an edge keeps the bytes, but asks
   * S3 at every request whether they are still the ones (CloudFront guide, "Manage how long content stays in the cache").
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

/**
 * An existing bucket's policy is not ours to replace, and a template cannot add to it: the statement goes out as an output, for
 * the deploying script (or the owner) to add.
 */
function cloudFrontReads(
  scope: Construct,
  storage: Storage,
  options: IndexerOptions,
  distribution: CfnDistribution,
): void {
  const statement = new PolicyStatement({
    sid: `CloudFrontReads${options.stack.replaceAll('-', '')}`,
    principals: [new ServicePrincipal('cloudfront.amazonaws.com')],
    actions: ['s3:GetObject'],
    resources: servedArns(storage, options),
    conditions: {
      StringEquals: {
        'aws:SourceArn': `arn:${Aws.PARTITION}:cloudfront::${Aws.ACCOUNT_ID}:distribution/${distribution.attrId}`,
      },
    },
  });
  if (storage.newBucket !== undefined) {
    storage.newBucket.addToResourcePolicy(statement);
    return;
  }
  const value = Stack.of(scope).toJsonString(statement.toStatementJson());
  new CfnOutput(scope, 'Statement', { value }).overrideLogicalId('BucketPolicyStatement');
}

function servedArns({ bucketArn }: Storage, { prefixes }: IndexerOptions): string[] {
  return prefixes.length === 0 ? [`${bucketArn}/*`] : prefixes.map((prefix) => `${bucketArn}/${prefix}/*`);
}

/** A dot in a bucket's name makes a host name that the certificate *.s3.REGION.amazonaws.com does not cover. */
function bucketUrl({ bucketName }: Storage, { bucket }: IndexerOptions): string {
  const host = `s3.${Aws.REGION}.${Aws.URL_SUFFIX}`;
  const isDotted = bucket.name?.includes('.') ?? false;
  return isDotted ? `https://${host}/${bucketName}` : `https://${bucketName}.${host}`;
}

function acknowledge(distribution: CfnDistribution): void {
  const reasons = {
    'AwsSolutions-CFR1': 'Package repositories are for every country; whoever must restrict theirs knows which.',
    'AwsSolutions-CFR2': 'Static files behind GET and HEAD: there is no request that a firewall could save them from.',
    'AwsSolutions-CFR3':
      'Access logs cost storage for every download and need a bucket of their own: for the owner to want.',
    'AwsSolutions-CFR4':
      "The certificate is CloudFront's own, for its own host name; with that it takes no minimum TLS version.",
  };
  Validations.of(distribution).acknowledge(...Object.entries(reasons).map(([id, reason]) => ({ id, reason })));
}
