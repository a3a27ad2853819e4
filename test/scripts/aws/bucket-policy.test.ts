import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseStatement, withoutStatement, withStatement } from '../../../scripts/aws/bucket-policy.ts';

const ours = { Sid: 'CloudFrontReadsx', Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::packages/*' };
const theirs = { Sid: 'TheirOwn', Effect: 'Deny', Principal: '*', Action: 's3:*' };

test('a bucket without a policy gets one with our statement, and loses it again', () => {
  const policy = withStatement(undefined, ours);
  assert.deepEqual(JSON.parse(policy ?? ''), { Version: '2012-10-17', Statement: [ours] });
  assert.equal(withoutStatement(policy, ours.Sid), 'empty');
});

test('a statement that is there already is not written again, whatever the order of its parts', () => {
  const reversed = Object.fromEntries(Object.entries(ours).toReversed());
  assert.equal(withStatement(JSON.stringify({ Statement: [theirs, reversed] }), ours), undefined);
});

test('our old statement is replaced', () => {
  const old = { ...ours, Resource: 'arn:aws:s3:::packages/old/*' };
  const policy = withStatement(JSON.stringify({ Version: '2008-10-17', Statement: [old, theirs] }), ours);
  assert.deepEqual(JSON.parse(policy ?? ''), { Version: '2008-10-17', Statement: [theirs, ours] });
});

test('a single statement without brackets is one too', () => {
  const policy = withStatement(JSON.stringify({ Version: '2012-10-17', Statement: theirs }), ours);
  assert.deepEqual(JSON.parse(policy ?? '').Statement, [theirs, ours]);
});

test('without our statement a policy is not touched', () => {
  assert.equal(withoutStatement(undefined, ours.Sid), 'unchanged');
  assert.equal(withoutStatement(JSON.stringify({ Statement: [theirs] }), ours.Sid), 'unchanged');
});

test('a statement without a Sid could not be found again: it is refused', () => {
  assert.deepEqual(parseStatement(JSON.stringify(ours)), ours);
  assert.throws(() => parseStatement('{"Effect":"Allow"}'), /expected a statement with a Sid/);
});

test('of any policy, all that is not ours stays as it was, through adding and removing', () => {
  const statement = fc.record(
    { Sid: fc.constantFrom('A', 'B'), Effect: fc.constantFrom('Allow', 'Deny'), Condition: fc.jsonValue() },
    { requiredKeys: ['Effect'] },
  );
  const policies = fc.record(
    {
      Version: fc.constant('2012-10-17'),
      Id: fc.string(),
      Statement: fc.array(statement, { minLength: 1, maxLength: 4 }),
    },
    { requiredKeys: ['Statement'] },
  );
  fc.assert(
    fc.property(policies, (policy) => {
      const text = JSON.stringify(policy);
      const added = withStatement(text, ours);
      assert.deepEqual(JSON.parse(added ?? ''), {
        ...JSON.parse(text),
        Statement: [...JSON.parse(text).Statement, ours],
      });
      const removed = withoutStatement(added, ours.Sid);
      assert.ok(typeof removed === 'object');
      assert.deepEqual(JSON.parse(removed.policy), JSON.parse(text));
    }),
  );
});
