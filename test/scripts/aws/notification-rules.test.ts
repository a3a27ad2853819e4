import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Event, NotificationConfiguration, QueueConfiguration } from '@aws-sdk/client-s3';
import fc from 'fast-check';
import { deploymentLimits } from '../../../infra/limits.ts';
import {
  type AnyRule,
  countOurs,
  findOverlaps,
  mergeRules,
  ourRules,
  type RuleOwner,
  rulesOf,
  withoutOurs,
} from '../../../scripts/aws/notification-rules.ts';

const owner: RuleOwner = { stack: 'pkgsrc-indexer', queueArn: 'arn:aws:sqs:eu-central-1:123456789012:hints' };

function rule(prefix: string, suffix: string, ...events: readonly string[]): AnyRule {
  return { id: 'r', destination: 'd', events: events.length === 0 ? ['s3:ObjectCreated:*'] : events, prefix, suffix };
}

describe('what S3 takes for an overlap', () => {
  const overlapping: readonly (readonly [AnyRule, AnyRule])[] = [
    [rule('', ''), rule('', '')],
    [rule('', '.tgz'), rule('', '.tgz')],
    [rule('packages/', '.tgz'), rule('', '.tgz')],
    [rule('packages/', '.tgz'), rule('packages/All/', '.tgz')],
    [rule('', '.tgz'), rule('', 'tgz')],
    [rule('', '.tgz'), rule('images/', '')],
    [rule('packages/', '.tgz'), rule('packages', '')],
    [rule('a b/', '.tgz'), rule('a%20b/', '.tgz')],
    [rule('', ''), rule('', '', 's3:ObjectCreated:Put')],
    [rule('', '', 's3:ObjectRemoved:Delete'), rule('', '', 's3:ObjectRemoved:*')],
    [rule('', '', 's3:ObjectRemoved:*', 's3:ObjectCreated:Put'), rule('', '', 's3:ObjectCreated:Put')],
  ];
  const apart: readonly (readonly [AnyRule, AnyRule])[] = [
    [rule('', '.tgz'), rule('', '.tbz')],
    [rule('', '.tgz'), rule('', '.xtgz')],
    [rule('packages/', '.tgz'), rule('images/', '.tgz')],
    [rule('packages/', '.tgz'), rule('packages/', '.jpg')],
    [rule('', ''), rule('', '', 's3:ObjectRemoved:*')],
    [rule('', '', 's3:ObjectCreated:Post'), rule('', '', 's3:ObjectCreated:Put')],
    [rule('', '', 's3:ObjectRemoved:*'), rule('', '', 's3:ObjectRestore:*')],
    [rule('', '', 's3:LifecycleExpiration:*'), rule('', '', 's3:LifecycleTransition')],
  ];
  const written = ({ prefix, suffix, events }: AnyRule) => `${prefix}*${suffix} ${events.join()}`;
  for (const [expected, cases] of [
    [1, overlapping],
    [0, apart],
  ] as const) {
    for (const [one, other] of cases) {
      test(`${written(one)} and ${written(other)}: ${expected === 1 ? 'they overlap' : 'apart'}`, () => {
        assert.equal(findOverlaps([one], [other]).length, expected);
        assert.equal(findOverlaps([other], [one]).length, expected);
      });
    }
  }

  test('two rules that overlap both match some key, unless one filter is not plain', () => {
    const part = fc.constantFrom('', 'a', 'ab', 'a/', 'b');
    fc.assert(
      fc.property(part, part, part, part, (prefix, suffix, otherPrefix, otherSuffix) => {
        const longer = (a: string, b: string) => (a.length > b.length ? a : b);
        const key = `${longer(prefix, otherPrefix)}x${longer(suffix, otherSuffix)}`;
        const matches = (p: string, s: string) => key.startsWith(p) && key.endsWith(s);
        const both = matches(prefix, suffix) && matches(otherPrefix, otherSuffix);
        assert.equal(findOverlaps([rule(prefix, suffix)], [rule(otherPrefix, otherSuffix)]).length === 1, both);
      }),
    );
  });
});

