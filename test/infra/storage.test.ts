import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resource, resourcesOf, templateFor } from './synthesized.ts';

test('a new bucket forgets uploads that were never completed, and old versions if its owner keeps any', () => {
  const { LifecycleConfiguration, VersioningConfiguration } = resource(
    templateFor({}),
    'AWS::S3::Bucket',
    'StorageBucket',
  ).Properties;
  assert.deepEqual(LifecycleConfiguration, {
    Rules: [
      {
        AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 },
        NoncurrentVersionExpiration: { NoncurrentDays: 30 },
        Status: 'Enabled',
      },
    ],
  });
  assert.equal(VersioningConfiguration, undefined);
});

test('a new bucket is encrypted with the key that was given, and asks for it seldom', () => {
  const kmsKey = 'arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab';
  const template = templateFor({ bucket: 'packages', kmsKey });
  assert.deepEqual(resource(template, 'AWS::S3::Bucket', 'StorageBucket').Properties.BucketEncryption, {
    ServerSideEncryptionConfiguration: [
      {
        BucketKeyEnabled: true,
        ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: kmsKey },
      },
    ],
  });
  assert.equal(resourcesOf(template, 'AWS::KMS::Key').size, 0);
});
