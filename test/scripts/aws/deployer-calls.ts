/** Requests that the commands make → what IAM calls them, to compare them with docs/deployer-policy.json. */

import { readFileSync } from 'node:fs';
import type { Statement } from '../../infra/synthesized.ts';
import type { Call } from '../../pipeline/iam-calls.ts';

export interface DeployerRequest {
  readonly service: string;
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly target: string;
  readonly body: Buffer;
}

/** Where the requests go, in ARNs. */
interface Place {
  readonly account: string;
  readonly region: string;
}

/** Undefined: it needs no permission. Source: AWS's service authorization reference. */
export function deployerCall(request: DeployerRequest, { account, region }: Place): Call | undefined {
  const { service, body } = request;
  const arn = (name: string) => `arn:aws:${service}:${region}:${account}:${name}`;
  if (service === 's3') return bucketCall(request);
  if (service === 'sts') return undefined;
  if (service === 'cloudformation') {
    const form = new URLSearchParams(body.toString());
    const name = form.get('StackName') ?? '';
    const resource = name.startsWith('arn:') ? name : arn(`stack/${name}/1`);
    return { action: `cloudformation:${form.get('Action')}`, resource };
  }
  if (service === 'lambda') {
    const [, name = ''] = /\/functions\/([^/]+)/.exec(request.url) ?? [];
    const operation = request.method === 'GET' ? 'GetFunctionConfiguration' : 'InvokeFunction';
    return { action: `lambda:${operation}`, resource: arn(`function:${name}`) };
  }
  const operation = request.target.split('.')[1] ?? '';
  const { QueueUrl: queueUrl = '' } = JSON.parse(body.toString()) as { readonly QueueUrl?: string };
  return { action: `sqs:${operation.replace(/Batch$/, '')}`, resource: arn(queueUrl.split('/').at(-1) ?? '') };
}

const bucketOperations: Readonly<Record<string, string>> = {
  'GET notification': 'GetBucketNotification',
  'PUT notification': 'PutBucketNotification',
  'GET policy': 'GetBucketPolicy',
  'PUT policy': 'PutBucketPolicy',
  'DELETE policy': 'DeleteBucketPolicy',
  'GET list-type': 'ListBucket',
  'HEAD ': 'ListBucket',
  'PUT ': 'CreateBucket',
};

const objectOperations: Readonly<Record<string, string>> = {
  HEAD: 'GetObject',
  GET: 'GetObject',
  PUT: 'PutObject',
  DELETE: 'DeleteObject',
};

function bucketCall({ method, url }: DeployerRequest): Call {
  const { pathname, searchParams } = new URL(url, 'http://store');
  const [, bucket = '', ...rest] = pathname.split('/');
  const key = rest.map(decodeURIComponent).join('/');
  const part = ['notification', 'policy', 'list-type'].find((name) => searchParams.has(name)) ?? '';
  const operation = key === '' ? bucketOperations[`${method} ${part}`] : objectOperations[method];
  if (operation === undefined)
    throw new Error(`expected a request to S3 whose permission is known, found ${method} ${url}`);
  return { action: `s3:${operation}`, resource: `arn:aws:s3:::${bucket}${key === '' ? '' : `/${key}`}` };
}

/** The statements of the policy, for these names. */
export function deployerStatements(names: Readonly<Record<string, string>>): readonly Statement[] {
  const text = readFileSync(new URL('../../../docs/deployer-policy.json', import.meta.url), 'utf8');
  return JSON.parse(text.replace(/ACCOUNT|REGION|STACK|BUCKET/g, (name) => names[name] ?? name)).Statement;
}
