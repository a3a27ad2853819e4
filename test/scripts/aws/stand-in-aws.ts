/**
 * The part of AWS that the commands use, on a free port, with its state in memory: CloudFormation without delays, S3, STS, Lambda and
 * SQS. It shows what the commands send and how they handle the answers, not what AWS would do.
 */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { DeployerRequest } from './deployer-calls.ts';

export const account = '123456789012';
export const region = 'eu-central-1';

interface StandInBucket {
  readonly objects: Map<string, Buffer>;
  /** The inside of <NotificationConfiguration>. */
  notifications: string;
  policy: string | undefined;
}

interface StandInStack {
  readonly name: string;
  readonly id: string;
  status: string;
  template: Template;
  outputs: Readonly<Record<string, string>>;
  readonly events: { readonly id: string; readonly status: string; readonly name: string; readonly reason: string }[];
}

interface Template {
  readonly Resources: Readonly<Record<string, { readonly Type: string }>>;
  readonly Outputs: Readonly<Record<string, unknown>>;
}

interface Reply {
  readonly status?: number;
  readonly body?: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

export class StandInAws {
  readonly buckets = new Map<string, StandInBucket>();
  readonly stacks = new Map<string, StandInStack>();
  /** What was asked, in order: `CreateChangeSet`; for S3 `PUT /packages/x`, `GET /packages/?policy`. */
  readonly asked: string[] = [];
  /** Every request with a signature. */
  readonly requests: DeployerRequest[] = [];
  /** What the reindex function was asked, and what it answers. */
  readonly invocations: unknown[] = [];
  reindexAnswer: { readonly failure?: string; readonly body: unknown } = {
    body: { repositories: 1, packages: 2, hints: 2, isComplete: true },
  };
  /** A resource whose creation or change fails. */
  failing: string | undefined;
  queueDepth = 0;
  /** Messages in every queue: one receive gets them all, and the next one finds none. */
  messages: string[] = [];
  readonly #changeSets = new Map<string, { readonly stack: string; readonly template: Template }>();
  readonly #server = createServer((request, response) => void this.#answer(request, response));

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const address = this.#server.address();
    assert.ok(address !== null && typeof address === 'object');
    return `http://127.0.0.1:${address.port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  bucket(name: string): StandInBucket {
    const bucket = this.buckets.get(name) ?? { objects: new Map(), notifications: '', policy: undefined };
    this.buckets.set(name, bucket);
    return bucket;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { status = 200, body = '', headers = {} } = this.#reply(request, Buffer.concat(chunks));
    response.writeHead(status, headers).end(body);
  }

  /** The signature names the service; whoever signs nothing reads S3. */
  #reply(request: IncomingMessage, body: Buffer): Reply {
    const signed = /Credential=[^/]+\/[^/]+\/[^/]+\/([^/]+)\//.exec(request.headers.authorization ?? '')?.[1];
    const service = signed ?? 's3';
    const { method = '', url = '', headers } = request;
    if (signed !== undefined)
      this.requests.push({ service, method, url, target: String(headers['x-amz-target'] ?? ''), body });
    if (service === 's3') return this.#s3(request, body);
    if (service === 'lambda') return this.#lambda(request, body);
    if (service === 'sqs') return this.#sqs(String(request.headers['x-amz-target']));
    const form = new URLSearchParams(body.toString());
    this.asked.push(form.get('Action') ?? '');
    return service === 'sts' ? callerIdentity() : this.#cloudFormation(form);
  }

  #lambda(request: IncomingMessage, body: Buffer): Reply {
    if (request.method === 'GET') return json({ Environment: { Variables: { PREFIXES: '' } } });
    this.asked.push('Invoke');
    this.invocations.push(JSON.parse(body.toString()));
    const { failure, body: answer } = this.reindexAnswer;
    return { ...json(answer), ...(failure === undefined ? {} : { headers: { 'x-amz-function-error': failure } }) };
  }

  #sqs(target: string): Reply {
    if (target.endsWith('.ReceiveMessage')) {
      const bodies = this.messages.splice(0);
      return json({
        Messages: bodies.map((Body, index) => ({
          MessageId: `${index}`,
          ReceiptHandle: `${index}`,
          Body,
          MD5OfBody: createHash('md5').update(Body).digest('hex'),
        })),
      });
    }
    return json({ Attributes: { ApproximateNumberOfMessages: `${this.queueDepth}` } });
  }

  #cloudFormation(form: URLSearchParams): Reply {
    const name = form.get('StackName') ?? '';
    const stack = this.stacks.get(name) ?? [...this.stacks.values()].find(({ id }) => id === name);
    switch (form.get('Action')) {
      case 'CreateChangeSet':
        return this.#createChangeSet(name, form);
      case 'DescribeChangeSet':
        return this.#describeChangeSet(form.get('ChangeSetName') ?? '');
      case 'ExecuteChangeSet':
        return this.#execute(form.get('ChangeSetName') ?? '');
      case 'DeleteChangeSet':
        return result('DeleteChangeSet', '');
      case 'DeleteStack':
        if (stack !== undefined) this.#delete(stack);
        return result('DeleteStack', '');
      default:
        if (stack === undefined) return noSuchStack(name);
        return describeStack(form.get('Action') ?? '', stack);
    }
  }

  #createChangeSet(name: string, form: URLSearchParams): Reply {
    const template = form.get('TemplateBody') ?? this.#fetched(form.get('TemplateURL') ?? '');
    const isCreation = form.get('ChangeSetType') === 'CREATE';
    if (isCreation) this.#makeEmptyStack(name);
    const stack = this.stacks.get(name);
    if (stack === undefined) return noSuchStack(name);
    const id = `arn:aws:cloudformation:${region}:${account}:changeSet/${form.get('ChangeSetName')}/1`;
    this.#changeSets.set(id, { stack: name, template: JSON.parse(template) });
    return result('CreateChangeSet', `<Id>${id}</Id><StackId>${stack.id}</StackId>`);
  }

  #fetched(url: string): string {
    const [, bucket = '', key = ''] = new URL(url).pathname.split('/');
    const template = this.buckets.get(bucket)?.objects.get(key);
    assert.ok(template !== undefined, `expected a template at ${url}`);
    return template.toString();
  }

  #makeEmptyStack(name: string): void {
    const id = `arn:aws:cloudformation:${region}:${account}:stack/${name}/${this.stacks.size + 1}`;
    const template = { Resources: {}, Outputs: {} };
    this.stacks.set(name, { name, id, status: 'REVIEW_IN_PROGRESS', template, outputs: {}, events: [] });
  }

  #describeChangeSet(id: string): Reply {
    const { stack = '', template } = this.#changeSets.get(id) ?? {};
    const changes = changesBetween(this.stacks.get(stack)?.template, template);
    const status =
      changes === ''
        ? "<Status>FAILED</Status><StatusReason>The submitted information didn't contain changes.</StatusReason>"
        : '<Status>CREATE_COMPLETE</Status>';
    return result('DescribeChangeSet', `${status}<Changes>${changes}</Changes>`);
  }

  #execute(id: string): Reply {
    const { stack: name = '', template } = this.#changeSets.get(id) ?? {};
    const stack = this.stacks.get(name);
    assert.ok(stack !== undefined && template !== undefined);
    const verb = stack.status === 'REVIEW_IN_PROGRESS' ? 'CREATE' : 'UPDATE';
    const event = (status: string, resource: string, reason = '') =>
      stack.events.unshift({ id: `${stack.events.length + 1}`, status, name: resource, reason });
    event(`${verb}_IN_PROGRESS`, name);
    if (this.failing !== undefined) {
      event(`${verb}_FAILED`, this.failing, 'a reason of its own');
      event(`${verb}_FAILED`, 'Another', 'Resource creation cancelled');
      stack.status = verb === 'CREATE' ? 'ROLLBACK_COMPLETE' : 'UPDATE_ROLLBACK_COMPLETE';
      event(stack.status, name);
      return result('ExecuteChangeSet', '');
    }
    for (const resource of Object.keys(template.Resources)) event(`${verb}_COMPLETE`, resource);
    stack.template = template;
    stack.outputs = outputsFor(name, template);
    stack.status = `${verb}_COMPLETE`;
    event(stack.status, name);
    const isBucketNew = Object.values(template.Resources).some(({ Type: type }) => type === 'AWS::S3::Bucket');
    if (isBucketNew) this.bucket(stack.outputs.Bucket ?? '');
    return result('ExecuteChangeSet', '');
  }

  #delete(stack: StandInStack): void {
    stack.events.unshift({ id: `${stack.events.length + 1}`, status: 'DELETE_COMPLETE', name: stack.name, reason: '' });
    stack.status = 'DELETE_COMPLETE';
    this.stacks.delete(stack.name);
  }

  #s3(request: IncomingMessage, body: Buffer): Reply {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://store');
    const [, name = '', ...rest] = pathname.split('/');
    const key = rest.map(decodeURIComponent).join('/');
    const method = request.method ?? '';
    this.asked.push(
      `${method} ${pathname}${searchParams.has('notification') ? '?notification' : ''}${searchParams.has('policy') ? '?policy' : ''}`,
    );
    const bucket = this.buckets.get(name);
    if (bucket === undefined) {
      if (method !== 'PUT' || key !== '') return s3Error(404, 'NoSuchBucket');
      this.bucket(name);
      return {};
    }
    if (searchParams.has('notification')) return notifications(bucket, method, body);
    if (searchParams.has('policy')) return policy(bucket, method, body);
    if (searchParams.has('list-type')) return list(bucket);
    return key === '' ? { headers: { 'x-amz-bucket-region': region } } : object(bucket, method, key, body);
  }
}

function describeStack(action: string, stack: StandInStack): Reply {
  if (action === 'DescribeStacks') {
    const outputs = Object.entries(stack.outputs).map(([name, value]) =>
      member(`<OutputKey>${name}</OutputKey><OutputValue>${escaped(value)}</OutputValue>`),
    );
    const { name, id, status } = stack;
    const facts = `<StackName>${name}</StackName><StackId>${id}</StackId><StackStatus>${status}</StackStatus><CreationTime>2026-01-01T00:00:00Z</CreationTime>`;
    return result(action, `<Stacks>${member(`${facts}<Outputs>${outputs.join('')}</Outputs>`)}</Stacks>`);
  }
  if (action === 'DescribeStackEvents') {
    const events = stack.events.map(({ id, status, name, reason }) =>
      member(
        `<EventId>${id}</EventId><StackId>${stack.id}</StackId><StackName>${stack.name}</StackName><Timestamp>2026-01-01T00:00:00Z</Timestamp>` +
          `<LogicalResourceId>${name}</LogicalResourceId><ResourceType>AWS::Some::Thing</ResourceType><ResourceStatus>${status}</ResourceStatus>` +
          `<ResourceStatusReason>${reason}</ResourceStatusReason>`,
      ),
    );
    return result(action, `<StackEvents>${events.join('')}</StackEvents>`);
  }
  assert.equal(action, 'ListStackResources');
  const resources = Object.values(stack.template.Resources).map(({ Type: type }) =>
    member(`<ResourceType>${type}</ResourceType>`),
  );
  return result(action, `<StackResourceSummaries>${resources.join('')}</StackResourceSummaries>`);
}

function changesBetween(old: Template | undefined, template: Template | undefined): string {
  const change = (action: string, name: string, type = '') =>
    member(
      `<Type>Resource</Type><ResourceChange><Action>${action}</Action><LogicalResourceId>${name}</LogicalResourceId><ResourceType>${type}</ResourceType></ResourceChange>`,
    );
  const [before, after] = [old?.Resources ?? {}, template?.Resources ?? {}];
  return [
    ...Object.entries(after).flatMap(([name, resource]) => {
      if (before[name] === undefined) return [change('Add', name, resource.Type)];
      return JSON.stringify(before[name]) === JSON.stringify(resource) ? [] : [change('Modify', name, resource.Type)];
    }),
    ...Object.entries(before).flatMap(([name, { Type: type }]) =>
      after[name] === undefined ? [change('Remove', name, type)] : [],
    ),
  ].join('');
}

/** The names that are in the template, with values that a stack of that name could have. */
function outputsFor(stack: string, { Outputs: outputs }: Template): Record<string, string> {
  const statement = {
    Sid: `CloudFrontReads${stack.replaceAll('-', '')}`,
    Effect: 'Allow',
    Principal: { Service: 'cloudfront.amazonaws.com' },
    Action: 's3:GetObject',
    Resource: 'arn:aws:s3:::packages/*',
  };
  const values: Record<string, string> = {
    QueueArn: queueArn(stack),
    RepositoryUrl: 'https://d111.cloudfront.net',
    BucketPolicyStatement: JSON.stringify(statement),
  };
  return Object.fromEntries(
    Object.entries(outputs).map(([name, output]) => {
      const { Value: literal } = output as { readonly Value?: unknown };
      return [name, values[name] ?? (typeof literal === 'string' ? literal : `${stack}-${name.toLowerCase()}`)];
    }),
  );
}

export function queueArn(stack: string): string {
  return `arn:aws:sqs:${region}:${account}:${stack}-hints`;
}

function notifications(bucket: StandInBucket, method: string, body: Buffer): Reply {
  if (method === 'GET')
    return { body: `<NotificationConfiguration>${bucket.notifications}</NotificationConfiguration>` };
  bucket.notifications =
    /<NotificationConfiguration[^>]*?(?:\/>|>(.*)<\/NotificationConfiguration>)/s.exec(body.toString())?.[1] ?? '';
  return {};
}

function policy(bucket: StandInBucket, method: string, body: Buffer): Reply {
  if (method === 'GET')
    return bucket.policy === undefined ? s3Error(404, 'NoSuchBucketPolicy') : { body: bucket.policy };
  bucket.policy = method === 'DELETE' ? undefined : body.toString();
  return {};
}

function object(bucket: StandInBucket, method: string, key: string, body: Buffer): Reply {
  if (method === 'PUT') {
    bucket.objects.set(key, body);
    return { headers: { etag: etagOf(body) } };
  }
  if (method === 'DELETE') {
    bucket.objects.delete(key);
    return { status: 204 };
  }
  const found = bucket.objects.get(key);
  if (found === undefined) return s3Error(404, 'NoSuchKey');
  return {
    ...(method === 'HEAD' ? {} : { body: found }),
    headers: {
      etag: etagOf(found),
      'content-length': `${found.length}`,
      'last-modified': 'Thu, 01 Jan 2026 00:00:00 GMT',
    },
  };
}

function list(bucket: StandInBucket): Reply {
  const contents = [...bucket.objects].map(
    ([key, body]) =>
      `<Contents><Key>${escaped(key)}</Key><ETag>${etagOf(body)}</ETag><Size>${body.length}</Size></Contents>`,
  );
  return { body: `<ListBucketResult><IsTruncated>false</IsTruncated>${contents.join('')}</ListBucketResult>` };
}

export function etagOf(body: Buffer): string {
  return `"${createHash('md5').update(body).digest('hex')}"`;
}

function callerIdentity(): Reply {
  return result('GetCallerIdentity', `<Account>${account}</Account><Arn>arn:aws:iam::${account}:user/deployer</Arn>`);
}

function noSuchStack(name: string): Reply {
  const error = `<Error><Type>Sender</Type><Code>ValidationError</Code><Message>Stack with id ${name} does not exist</Message></Error>`;
  return { status: 400, body: `<ErrorResponse>${error}</ErrorResponse>` };
}

function result(action: string, inner: string): Reply {
  return { body: `<${action}Response><${action}Result>${inner}</${action}Result></${action}Response>` };
}

function s3Error(status: number, code: string): Reply {
  return { status, body: `<Error><Code>${code}</Code><Message>${code}</Message></Error>` };
}

function json(value: unknown): Reply {
  return { body: JSON.stringify(value), headers: { 'content-type': 'application/json' } };
}

function member(inner: string): string {
  return `<member>${inner}</member>`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
