import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { encodeHint, eventLimits, hintsFrom } from '../functions/events.ts';
import { isPackageKey } from '../functions/keys.ts';
import { anyText } from './any-text.ts';
import { runs } from './thoroughness.ts';

const fixturesDirectory = new URL('fixtures/events/', import.meta.url);

/** Beside the repository, which not everybody has. */
const syncedEvent = new URL('../../shared/cases/ceph-synced/event.json', import.meta.url);

function fixture(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`${name}.json`, fixturesDirectory), 'utf8'));
}

/** Every fixture of a source is about these, in this order: each has a character that some encoding treats specially. */
const keys = [
  'packages/All/gtk2+-2.24.32nb5.tgz',
  'packages/All/escaped%2Bplus-1.0.tgz',
  'packages/All/space pkg-1.0.tgz',
  'packages/All/tilde~pkg-1.0~rc1.tgz',
  'packages/All/100%-1.0.tgz',
  'packages/All/ümläut-1.0.tgz',
];

const messageIds = keys.map((_, index) => `0000000${index}-1111-4222-8333-444444444444`);

function sqs(body: unknown, messageId = 'm-1'): object {
  return {
    Records: [{ eventSource: 'aws:sqs', messageId, body: typeof body === 'string' ? body : JSON.stringify(body) }],
  };
}

function notification(changes: { name?: unknown; version?: unknown; key?: unknown; source?: string }): object {
  const { name = 'ObjectCreated:Put', version = '2.1', key = 'All/x-1.0.tgz', source = 'aws:s3' } = changes;
  return {
    Records: [{ eventVersion: version, eventSource: source, eventName: name, s3: { object: { key } } }],
  };
}

describe('events become hints', () => {
  const unqueued = ['s3', 's3-in-sns', 'eventbridge', 'ceph', 'minio', 'b2', 'r2'];
  for (const name of unqueued) {
    it(`reads every key of ${name}.json as its source encodes it`, () => {
      assert.deepEqual(hintsFrom(fixture(name)), { hints: keys.map((key) => ({ key })), ignoredCount: 0, unknown: [] });
    });
  }

  const queued = ['s3-in-sqs', 's3-in-sns-in-sqs', 'eventbridge-in-sqs'];
  for (const name of queued) {
    it(`reads every key of ${name}.json, and which message brought it`, () => {
      const hints = keys.map((key, index) => ({ key, messageId: messageIds[index] }));
      assert.deepEqual(hintsFrom(fixture(name)), { hints, ignoredCount: 0, unknown: [] });
    });
  }

  it('reads the hints that reindex sends, forced or not', () => {
    const hints = keys.map((key, index) => ({
      key,
      ...(index % 2 === 1 && { force: true }),
      messageId: messageIds[index],
    }));
    assert.deepEqual(hintsFrom(fixture('hints-in-sqs')), { hints, ignoredCount: 0, unknown: [] });
  });

  for (const name of ['s3-test-event', 's3-test-event-in-sqs']) {
    it(`ignores ${name}.json without a word`, () => {
      assert.deepEqual(hintsFrom(fixture(name)), { hints: [], ignoredCount: 1, unknown: [] });
    });
  }

  it('has a test for every fixture', () => {
    const others = ['hints-in-sqs', 's3-test-event', 's3-test-event-in-sqs', 'dynamodb-stream'];
    const names = readdirSync(fixturesDirectory).map((file) => file.replace('.json', ''));
    assert.deepEqual(names.toSorted(), [...unqueued, ...queued, ...others].toSorted());
  });

  it('reads the event of a Ceph zone for what another zone replicated', { skip: !existsSync(syncedEvent) }, () => {
    const event: unknown = JSON.parse(readFileSync(syncedEvent, 'utf8'));
    assert.deepEqual(hintsFrom(event), { hints: [{ key: 'All/x-1.0.tgz' }], ignoredCount: 0, unknown: [] });
  });

  it('keeps the outermost message where one queue fed another', () => {
    const event = sqs(sqs(notification({}), 'inner'), 'outer');
    assert.deepEqual(hintsFrom(event).hints, [{ key: 'All/x-1.0.tgz', messageId: 'outer' }]);
  });

  it('reads a hint of ours with the key of an index, and ignores what the bucket tells of an index', () => {
    const key = 'All/pkg_summary.gz';
    assert.deepEqual(hintsFrom(JSON.parse(encodeHint({ key }))).hints, [{ key }]);
    assert.deepEqual(hintsFrom(notification({ key })), { hints: [], ignoredCount: 1, unknown: [] });
  });

  it('keeps the good hints of a message that also holds something unknown', () => {
    const event = {
      Records: [{ eventSource: 'aws:dynamodb' }, ...(notification({}) as { Records: object[] }).Records],
    };
    const { hints, unknown } = hintsFrom(sqs(event));
    assert.deepEqual(hints, [{ key: 'All/x-1.0.tgz', messageId: 'm-1' }]);
    assert.equal(unknown.length, 1);
  });
});

