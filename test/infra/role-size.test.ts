import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BadOption } from '../../infra/bad-option.ts';
import { deploymentLimits } from '../../infra/limits.ts';
import { expectRolesFit } from '../../infra/role-size.ts';
import { templateFor } from './synthesized.ts';

const place = { stack: 'pkgsrc-indexer', region: 'eu-central-1' };
const max = deploymentLimits.rolePolicyCharactersMax;

/** A role with policies of so many characters, white space not counted. */
function roleOf(characters: number) {
  const empty = { Statement: [{ Resource: '' }], 'Not counted': '' };
  const length = JSON.stringify(empty).replaceAll(' ', '').length;
  const document = { ...empty, Statement: [{ Resource: 'x'.repeat(characters - length) }] };
  return { Resources: { Role: { Type: 'AWS::IAM::Role', Properties: { Policies: [{ PolicyDocument: document }] } } } };
}

test('a role may be as large as IAM allows', () => expectRolesFit(roleOf(max), place));

test('a larger one is refused, by its name and with a remedy', () => {
  assert.throws(
    () => expectRolesFit(roleOf(max + 1), place),
    (error) =>
      error instanceof BadOption && /role Role would have 10241 .* allows 10240\. .*--prefix/.test(error.message),
  );
});

test('references count as what they become', () => {
  const written = { 'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, ':', { Ref: 'AWS::URLSuffix' }]] };
  const sizes = ['eu-central-1', 'cn-north-1', undefined].map((region) => {
    const { Resources: resources } = roleOf(max - 'arn:aws:amazonaws.com'.length);
    const [{ PolicyDocument: document } = assert.fail()] = resources.Role.Properties.Policies;
    // In the place of the empty text.
    const template = {
      Resources: {
        Role: {
          Type: 'AWS::IAM::Role',
          Properties: { Policies: [{ PolicyDocument: { ...document, 'Not counted': written } }] },
        },
      },
    };
    try {
      expectRolesFit(template, { ...place, region });
      return 'fits';
    } catch {
      return 'too large';
    }
  });
  assert.deepEqual(sizes, ['fits', 'too large', 'fits']);
});

test('all roles fit with as many prefixes as a new bucket can have rules for', () => {
  const prefix = Array.from({ length: 6 }, (_, index) => `packages/SmartOS/2018Q${index}/x86_64/All`);
  for (const cdn of [true, false]) {
    const template = templateFor({ bucket: 'b'.repeat(63), prefix, cdn, stack: 's'.repeat(32) });
    expectRolesFit(template, { stack: 's'.repeat(32), region: undefined });
  }
});

test('with as many as an existing bucket can have rules for, they may not', () => {
  const prefix = Array.from({ length: 20 }, (_, index) => `packages/SmartOS/20${index}Q1/x86_64/All`);
  const template = templateFor({ bucket: 'b'.repeat(63), existing: true, prefix, cdn: false });
  assert.throws(() => expectRolesFit(template, place), /PipelineExtractRole/);
});
