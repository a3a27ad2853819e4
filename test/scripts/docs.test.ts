/** The documents for operators, held against what they describe. */

import assert from 'node:assert/strict';
import { glob, readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { optionMatrix, resourcesOf, templateFor } from '../infra/synthesized.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (file: string) => readFile(`${root}${file}`, 'utf8');

interface Policy {
  readonly Statement: readonly {
    readonly Action: string | readonly string[];
    readonly Resource: string | readonly string[];
  }[];
}

async function deployerPolicy(): Promise<{ readonly text: string; readonly actions: readonly string[] }> {
  const text = await read('docs/deployer-policy.json');
  const { Statement: statements }: Policy = JSON.parse(text);
  return { text, actions: statements.flatMap(({ Action: action }) => action) };
}

/** The permission for each command of the SDK; undefined: it needs none. Source: AWS's service authorization reference. */
const permissions: Readonly<Record<string, string | undefined>> = {
  CreateBucket: 's3:CreateBucket',
  CreateChangeSet: 'cloudformation:CreateChangeSet',
  DeleteBucketPolicy: 's3:DeleteBucketPolicy',
  DeleteChangeSet: 'cloudformation:DeleteChangeSet',
  DeleteMessageBatch: 'sqs:DeleteMessage',
  DeleteObject: 's3:DeleteObject',
  DeleteStack: 'cloudformation:DeleteStack',
  DescribeChangeSet: 'cloudformation:DescribeChangeSet',
  DescribeStackEvents: 'cloudformation:DescribeStackEvents',
  DescribeStacks: 'cloudformation:DescribeStacks',
  ExecuteChangeSet: 'cloudformation:ExecuteChangeSet',
  GetBucketNotificationConfiguration: 's3:GetBucketNotification',
  GetBucketPolicy: 's3:GetBucketPolicy',
  GetCallerIdentity: undefined,
  GetFunctionConfiguration: 'lambda:GetFunctionConfiguration',
  GetItem: 'dynamodb:GetItem',
  GetObject: 's3:GetObject',
  GetQueueAttributes: 'sqs:GetQueueAttributes',
  HeadBucket: 's3:ListBucket',
  HeadObject: 's3:GetObject',
  Invoke: 'lambda:InvokeFunction',
  ListObjectsV2: 's3:ListBucket',
  ListStackResources: 'cloudformation:ListStackResources',
  PutBucketNotificationConfiguration: 's3:PutBucketNotification',
  PutBucketPolicy: 's3:PutBucketPolicy',
  PutObject: 's3:PutObject',
  Query: 'dynamodb:Query',
  ReceiveMessage: 'sqs:ReceiveMessage',
  Scan: 'dynamodb:Scan',
  SendMessageBatch: 'sqs:SendMessage',
  UpdateItem: 'dynamodb:UpdateItem',
};

/** What the commands ask of the tables, through the port: they read rows and repositories, and `redrive` requests summaries. */
const tableCalls = ['GetItem', 'Query', 'Scan', 'UpdateItem'];

test('the policy of the deployer allows every call that the commands make', async () => {
  const { actions } = await deployerPolicy();
  const isAllowed = (wanted: string) =>
    actions.some((action) => (action.endsWith('*') ? wanted.startsWith(action.slice(0, -1)) : wanted === action));
  const made = new Set(tableCalls);
  for await (const file of glob(['scripts/**/*.ts', 'functions/adapters/aws/s3-objects.ts'], {
    cwd: root,
  })) {
    for (const [, command = '', page = ''] of (await read(file)).matchAll(/new (\w+)Command\(|paginate(\w+)\(/g))
      made.add(command || page);
  }
  assert.ok(made.size > 20, `${made.size} calls`);
  for (const command of made) {
    assert.ok(command in permissions, `say here which permission ${command} takes`);
    const permission = permissions[command];
    assert.ok(permission === undefined || isAllowed(permission), `docs/deployer-policy.json lacks ${permission}`);
  }
  const unmade = Object.keys(permissions).filter((command) => !made.has(command));
  assert.deepEqual(unmade, [], 'no command makes these');
});

test('it has something for the service of every resource, and fits into a managed policy', async () => {
  const { text, actions } = await deployerPolicy();
  const services = new Set(actions.map((action) => action.split(':')[0]));
  const types = new Set(
    Object.values(optionMatrix).flatMap((flags) =>
      Object.values(templateFor(flags).Resources).map(({ Type: type }) => type),
    ),
  );
  for (const type of types) {
    const service = type.split('::')[1]?.toLowerCase() ?? '';
    assert.ok(services.has(service), `nothing for ${type}`);
  }
  // IAM counts a policy without its white space, and takes 6,144 characters; the longest names that there can be.
  const names: Readonly<Record<string, string>> = {
    ACCOUNT: '1'.repeat(12),
    REGION: 'ap-southeast-2',
    STACK: 's'.repeat(32),
    BUCKET: 'b'.repeat(63),
  };
  const filled = text.replace(/ACCOUNT|REGION|STACK|BUCKET/g, (name) => names[name] ?? name);
  assert.ok(filled.replaceAll(/\s/g, '').length <= 6_144);
});

test('the runbook has a section for each alarm, and none for one that is not there', async () => {
  const alarms = [...resourcesOf(templateFor({ stack: 'n' }), 'AWS::CloudWatch::Alarm').values()];
  const names = alarms.map(({ Properties: { AlarmName: name } }) => String(name).slice('n-'.length));
  const sections = [...(await read('docs/runbook.md')).matchAll(/^### (.*)$/gm)].map(([, section]) => section);
  assert.deepEqual(sections, names);
});

test('every option of deploy is explained', async () => {
  const [script, document] = await Promise.all([read('scripts/commands/deploy.ts'), read('docs/deploying.md')]);
  const options = [...script.matchAll(/'(--[a-z-]+)/g)].map(([, option = '']) => option);
  assert.ok(options.length > 10);
  for (const option of options.filter((one) => !['--bundles'].includes(one)))
    assert.ok(document.includes(`\`${option}`) || document.includes(` ${option}`), option);
});

test('every link between the documents leads somewhere', async () => {
  for (const file of ['deploying.md', 'costs.md', 'runbook.md', 'running.md']) {
    for (const [, target = ''] of (await read(`docs/${file}`)).matchAll(/\]\((?!https?:)([^)#]+)[^)]*\)/g))
      await read(`docs/${target}`);
  }
});