describe('kinds of events', () => {
  const kinds: readonly [name: string, hints: number][] = [
    ['ObjectCreated:Put', 1],
    ['ObjectCreated:AnythingNew', 1],
    ['s3:ObjectCreated:Post', 1],
    ['ObjectRemoved:Delete', 1],
    ['s3:LifecycleExpiration:DeleteMarkerCreated', 1],
    ['s3:ObjectSynced:Create', 1],
    ['s3:ObjectSynced:Delete', 1],
    ['s3:ObjectSynced:DeletionMarkerCreated', 1],
    ['ObjectRestore:Delete', 0],
    ['ObjectRestore:Completed', 0],
    ['LifecycleTransition', 0],
    ['ObjectTagging:Put', 0],
    ['ObjectAcl:Put', 0],
    ['s3:ObjectAccessed:Get', 0],
    ['Replication:OperationFailedReplication', 0],
    ['NotObjectCreated:Put', 0],
  ];
  for (const [name, expected] of kinds) {
    it(`${name} is ${expected === 1 ? 'a hint' : 'ignored'}`, () => {
      const { hints, ignoredCount, unknown } = hintsFrom(notification({ name }));
      assert.deepEqual([hints.length, ignoredCount, unknown.length], [expected, 1 - expected, 0]);
    });
  }

  for (const detailType of ['Object Restore Completed', 'Object Tags Added', 'Object Storage Class Changed']) {
    it(`EventBridge's ${detailType} is ignored`, () => {
      const event = { source: 'aws.s3', 'detail-type': detailType, detail: { object: { key: 'All/x-1.0.tgz' } } };
      assert.deepEqual(hintsFrom(event), { hints: [], ignoredCount: 1, unknown: [] });
    });
  }

  for (const key of ['All/pkg_summary.gz', 'All/', 'README', '.trash/x-1.0.tgz', '.trash//x-1.0.tgz', 'a//b', '']) {
    it(`a change of ${JSON.stringify(key)} is ignored, since it names no package`, () => {
      assert.deepEqual(hintsFrom(notification({ key })), { hints: [], ignoredCount: 1, unknown: [] });
    });
  }

  for (const version of ['2', '2.0', '2.99']) {
    it(`takes eventVersion ${version}`, () => assert.equal(hintsFrom(notification({ version })).hints.length, 1));
  }
});

describe('unknown events', () => {
  const cases: readonly [what: string, event: unknown, description: RegExp][] = [
    ['another major version', notification({ version: '3.0' }), /eventVersion 2\.x, found the text "3\.0"/],
    ['version 20', notification({ version: '20.1' }), /eventVersion 2\.x, found the text "20\.1"/],
    ['no event name', notification({ name: null }), /an eventName, found null/],
    ['no key', notification({ key: 7 }), /an object key \(text\), found 7/],
    [
      'a key that is in no encoding',
      notification({ key: 'All/%ZZ.tgz' }),
      /form-encoded key, found the text "All\/%ZZ\.tgz"/,
    ],
    ['a key in Latin-1', notification({ key: 'All/%FC-1.tgz' }), /form-encoded key/],
    ['half a character', notification({ key: 'All/\ud800.tgz', source: 'ceph:s3' }), /an object key/],
    [
      'a package whose key has an empty part',
      notification({ key: 'packages//All/x-1.0.tgz' }),
      /^expected .* without an empty part \(\/\/\), found "packages\/\/All\/x-1\.0\.tgz"; copy the package/,
    ],
    ['a DynamoDB stream', fixture('dynamodb-stream'), /found an object with eventID, eventName, eventVersion/],
    ['a hint of a later version', { type: 'pkgsrc-indexer.hint', version: 2 }, /a hint of version 1, found 2/],
    [
      'a hint without a key',
      { type: 'pkgsrc-indexer.hint', version: 1, hint: {} },
      /an object key \(text\), found nothing/,
    ],
    ['an EventBridge event without a key', { source: 'aws.s3', 'detail-type': 'Object Created' }, /object key/],
    ['a body that is no JSON', sqs('All/x-1.0.tgz'), /JSON in the body of an SQS message, found the text "All/],
    ['a body that is no event', sqs('"hello"'), /an event \(a JSON object\), found the text "hello"/],
    ['no body', { Records: [{ eventSource: 'aws:sqs' }] }, /the body of an SQS message, found nothing/],
    [
      'an SNS record without a message',
      { Records: [{ EventSource: 'aws:sns', Sns: null }] },
      /an SNS record, found nothing/,
    ],
    ['an SNS confirmation', { Type: 'SubscriptionConfirmation', Token: 't' }, /an object with Type, Token/],
    ['an empty object', {}, /found an object with no properties/],
    ['nothing', undefined, /found nothing/],
    ['a number', 1, /found 1/],
  ];
  for (const [what, event, description] of cases) {
    it(`says what it found: ${what}`, () => {
      const { hints, ignoredCount, unknown } = hintsFrom(event);
      assert.deepEqual([hints.length, ignoredCount, unknown.length], [0, 0, 1]);
      assert.match(unknown[0]?.description ?? '', description);
    });
  }

  it('says which message held it', () => {
    assert.equal(hintsFrom(sqs('not JSON', 'm-7')).unknown[0]?.messageId, 'm-7');
    assert.equal(hintsFrom(sqs({ Type: 'Surprise' }, 'm-8')).unknown[0]?.messageId, 'm-8');
  });

  it('quotes no more of it than a log line wants', () => {
    const properties = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`${index}`.repeat(500), index]));
    const bound = eventLimits.quotedCharactersMax * (eventLimits.namedPropertiesMax + 2) + 200;
    for (const event of ['x'.repeat(1_000_000), properties, sqs('x'.repeat(1_000_000))]) {
      assert.ok((hintsFrom(event).unknown[0]?.description.length ?? Number.POSITIVE_INFINITY) < bound);
    }
  });

  it('follows wrappings up to the limit and no further', () => {
    const wrapped = (times: number) => {
      let event: unknown = {
        source: 'aws.s3',
        'detail-type': 'Object Created',
        detail: { object: { key: 'x-1.tgz' } },
      };
      for (let wrapping = 0; wrapping < times; wrapping += 1) event = [event];
      return event;
    };
    assert.equal(hintsFrom(wrapped(eventLimits.wrappingsMax)).hints.length, 1);
    assert.match(hintsFrom(wrapped(eventLimits.wrappingsMax + 1)).unknown[0]?.description ?? '', /at most 8 wrappings/);
    assert.equal(hintsFrom(wrapped(10_000)).unknown.length, 1);
  });
});

