import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { changeOfKeys, DynamoDbRecords } from '../../../functions/adapters/aws/dynamodb-records.ts';
import { indexedRow } from '../record-table.contract.ts';
import { type Answer, scriptedAnswers } from './scripted-answers.ts';

function tableAnswering(answers: readonly Answer[]) {
  const { settings, asked } = scriptedAnswers(answers);
  const options = { recordsTable: 'records', repositoriesTable: 'repositories' };
  const requests = () =>
    asked.map(({ headers, body }) => ({ action: headers['x-amz-target']?.replace(/.*\./, ''), ...JSON.parse(body) }));
  return { table: new DynamoDbRecords(new DynamoDBClient(settings), options), requests };
}

function answer(body: object, status = 200): Answer {
  return { status, headers: { 'content-type': 'application/x-amz-json-1.0' }, body: JSON.stringify(body) };
}

const rejectedItem = {
  repository: { S: 'All' },
  state: { S: 'rejected' },
  etag: { S: 'e' },
  size: { N: '7' },
  lastModified: { S: '2026-02-03T04:05:06.000Z' },
  indexedAt: { S: '2026-02-03T04:05:07.089Z' },
  reason: { M: { code: { S: 'truncated' }, message: { S: 'ends early' } } },
};

async function collected<Value>(values: AsyncIterable<Value>): Promise<Value[]> {
  const all: Value[] = [];
  for await (const value of values) all.push(value);
  return all;
}

describe('DynamoDbRecords reads', () => {
  it('all pages, empty ones too, consistently, and leaves out the request for a summary', async () => {
    const next = { repository: { S: 'All' }, file: { S: 'a' } };
    const { table, requests } = tableAnswering([
      answer({
        Items: [{ repository: { S: 'All' }, file: { S: '/summary' }, requests: { N: '3' } }],
        LastEvaluatedKey: next,
      }),
      answer({ Items: [], LastEvaluatedKey: next }),
      answer({ Items: [{ ...rejectedItem, file: { S: 'b' } }] }),
    ]);
    assert.deepEqual(
      (await collected(table.rows('All'))).map(({ file }) => file),
      ['b'],
    );
    assert.deepEqual(
      requests().map(({ ConsistentRead, ExclusiveStartKey }) => [ConsistentRead, ExclusiveStartKey]),
      [
        [true, undefined],
        [true, next],
        [true, next],
      ],
    );
  });

  it('a single row, consistently, also one of a version without rules', async () => {
    const { table, requests } = tableAnswering([answer({ Item: { ...rejectedItem, file: { S: 'b' } } }), answer({})]);
    assert.deepEqual(await table.row('All', 'b'), {
      repository: 'All',
      file: 'b',
      etag: 'e',
      size: 7,
      lastModified: new Date('2026-02-03T04:05:06Z'),
      indexedAt: new Date('2026-02-03T04:05:07.089Z'),
      rules: '',
      state: 'rejected',
      reason: { code: 'truncated', message: 'ends early' },
    });
    assert.equal(await table.row('All', 'b'), undefined);
    assert.ok(requests().every(({ ConsistentRead }) => ConsistentRead === true));
  });

  const damages: readonly [what: string, item: object, message: RegExp][] = [
    [
      'without a state',
      { state: undefined },
      /the row "All", "b": expected the state indexed or rejected, found undefined/,
    ],
    ['of another state', { state: { S: 'lost' } }, /indexed or rejected, found lost; .* run a reindex/],
    ['without a reason', { reason: undefined }, /expected the attribute reason,/],
    ['with half a reason', { reason: { M: {} } }, /expected the attribute reason\.code,/],
    ['with text for a size', { size: { S: '7' } }, /expected the attribute size, found none or one of another type/],
    ['indexed without a record', { state: { S: 'indexed' }, warnings: { L: [] } }, /expected the attribute record,/],
    [
      'indexed without warnings',
      { state: { S: 'indexed' }, record: { B: 'YQ==' } },
      /expected the attribute warnings,/,
    ],
  ];
  for (const [what, damage, message] of damages) {
    it(`no row ${what}`, async () => {
      const { table } = tableAnswering([answer({ Item: { ...rejectedItem, file: { S: 'b' }, ...damage } })]);
      await assert.rejects(table.row('All', 'b'), message);
    });
  }
});

describe('DynamoDbRecords writes', () => {
  it('a repository that was summarized before once, before its first row', async () => {
    const { table, requests } = tableAnswering([answer({ Attributes: { run: { N: '1' } } }), answer({}), answer({})]);
    await table.putRow(indexedRow('a', { repository: '' }));
    await table.putRow(indexedRow('b', { repository: '' }));
    assert.deepEqual(
      requests().map(({ action, TableName, Key, Item }) => [action, TableName, (Key ?? Item).repository]),
      [
        ['UpdateItem', 'repositories', { S: '/' }],
        ['PutItem', 'records', { S: '/' }],
        ['PutItem', 'records', { S: '/' }],
      ],
    );
  });

  it('no row where its repository could not be entered, and enters it the next time', async () => {
    const refusal = answer({ __type: 'com.amazonaws.dynamodb.v20120810#ThrottlingException' }, 400);
    const { table, requests } = tableAnswering([refusal, answer({ Attributes: { run: { N: '4' } } }), answer({})]);
    await assert.rejects(table.putRow(indexedRow('a')), { name: 'ThrottlingException' });
    await table.putRow(indexedRow('a'));
    assert.deepEqual(
      requests().map(({ action }) => action),
      ['UpdateItem', 'UpdateItem', 'PutItem'],
    );
  });
});

describe('changeOfKeys', () => {
  it('reads the keys of a stream record', () => {
    assert.deepEqual(changeOfKeys({ repository: { S: 'a/All' }, file: { S: 'x.tgz' } }), {
      repository: 'a/All',
      file: 'x.tgz',
    });
    for (const keys of [{ id: { S: 'x' } }, { repository: { S: 'All' } }, { file: { S: 'x.tgz' } }])
      assert.throws(() => changeOfKeys(keys), /"\}\}: expected the attribute (?:repository|file), found none/);
  });

  it('takes the request for a summary for a change of anything', () => {
    const change = changeOfKeys({ repository: { S: '/' }, file: { S: '/summary' } });
    assert.deepEqual(change, { repository: '', file: undefined });
  });
});