describe('our rules', () => {
  test('one for each suffix and prefix, all events in it, numbered under the name of the stack', () => {
    const rules = ourRules(owner, ['packages/All', 'NetBSD']);
    assert.deepEqual(
      rules.map(({ Id: id }) => id),
      Array.from({ length: 10 }, (_, index) => `pkgsrc-indexer.${index + 1}`),
    );
    assert.deepEqual(rules[0], {
      Id: 'pkgsrc-indexer.1',
      QueueArn: owner.queueArn,
      Events: ['s3:ObjectCreated:*', 's3:ObjectRemoved:*', 's3:LifecycleExpiration:*'],
      Filter: {
        Key: {
          FilterRules: [
            { Name: 'prefix', Value: 'packages/All/' },
            { Name: 'suffix', Value: '.tgz' },
          ],
        },
      },
    });
    assert.equal(
      findOverlaps(
        rulesOf({ QueueConfigurations: rules }).slice(0, 1),
        rulesOf({ QueueConfigurations: rules.slice(1) }),
      ).length,
      0,
    );
  });

  test('a stack whose name begins with ours keeps its rules', () => {
    const theirs = ourRules({ stack: 'pkgsrc-indexer-2', queueArn: 'other' }, ['elsewhere']);
    const longer: QueueConfiguration = { Id: 'pkgsrc-indexer.1x', QueueArn: 'another', Events: ['s3:ObjectRestore:*'] };
    const configuration = { QueueConfigurations: [...theirs, longer] };
    assert.equal(countOurs(configuration, owner), 0);
    assert.deepEqual(withoutOurs(configuration, owner), configuration);
  });

  test('a rule to our queue is ours, whatever it is called', () => {
    const { queueArn = '' } = owner;
    const unnamed: QueueConfiguration = { Id: 'ZDk4', QueueArn: queueArn, Events: ['s3:ObjectCreated:*'] };
    assert.deepEqual(withoutOurs({ QueueConfigurations: [unnamed] }, owner), {});
    assert.deepEqual(withoutOurs({ QueueConfigurations: [unnamed] }, { ...owner, queueArn: undefined }), {
      QueueConfigurations: [unnamed],
    });
  });
});

describe('merging', () => {
  const wanted = ourRules(owner, []);

  test('into nothing gives ours', () => {
    const merge = mergeRules({}, owner, wanted);
    assert.deepEqual(merge, { outcome: 'merged', configuration: { QueueConfigurations: wanted } });
  });

  test('what S3 writes back is found to be the same: other order, other case', () => {
    const writtenBack = wanted.toReversed().map(({ Filter: filter, Events: events = [], ...rest }) => ({
      ...rest,
      Events: events.toReversed(),
      Filter: {
        Key: {
          FilterRules: filter?.Key?.FilterRules?.map(({ Name: name, Value: value = '' }) => ({
            Name: (name === 'suffix' ? 'Suffix' : 'Prefix') as 'suffix',
            Value: value,
          })),
        },
      },
    }));
    assert.deepEqual(mergeRules({ QueueConfigurations: writtenBack }, owner, wanted), { outcome: 'unchanged' });
  });

  test('other prefixes replace our old rules', () => {
    const before = { QueueConfigurations: ourRules(owner, ['a', 'b']), EventBridgeConfiguration: {} };
    const merge = mergeRules(before, owner, wanted);
    assert.deepEqual(merge, {
      outcome: 'merged',
      configuration: { EventBridgeConfiguration: {}, QueueConfigurations: wanted },
    });
  });

  test('a rule in the way is named together with ours, whatever its destination', () => {
    const current: NotificationConfiguration = {
      LambdaFunctionConfigurations: [
        { Id: 'thumbnails', LambdaFunctionArn: 'arn:thumbnails', Events: ['s3:ObjectCreated:Put'] },
      ],
    };
    const merge = mergeRules(current, owner, wanted);
    assert.equal(merge.outcome, 'overlap');
    assert.deepEqual(
      merge.overlaps.map(({ ours, theirs }) => [ours.id, theirs.id]),
      wanted.map(({ Id: id }) => [id, 'thumbnails']),
    );
  });

  test('up to as many rules as S3 takes, and not one more', () => {
    const others = (count: number): NotificationConfiguration => ({
      TopicConfigurations: Array.from({ length: count }, (_, index) => ({
        Id: `t${index}`,
        TopicArn: 'arn:topic',
        Events: ['s3:ObjectRestore:*' as Event],
        Filter: { Key: { FilterRules: [{ Name: 'prefix' as const, Value: `p${index}/` }] } },
      })),
    });
    const room = deploymentLimits.notificationRulesMax - wanted.length;
    assert.equal(mergeRules(others(room), owner, wanted).outcome, 'merged');
    assert.deepEqual(mergeRules(others(room + 1), owner, wanted), { outcome: 'too-many', rules: 101 });
  });
});

