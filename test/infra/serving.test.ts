import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { IndexerFlags } from '../../infra/options.ts';
import { type Json, resolve, resource, resourcesOf, templateFor } from './synthesized.ts';

type Properties = { readonly [name: string]: Json };

const template = templateFor({ bucket: 'packages' });
const distribution = resource(template, 'AWS::CloudFront::Distribution', 'ServingDistribution').Properties
  .DistributionConfig as Properties;

const cachePolicy = (name: string) =>
  resource(template, 'AWS::CloudFront::CachePolicy', name).Properties.CachePolicyConfig as Properties;

/** CloudFront's path patterns: `*` for any characters, `?` for one; a leading `/` may be left out. */
function matches(pattern: string, path: string): boolean {
  const expression = pattern.replaceAll('.', '\\.').replaceAll('*', '.*');
  return new RegExp(`^/?${expression}$`).test(path);
}

/** Where a request goes: the first pattern that matches its path, as the client sent it. */
function behaviourOf(path: string): Properties {
  const behaviours = distribution.CacheBehaviors as Properties[];
  const special = behaviours.find(({ PathPattern }) => matches(String(PathPattern), path));
  return special ?? (distribution.DefaultCacheBehavior as Properties);
}

test('the index and its page are asked of S3 again at every request, and a package after a minute', () => {
  for (const name of ['ServingIndexes', 'ServingPages']) {
    const { MinTTL, DefaultTTL, MaxTTL } = cachePolicy(name);
    assert.deepEqual({ MinTTL, DefaultTTL, MaxTTL }, { MinTTL: 0, DefaultTTL: 0, MaxTTL: 1 });
  }
  assert.equal((distribution.DefaultCacheBehavior as Properties).CachePolicyId, 'ServingPackages');
  assert.equal(cachePolicy('ServingPackages').MinTTL, 0);
  assert.equal(cachePolicy('ServingPackages').DefaultTTL, 60);
});

const indexes = ['gz', 'zst', 'bz2', 'xz'].map((suffix) => `pkg_summary.${suffix}`);
for (const [policy, paths] of Object.entries({
  ServingIndexes: indexes.flatMap((file) => [`/${file}`, `/packages/NetBSD/All/${file}`]),
  ServingPages: ['/', '/All/', '/packages/NetBSD/10.0/All/', '/index.html', '/All/index.html'],
  ServingPackages: ['/All/pkg_summary-1.0.tgz', '/pkg_summary/x-1.0.tgz', '/All/gtk2+-2.24.tgz', '/All', '/All/x.html'],
})) {
  test(`${policy} is for ${paths.join(', ')}`, () => {
    for (const path of paths) {
      const { CachePolicyId, Compress } = behaviourOf(path);
      // A page is compressed on its way; pkgin, which needs a length, asks for none.
      assert.deepEqual([path, CachePolicyId, Compress], [path, policy, policy === 'ServingPages']);
    }
  });
}

test('every request is GET or HEAD, over TLS, with its path made plain to S3', () => {
  const behaviours = [distribution.DefaultCacheBehavior, ...(distribution.CacheBehaviors as Json[])] as Properties[];
  for (const behaviour of behaviours) {
    const { AllowedMethods, ViewerProtocolPolicy, FunctionAssociations } = behaviour;
    assert.deepEqual(
      { AllowedMethods, ViewerProtocolPolicy, FunctionAssociations },
      {
        AllowedMethods: ['GET', 'HEAD'],
        ViewerProtocolPolicy: 'redirect-to-https',
        FunctionAssociations: [{ EventType: 'viewer-request', FunctionARN: 'ServingViewerRequest.FunctionARN' }],
      },
    );
  }
  const { FunctionCode, FunctionConfig } = resource(
    template,
    'AWS::CloudFront::Function',
    'ServingViewerRequest',
  ).Properties;
  assert.equal(FunctionCode, readFileSync(new URL('../../infra/viewer-request.js', import.meta.url), 'utf8'));
  assert.equal((FunctionConfig as Properties).Runtime, 'cloudfront-js-2.0');
});

