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

test('the index is asked of S3 again at every request, and a package after a minute', () => {
  const behaviours = distribution.CacheBehaviors as Properties[];
  assert.deepEqual(
    behaviours.map(({ CachePolicyId }) => CachePolicyId),
    ['ServingIndexes'],
  );
  assert.equal((distribution.DefaultCacheBehavior as Properties).CachePolicyId, 'ServingPackages');
  const { MinTTL, DefaultTTL, MaxTTL } = cachePolicy('ServingIndexes');
  assert.deepEqual({ MinTTL, DefaultTTL, MaxTTL }, { MinTTL: 0, DefaultTTL: 0, MaxTTL: 1 });
  assert.equal(cachePolicy('ServingPackages').MinTTL, 0);
  assert.equal(cachePolicy('ServingPackages').DefaultTTL, 60);
});

test('the pattern of the index takes every index, in any repository, and no package', () => {
  const [{ PathPattern } = {}] = distribution.CacheBehaviors as Properties[];
  for (const suffix of ['gz', 'zst', 'bz2', 'xz']) {
    assert.ok(matches(String(PathPattern), `/pkg_summary.${suffix}`));
    assert.ok(matches(String(PathPattern), `/packages/NetBSD/All/pkg_summary.${suffix}`));
  }
  for (const path of ['/All/pkg_summary-1.0.tgz', '/pkg_summary/x-1.0.tgz', '/All/gtk2+-2.24.tgz']) {
    assert.ok(!matches(String(PathPattern), path), path);
  }
});

test('every request is GET or HEAD, over TLS, with + made plain, and answered with a length', () => {
  const behaviours = [distribution.DefaultCacheBehavior, ...(distribution.CacheBehaviors as Json[])] as Properties[];
  for (const behaviour of behaviours) {
    const { AllowedMethods, ViewerProtocolPolicy, FunctionAssociations, Compress } = behaviour;
    assert.deepEqual(
      { AllowedMethods, ViewerProtocolPolicy, FunctionAssociations, Compress },
      {
        AllowedMethods: ['GET', 'HEAD'],
        ViewerProtocolPolicy: 'redirect-to-https',
        FunctionAssociations: [{ EventType: 'viewer-request', FunctionARN: 'ServingEncodePlus.FunctionARN' }],
        Compress: false,
      },
    );
  }
  const { FunctionCode, FunctionConfig } = resource(
    template,
    'AWS::CloudFront::Function',
    'ServingEncodePlus',
  ).Properties;
  assert.equal(FunctionCode, readFileSync(new URL('../../infra/encode-plus.js', import.meta.url), 'utf8'));
  assert.equal((FunctionConfig as Properties).Runtime, 'cloudfront-js-2.0');
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
