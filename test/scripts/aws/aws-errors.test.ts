import assert from 'node:assert/strict';
import { test } from 'node:test';
import { awsErrorSentence } from '../../../scripts/aws/aws-errors.ts';

function error(name: string, message: string, more: object = { $fault: 'client' }): Error {
  return Object.assign(new Error(message), { name }, more);
}

const cases: readonly (readonly [Error, RegExp])[] = [
  [
    error('CredentialsProviderError', 'Could not load credentials from any providers', {}),
    /^no AWS credentials: Could not load credentials from any providers\. Use --profile/,
  ],
  [error('TokenProviderError', 'Token is expired.', {}), /^no AWS credentials: Token is expired\. Use/],
  [error('ExpiredToken', 'The security token included in the request is expired'), /refused these credentials/],
  [
    error('AccessDenied', 'User x is not authorized to perform: s3:PutBucketPolicy'),
    /denied access: .*s3:PutBucketPolicy\. docs\/deploying\.md/,
  ],
  [
    error('Error', 'getaddrinfo ENOTFOUND sts.nowhere.amazonaws.com', { code: 'ENOTFOUND' }),
    /cannot reach AWS: .*--region/,
  ],
  [error('AggregateError', '', { code: 'ECONNREFUSED' }), /cannot reach AWS: ECONNREFUSED\./],
  [error('TimeoutError', 'socket timed out', {}), /cannot reach AWS/],
  [error('LimitExceededException', 'too many stacks'), /^LimitExceededException: too many stacks\.$/],
];
for (const [thrown, expected] of cases) {
  test(`${thrown.name} ${thrown.message}`, () => assert.match(awsErrorSentence(thrown) ?? '', expected));
}

test("a mistake in this program is none of AWS's", () => {
  assert.equal(awsErrorSentence(new TypeError('undefined is not a function')), undefined);
  assert.equal(awsErrorSentence('text'), undefined);
});