test('a missing key is answered by 404 and a short text, which no edge keeps', () => {
  const expected = (path: string) =>
    [403, 404].map((ErrorCode) => ({
      ErrorCode,
      ResponseCode: 404,
      ResponsePagePath: path,
      ErrorCachingMinTTL: 0,
    }));
  assert.deepEqual(distribution.CustomErrorResponses, expected('/pkgsrc-indexer-404.txt'));
  assert.equal(template.Outputs.NotFoundKey?.Value, 'pkgsrc-indexer-404.txt');
  // CloudFront may read under the prefixes only.
  const prefixed = templateFor({ bucket: 'packages', prefix: ['SmartOS/All', 'NetBSD'] });
  const { DistributionConfig } = resource(prefixed, 'AWS::CloudFront::Distribution', 'ServingDistribution').Properties;
  assert.deepEqual((DistributionConfig as Properties).CustomErrorResponses, expected('/NetBSD/pkgsrc-indexer-404.txt'));
});

test('the policy of a KMS key gets a statement for this distribution, from its owner', () => {
  const kmsKey = 'arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab';
  const { Outputs: outputs } = templateFor({ bucket: 'packages', existing: true, kmsKey });
  assert.deepEqual(JSON.parse(String(resolve(outputs.KeyPolicyStatement?.Value ?? ''))), {
    Sid: 'CloudFrontDecryptspkgsrcindexer',
    Effect: 'Allow',
    Principal: { Service: 'cloudfront.amazonaws.com' },
    Action: 'kms:Decrypt',
    Resource: '*',
    Condition: {
      StringEquals: { 'aws:SourceArn': 'arn:aws:cloudfront::123456789012:distribution/ServingDistribution.Id' },
    },
  });
  assert.equal(templateFor({ bucket: 'packages', kmsKey, cdn: false }).Outputs.KeyPolicyStatement, undefined);
});

test('CloudFront signs what it asks of the bucket, and only this distribution is let in', () => {
  const access = resource(template, 'AWS::CloudFront::OriginAccessControl', 'ServingAccessControl').Properties;
  assert.deepEqual(access.OriginAccessControlConfig, {
    Name: 'pkgsrc-indexer-eu-central-1-bucket',
    OriginAccessControlOriginType: 's3',
    SigningBehavior: 'always',
    SigningProtocol: 'sigv4',
  });
  assert.deepEqual(distribution.Origins, [
    {
      Id: 'bucket',
      DomainName: 'packages.s3.eu-central-1.amazonaws.com',
      OriginAccessControlId: 'ServingAccessControl.Id',
      S3OriginConfig: { OriginAccessIdentity: '' },
    },
  ]);
  const { PolicyDocument } = resource(template, 'AWS::S3::BucketPolicy', 'StorageBucketPolicy').Properties;
  assert.deepEqual((PolicyDocument as { Statement: Json[] }).Statement.slice(1), [cloudFrontReads('packages')]);
});

function cloudFrontReads(bucket: string): Json {
  return {
    Sid: 'CloudFrontReadspkgsrcindexer',
    Effect: 'Allow',
    Principal: { Service: 'cloudfront.amazonaws.com' },
    Action: 's3:GetObject',
    Resource: `arn:aws:s3:::${bucket}/*`,
    Condition: {
      StringEquals: { 'aws:SourceArn': 'arn:aws:cloudfront::123456789012:distribution/ServingDistribution.Id' },
    },
  };
}

test('for an existing bucket that statement goes out as an output, whole', () => {
  const { BucketPolicyStatement } = templateFor({ bucket: 'mine', existing: true }).Outputs;
  assert.deepEqual(JSON.parse(String(resolve(BucketPolicyStatement?.Value ?? null))), cloudFrontReads('mine'));
});

const urls: readonly (readonly [IndexerFlags, string])[] = [
  [{}, 'https://ServingDistribution.DomainName'],
  [{ bucket: 'packages', existing: true }, 'https://ServingDistribution.DomainName'],
  [{ bucket: 'packages', cdn: false }, 'https://packages.s3.eu-central-1.amazonaws.com'],
  [{ bucket: 'pkg.example.org', cdn: false }, 'https://s3.eu-central-1.amazonaws.com/pkg.example.org'],
  [{ cdn: false }, 'https://pkgsrc-indexer-123456789012-eu-central-1.s3.eu-central-1.amazonaws.com'],
];
for (const [flags, url] of urls) {
  test(`the repository's URL with ${JSON.stringify(flags)} is ${url}`, () => {
    assert.equal(resolve(templateFor(flags).Outputs.RepositoryUrl?.Value ?? null), url);
  });
}

test('without a CDN there is none', () => {
  for (const { Type } of Object.values(templateFor({ cdn: false }).Resources)) assert.doesNotMatch(Type, /CloudFront/);
  assert.equal(resourcesOf(template, 'AWS::CloudFront::Distribution').size, 1);
});
