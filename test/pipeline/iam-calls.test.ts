import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callsOf, compareWithRole, type Service } from './iam-calls.ts';
import type { Exchange } from './recording-proxy.ts';

const arns = {
  table: (name: string) => `table/${name}`,
  queue: (url: string) => `queue/${new URL(url).pathname.split('/').at(-1)}`,
  function: (name: string) => `function:${name}`,
  topic: (arn: string) => `topic ${arn}`,
};

function exchange(line: string, headers: Exchange['headers'] = {}, body = '', status = 200): Exchange {
  const [method = '', url = ''] = line.split(' ');
  return { method, url, headers, body: Buffer.from(body), status };
}

const target = (operation: string) => ({ 'x-amz-target': operation });

const rows: readonly (readonly [name: string, service: Service, exchange: Exchange, calls: readonly string[]])[] = [
  ['a listing', 's3', exchange('GET /b?list-type=2&prefix=a%2F'), ['s3:ListBucket arn:aws:s3:::b']],
  ['a look', 's3', exchange('HEAD /b/a/x%2By%20z.tgz'), ['s3:GetObject arn:aws:s3:::b/a/x+y z.tgz']],
  [
    'a look at nothing',
    's3',
    exchange('HEAD /b/x', {}, '', 404),
    ['s3:GetObject arn:aws:s3:::b/x', 's3:ListBucket arn:aws:s3:::b'],
  ],
  ['a range', 's3', exchange('GET /b/x?x-id=GetObject', { range: 'bytes=0-1' }), ['s3:GetObject arn:aws:s3:::b/x']],
  ['a new object', 's3', exchange('PUT /b/x', { 'if-none-match': '*' }), ['s3:PutObject arn:aws:s3:::b/x']],
  [
    'a replaced object',
    's3',
    exchange('PUT /b/x', { 'if-match': 'e' }),
    ['s3:PutObject arn:aws:s3:::b/x', 's3:GetObject arn:aws:s3:::b/x'],
  ],
  [
    'a copy',
    's3',
    exchange('PUT /b/x%20y', { 'x-amz-copy-source': 'b/x%2By' }),
    ['s3:PutObject arn:aws:s3:::b/x y', 's3:GetObject arn:aws:s3:::b/x+y'],
  ],
  ['a deletion', 's3', exchange('DELETE /b/x?x-id=DeleteObject'), ['s3:DeleteObject arn:aws:s3:::b/x']],
  [
    'an item',
    'dynamodb',
    exchange('POST /', target('DynamoDB_20120810.GetItem'), '{"TableName":"t"}'),
    ['dynamodb:GetItem table/t'],
  ],
  [
    'messages',
    'sqs',
    exchange('POST /', target('AmazonSQS.SendMessageBatch'), '{"QueueUrl":"http://q.test/0/hints"}'),
    ['sqs:SendMessage queue/hints'],
  ],
  [
    'a message to a topic',
    'sns',
    exchange('POST /', {}, 'Action=Publish&TopicArn=arn%3Aaws%3Asns%3At&Message=m'),
    ['sns:Publish topic arn:aws:sns:t'],
  ],
  [
    'an invocation',
    'lambda',
    exchange('POST /2015-03-31/functions/s-reindex/invocations'),
    ['lambda:InvokeFunction function:s-reindex'],
  ],
];

for (const [name, service, request, expected] of rows) {
  test(`what IAM calls ${name}`, () => {
    const calls = callsOf(service, request, arns).map(({ action, resource }) => `${action} ${resource}`);
    assert.deepEqual(calls, expected);
  });
}

for (const [name, service, request] of [
  ['tags', 's3', exchange('GET /b/x?tagging')],
  ['several deletions', 's3', exchange('POST /b/?delete')],
  ['a copy from another bucket', 's3', exchange('PUT /b/x', { 'x-amz-copy-source': 'c/x' })],
  ['a message by itself', 'sqs', exchange('POST /', target('AmazonSQS.SendMessage'), '{"QueueUrl":"http://q.test/h"}')],
  ['a request without a table', 'dynamodb', exchange('POST /', target('DynamoDB_20120810.ListTables'), '{}')],
  ['a subscription', 'sns', exchange('POST /', {}, 'Action=Subscribe&TopicArn=t')],
  ['a deletion of a function', 'lambda', exchange('DELETE /2015-03-31/functions/x')],
] as const) {
  test(`nothing is guessed: ${name}`, () => {
    assert.throws(() => callsOf(service, request, arns), /whose permission is known/);
  });
}

test('a role is compared with the calls both ways', () => {
  const role = [
    {
      Sid: 'Read',
      Effect: 'Allow',
      Action: ['s3:GetObject'],
      Resource: ['arn:b/*.tgz', 'arn:b/* *.tgz', 'arn:b/?.tar'],
    },
    { Sid: 'Write', Effect: 'Allow', Action: 's3:PutObject', Resource: 'arn:b/x' },
  ];
  const calls = [
    { action: 's3:GetObject', resource: 'arn:b/d/x+y.tgz' },
    { action: 's3:GetObject', resource: 'arn:b/d/x+y.tgz' },
    { action: 's3:GetObject', resource: 'arn:b/x.tar' },
    { action: 's3:PutObject', resource: 'arn:b/xx' },
    { action: 's3:GetObject', resource: 'arn:b/xxtgz' },
  ];
  assert.deepEqual(compareWithRole(role, calls), {
    forbidden: ['s3:PutObject on arn:b/xx', 's3:GetObject on arn:b/xxtgz'],
    unused: ['Read: s3:GetObject on arn:b/* *.tgz', 'Write: s3:PutObject on arn:b/x'],
  });
});