/** Any configuration that other people could have, in which nothing is ours. */
const filters = fc.record({
  prefix: fc.constantFrom(undefined, '', 'images/', 'packages/', 'logs/a'),
  suffix: fc.constantFrom(undefined, '.jpg', '.tgz', '.log'),
});
const anyRule = fc
  .record({
    id: fc.option(fc.string({ minLength: 1, maxLength: 12 }), { nil: undefined }),
    events: fc.uniqueArray(
      fc.constantFrom<Event>(
        's3:ObjectCreated:*',
        's3:ObjectCreated:Put',
        's3:ObjectRemoved:Delete',
        's3:ObjectRestore:*',
      ),
      { minLength: 1 },
    ),
    filter: filters,
  })
  .map(({ id, events, filter: { prefix, suffix } }) => ({
    ...(id === undefined ? {} : { Id: id }),
    Events: events,
    Filter: {
      Key: {
        FilterRules: [
          ...(prefix === undefined ? [] : [{ Name: 'prefix' as const, Value: prefix }]),
          ...(suffix === undefined ? [] : [{ Name: 'suffix' as const, Value: suffix }]),
        ],
      },
    },
  }));
const foreign: fc.Arbitrary<NotificationConfiguration> = fc.record(
  {
    QueueConfigurations: fc.array(
      anyRule.map((one) => ({ ...one, QueueArn: 'arn:queue' })),
      { minLength: 1, maxLength: 4 },
    ),
    TopicConfigurations: fc.array(
      anyRule.map((one) => ({ ...one, TopicArn: 'arn:topic' })),
      { maxLength: 4 },
    ),
    LambdaFunctionConfigurations: fc.array(
      anyRule.map((one) => ({ ...one, LambdaFunctionArn: 'arn:function' })),
      {
        maxLength: 4,
      },
    ),
    EventBridgeConfiguration: fc.constant({}),
  },
  { requiredKeys: [], noNullPrototype: true },
);
const prefixSets = fc.constantFrom<readonly string[]>([], ['packages'], ['packages', 'NetBSD'], ['images']);

describe('of any configuration of other people', () => {
  test('nothing is changed, added or lost by merging, merging again and leaving', () => {
    fc.assert(
      fc.property(foreign, prefixSets, prefixSets, (before, first, second) => {
        const original = structuredClone(before);
        let configuration = before;
        for (const prefixes of [first, second]) {
          const wanted = ourRules(owner, prefixes);
          const merge = mergeRules(configuration, owner, wanted);
          if (merge.outcome === 'overlap') {
            // Refused only for a rule of theirs that would be in the way.
            for (const { theirs } of merge.overlaps)
              assert.ok(rulesOf(original).some((one) => one.destination === theirs.destination));
            continue;
          }
          if (merge.outcome === 'merged') configuration = merge.configuration;
          assert.deepEqual(mergeRules(configuration, owner, wanted), { outcome: 'unchanged' });
          assert.equal(countOurs(configuration, owner), wanted.length);
          assert.deepEqual(withoutOurs(configuration, owner), original);
        }
        assert.deepEqual(withoutOurs(configuration, owner), original);
        assert.deepEqual(before, original);
      }),
    );
  });
});
