/**
 * Requests to AWS's services → what IAM calls them, and whether a role allows them.
 * Source: Service Authorization Reference (S3, DynamoDB, SQS, SNS, Lambda); S3 user guide, "Required permissions for Amazon S3 API
 * operations" and "Conditional writes"; S3 API, HeadObject (404 only with s3:ListBucket).
 */

import type { Statement } from '../infra/synthesized.ts';
import type { Exchange } from './recording-proxy.ts';

export type Service = 's3' | 'dynamodb' | 'sqs' | 'sns' | 'lambda';

export interface Call {
  readonly action: string;
  readonly resource: string;
}

/** The ARNs that requests do not say. */
export interface Arns {
  table(name: string): string;
  queue(url: string): string;
  function(name: string): string;
  topic(arn: string): string;
}

/**
 * Every action that the request needs, on its resource.
 * @throws where nothing here knows such a request: add it.
 */
export function callsOf(service: Service, exchange: Exchange, arns: Arns): Call[] {
  if (service === 's3') return bucketCalls(exchange);
  const { method, url, headers, body } = exchange;
  if (service === 'lambda') {
    const [, name] = /^\/2015-03-31\/functions\/([^/]+)\/invocations$/.exec(url) ?? [];
    if (method !== 'POST' || name === undefined) throw unknown(service, exchange);
    return [{ action: 'lambda:InvokeFunction', resource: arns.function(decodeURIComponent(name)) }];
  }
  if (service === 'sns') {
    const form = new URLSearchParams(body.toString());
    const topic = form.get('TopicArn');
    if (form.get('Action') !== 'Publish' || topic === null) throw unknown(service, exchange);
    return [{ action: 'sns:Publish', resource: arns.topic(topic) }];
  }
  const operation = String(headers['x-amz-target']).split('.')[1] ?? '';
  const input = JSON.parse(body.toString()) as { readonly TableName?: string; readonly QueueUrl?: string };
  if (service === 'dynamodb' && input.TableName !== undefined && /^[A-Z][A-Za-z]+$/.test(operation))
    return [{ action: `dynamodb:${operation}`, resource: arns.table(input.TableName) }];
  if (service === 'sqs' && input.QueueUrl !== undefined && operation === 'SendMessageBatch')
    return [{ action: 'sqs:SendMessage', resource: arns.queue(input.QueueUrl) }];
  throw unknown(service, exchange);
}

function bucketCalls(exchange: Exchange): Call[] {
  const { method, headers, status } = exchange;
  const { pathname, searchParams } = new URL(exchange.url, 'http://store.test');
  const [, bucket = '', encodedKey = ''] = /^\/([^/]+)\/?(.*)$/.exec(pathname) ?? [];
  const list = { action: 's3:ListBucket', resource: `arn:aws:s3:::${bucket}` };
  const on = (action: string, key: string) => ({ action: `s3:${action}`, resource: `arn:aws:s3:::${bucket}/${key}` });
  const key = decodeURIComponent(encodedKey);
  if (key === '') {
    if (method === 'GET' && searchParams.has('list-type')) return [list];
    throw unknown('s3', exchange);
  }
  // `x-id` only repeats the operation's name; anything else would ask for another part of the object: its tags, its list …
  for (const name of searchParams.keys()) if (name !== 'x-id') throw unknown('s3', exchange);
  if (method === 'GET' || method === 'HEAD') return [on('GetObject', key), ...(status === 404 ? [list] : [])];
  if (method === 'DELETE') return [on('DeleteObject', key)];
  if (method !== 'PUT') throw unknown('s3', exchange);
  const source = headers['x-amz-copy-source'];
  const [, sourceBucket, sourceKey] = typeof source === 'string' ? (/^\/?([^/]+)\/(.*)$/.exec(source) ?? []) : [];
  if (source !== undefined && sourceBucket !== bucket) throw unknown('s3', exchange);
  return [
    on('PutObject', key),
    ...(sourceKey === undefined ? [] : [on('GetObject', decodeURIComponent(sourceKey))]),
    ...(headers['if-match'] === undefined ? [] : [on('GetObject', key)]),
    ...(headers['x-amz-tagging'] === undefined ? [] : [on('PutObjectTagging', key)]),
    ...(headers['x-amz-acl'] === undefined ? [] : [on('PutObjectAcl', key)]),
  ];
}

function unknown(service: Service, { method, url, headers }: Exchange): Error {
  const target = headers['x-amz-target'] ?? '';
  return new Error(`expected a request to ${service} whose permission is known, found ${method} ${url} ${target}`);
}

export interface RoleComparison {
  /** Calls that no statement allows. */
  readonly forbidden: readonly string[];
  /** `Sid: action on resource` that no call needs. */
  readonly unused: readonly string[];
}

/** @param statements of which each is an `Allow`. */
export function compareWithRole(statements: readonly Statement[], calls: readonly Call[]): RoleComparison {
  const grants = statements.flatMap(({ Sid, Action, Resource }) =>
    [Action].flat().flatMap((action) => [Resource].flat().map((resource) => ({ Sid, action, resource }))),
  );
  const made = [...new Map(calls.map((call) => [`${call.action} on ${call.resource}`, call]))];
  const isCovered = (call: Call) => grants.some((grant) => covers(grant, call));
  return {
    forbidden: made.filter(([, call]) => !isCovered(call)).map(([description]) => description),
    unused: grants
      .filter((grant) => !made.some(([, call]) => covers(grant, call)))
      .map(({ Sid, action, resource }) => `${Sid}: ${action} on ${resource}`),
  };
}

function covers(grant: Call, call: Call): boolean {
  return matches(grant.action, call.action) && matches(grant.resource, call.resource);
}

/** IAM's wildcards: `*` any characters, `?` one. */
function matches(pattern: string, text: string): boolean {
  const escaped = pattern.replace(/[\\^$.+()[\]{}|]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`, 's').test(text);
}