describe('properties', () => {
  /** A package's key of any characters that UTF-8 can say. */
  const packageKey = anyText({ minLength: 1, maxLength: 40 })
    .map((name) => `All/${name}-1.0.tgz`)
    .filter((key) => isPackageKey(key));

  it('throws on nothing at all', () => {
    // Names and values of real events among the arbitrary ones, so that the readers are entered and not only refused.
    const word = fc.constantFrom(
      'aws:sqs',
      'aws:sns',
      'aws:s3',
      'ceph:s3',
      'aws.s3',
      'Notification',
      's3:TestEvent',
      '2.1',
      'ObjectCreated:Put',
      'Object Created',
      'pkgsrc-indexer.hint',
      'All/x-1.0.tgz',
      '%',
      '{"Records":[{"body":"["}]}',
    );
    const name = fc.constantFrom(
      'Records',
      'eventSource',
      'EventSource',
      'body',
      'messageId',
      'Sns',
      'Message',
      'Type',
      'Event',
      'source',
      'detail-type',
      'detail',
      'object',
      'key',
      's3',
      'eventVersion',
      'eventName',
      'type',
      'version',
      'hint',
    );
    const { event } = fc.letrec((tie) => ({
      event: fc.oneof(
        { depthSize: 'medium', withCrossShrink: true },
        word,
        fc.anything({ withNullPrototype: true, withBigInt: true }),
        fc.array(tie('event'), { maxLength: 4 }),
        fc.dictionary(name, tie('event'), { maxKeys: 6 }),
        tie('event').map((value) =>
          JSON.stringify(value, (_, inner) => (typeof inner === 'bigint' ? `${inner}` : inner)),
        ),
      ),
    }));
    fc.assert(
      fc.property(event, (value) => {
        const { hints, unknown } = hintsFrom(value);
        assert.ok(hints.every(({ key }) => isPackageKey(key)));
        assert.ok(unknown.every(({ description }) => description.startsWith('expected ')));
      }),
      { numRuns: runs(2_000) },
    );
  });

  /** What SQS, and everything that stands in for it, carries as it is: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html */
  const queueCharacters = /^[ -\ud7ff\ue000-\ufffd]*$/;

  it('gives back the hint that was encoded, in characters that SQS carries', () => {
    const key = 'All/\ufffe\uffff\u{1f4e6}-1.0.tgz';
    assert.match(encodeHint({ key }), queueCharacters);
    assert.deepEqual(hintsFrom(sqs(encodeHint({ key }))).hints, [{ key, messageId: 'm-1' }]);
    fc.assert(
      fc.property(packageKey, fc.boolean(), (key, force) => {
        const expected = { key, ...(force && { force }), messageId: 'm-1' };
        const message = encodeHint({ key, force });
        assert.deepEqual(hintsFrom(sqs(message)).hints, [expected]);
        assert.match(message, queueCharacters);
      }),
    );
  });

  it('gives back the key that AWS, MinIO, Ceph or EventBridge wrote', () => {
    const formEncoded = (key: string) => new URLSearchParams([['', key]]).toString().slice(1);
    fc.assert(
      fc.property(packageKey, (key) => {
        const events = [
          notification({ key: formEncoded(key) }),
          notification({ key: formEncoded(key).replaceAll('%2F', '/') }),
          notification({ key: formEncoded(key), source: 'minio:s3' }),
          notification({ key, source: 'ceph:s3' }),
          { source: 'aws.s3', 'detail-type': 'Object Deleted', detail: { object: { key } } },
        ];
        assert.deepEqual(
          hintsFrom(events).hints,
          events.map(() => ({ key })),
        );
      }),
    );
  });
});
