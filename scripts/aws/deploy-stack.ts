/**
 * Deploys a stack, and does what a template cannot: adds notification rules and a policy statement to an existing bucket, and
 * starts the first reindex. A second deployment changes only what differs.
 *
 * It uses CloudFormation's change sets through the SDK. The CDK's command line would need `cdk bootstrap` first, with its four
 * roles and a bucket. A change set is the difference as CloudFormation sees it, its events show the progress, and AWS_ENDPOINT_URL
 * works for every request.
 */

import { DeleteStackCommand, type Stack } from '@aws-sdk/client-cloudformation';
import { SystemClock } from '../../functions/adapters/system-clock.ts';
import { CannotRun, UsageError } from '../../functions/failures.ts';
import { pageFile } from '../../functions/page/page.ts';
import { BadOption } from '../../infra/bad-option.ts';
import { type IndexerFlags, type IndexerOptions, indexerOptions, isUsableBucketName } from '../../infra/options.ts';
import { confirm, expectTerminal } from '../terminal/confirm.ts';
import { type ExitCode, exitCodes } from '../terminal/exit-codes.ts';
import { ownCommand } from '../terminal/own-command.ts';
import { Progress } from '../terminal/progress.ts';
import type { AccountOptions } from './account-options.ts';
import { checkBucket, connectBucket } from './bucket-adoption.ts';
import { type ChangeSet, describeChanges, discard, execute, proposeChanges, type TemplatePlace } from './change-set.ts';
import { type Clients, clientsFor, type Identity, identify, s3Url } from './clients.ts';
import { bucketNameFor, type CodePlace, makeCodeBucket, putCode } from './code.ts';
import { expectStack, findStack, type Outputs, readOutputs } from './deployed-stack.ts';
import type { Plan } from './plan.ts';
import { describeReindex, startReindex } from './reindexing.ts';
import { repositoryPaths } from './repository-paths.ts';
import { follow, lookBefore } from './stack-events.ts';
import { repositoryUrl } from './stack-stores.ts';

const deployLimits = {
  /** The largest template in a request to CloudFormation; it fetches larger ones from S3. */
  templateBytesMax: 51_200,
} as const;

export interface DeployOptions extends IndexerFlags, AccountOptions {
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

const clock = new SystemClock();

/** What a deployment needs. */
interface Deployment {
  readonly plan: Plan;
  readonly clients: Clients;
  readonly identity: Identity;
  /** The stack that exists; undefined: it will be created. */
  readonly old: Stack | undefined;
}

export async function deployStack(flags: DeployOptions): Promise<ExitCode> {
  try {
    return await deploy(flags);
  } catch (error) {
    if (error instanceof BadOption) throw new UsageError(error.message);
    throw error;
  }
}

async function deploy(flags: DeployOptions): Promise<ExitCode> {
  const options = indexerOptions(flags);
  // The CDK takes a second to load.
  const { describePlan, makePlan } = await import('./plan.ts');
  const plan = await makePlan(options, {
    bundles: flags.bundles,
    outdir: process.env.CDK_OUTDIR ?? 'cdk.out',
    region: flags.region,
  });
  if (flags.dryRun === true) {
    console.log(describePlan(plan));
    if (!isUsableBucketName(options.bucket)) console.log(`\n${shortName(options)}`);
    return exitCodes.done;
  }
  if (!isUsableBucketName(options.bucket)) throw new CannotRun(shortName(options));
  expectTerminal(flags.yes);
  const clients = await clientsFor(flags);
  const identity = await identify(clients);
  console.log(`Account ${identity.account} as ${identity.arn}, region ${clients.region}`);
  const old = await findUsable(clients, options.stack);
  const deployment = { plan, clients, identity, old };
  const adoption = {
    options,
    clients,
    account: identity.account,
    old: old && { ...readOutputs(old), name: options.stack },
  };
  await checkBucket(adoption);

  const changeSet = await propose(deployment);
  const isChanged = changeSet.changes.length > 0;
  if (isChanged) {
    console.log(`${options.stack} will be ${changeSet.isCreation ? 'created' : 'changed'}:`);
    console.log(describeChanges(changeSet.changes).join('\n'));
    if (!(await confirm('Deploy this?', flags.yes))) {
      await discard(clients.cloudFormation, options.stack, changeSet);
      console.log('Nothing was changed.');
      return exitCodes.done;
    }
    await change(deployment, changeSet);
  } else console.log(`${options.stack} is already up to date.`);

  const { outputs } = await expectStack(clients, options.stack);
  const isBucketChanged = await connectBucket(adoption, outputs, clock);
  if (isChanged || isBucketChanged) await reindexOnce(clients, outputs, options.stack);
  const repositories = await repositoryPaths(clients.s3, outputs.Bucket, options.prefixes);
  console.log(farewell(options, outputs, repositories));
  if (changeSet.isCreation || isBucketChanged) {
    console.log(
      '\nS3 may need five minutes until it sends events. The daily reindex finds packages that were uploaded before that.',
    );
  }
  return exitCodes.done;
}

function shortName({ bucket }: IndexerOptions): string {
  return `"${bucket.name}" is not a valid bucket name: S3 expects 3 to 63 characters. Choose another --bucket.`;
}

/** The stack, if it can be changed. A stack whose creation failed is empty and can only be removed, so this removes it. */
async function findUsable({ cloudFormation }: Clients, name: string): Promise<Stack | undefined> {
  const stack = await findStack(cloudFormation, name);
  const { StackStatus: status = '', StackId: id = name } = stack ?? {};
  if (status.endsWith('_IN_PROGRESS')) {
    throw new CannotRun(`the stack ${name} is busy (${status}): wait until that is done, and try again.`);
  }
  if (status === 'DELETE_FAILED') {
    throw new CannotRun(
      `the deletion of the stack ${name} failed: run ${ownCommand(`destroy --stack ${name}`)} to finish it.`,
    );
  }
  if (status === 'UPDATE_ROLLBACK_FAILED') {
    throw new CannotRun(
      `the rollback of the stack ${name} failed: use "Continue update rollback" in CloudFormation's console.`,
    );
  }
  if (status !== 'ROLLBACK_COMPLETE' && status !== 'ROLLBACK_FAILED' && status !== 'CREATE_FAILED') return stack;
  console.log(`An earlier attempt to create ${name} failed and left an empty stack. Removing it first.`);
  const before = await lookBefore(cloudFormation, id);
  await cloudFormation.send(new DeleteStackCommand({ StackName: name }));
  await follow({ cloudFormation, clock }, before);
  return undefined;
}

async function propose({ plan, clients, identity, old }: Deployment): Promise<ChangeSet> {
  const template = JSON.stringify(plan.template);
  const isSmall = Buffer.byteLength(template) <= deployLimits.templateBytesMax;
  const place = isSmall ? { body: template } : await putTemplate(plan, clients, identity);
  return proposeChanges(clients.cloudFormation, clock, {
    stack: plan.options.stack,
    template: place,
    isCreation: old === undefined,
  });
}

async function putTemplate(plan: Plan, { s3, region }: Clients, { account }: Identity): Promise<TemplatePlace> {
  const place = codePlace(plan, account, region);
  await makeCodeBucket(s3, place);
  const asset = plan.assets.find(({ packaging }) => packaging === 'file');
  if (asset === undefined) throw new Error(`expected the template among the assets of ${plan.templateFile}`);
  await putCode(s3, place, asset);
  return { url: `${s3Url(region)}/${place.bucket}/${asset.objectKey}` };
}

function codePlace({ codeBucket }: Plan, account: string, region: string): CodePlace {
  return { bucket: bucketNameFor(codeBucket, { account, region }), account, region };
}

async function change({ plan, clients, identity }: Deployment, changeSet: ChangeSet): Promise<void> {
  const { cloudFormation, s3, region } = clients;
  const place = codePlace(plan, identity.account, region);
  if ((await makeCodeBucket(s3, place)) === 'made')
    console.log(`Created the bucket ${place.bucket} for the code of the functions.`);
  for (const asset of plan.assets.filter(({ packaging }) => packaging === 'zip')) await putCode(s3, place, asset);

  const before = await lookBefore(cloudFormation, changeSet.stackId);
  await execute(cloudFormation, plan.options.stack, changeSet);
  const progress = new Progress('changing resources');
  progress.start(changeSet.changes.length);
  const { isDone, failures, status } = await follow({ cloudFormation, clock }, before, progress).finally(() =>
    progress.stop(),
  );
  if (isDone) return;
  const { stack } = plan.options;
  const outcome = changeSet.isCreation
    ? `the stack ${stack} could not be created (${status}). Fix this, and deploy again:`
    : `the stack ${stack} could not be changed and was rolled back (${status}). Fix this, and deploy again:`;
  throw new CannotRun([outcome, ...failures].join('\n  '));
}

async function reindexOnce({ lambda }: Clients, outputs: Outputs, stack: string): Promise<void> {
  const counts = await startReindex(lambda, outputs.ReindexFunction, {}).catch((error: unknown) => {
    if (!(error instanceof CannotRun)) throw error;
    throw new CannotRun(`deployed, but ${error.message} Then run ${ownCommand(`reindex --stack ${stack}`)}`);
  });
  console.log(`reindex: ${describeReindex(counts).join('\n')}`);
}

/** @param paths of the repositories, as far as they are known */
function farewell(
  { stack, alarmEmail, bucket, cdn, publicBucket, page }: IndexerOptions,
  outputs: Outputs,
  paths: readonly string[],
): string {
  const url = repositoryUrl(outputs);
  const isClosed = bucket.kind === 'new' && !cdn && !publicBucket;
  const repositories = paths.map((path) => `${url}/${path}`);
  const { KeyPolicyStatement: keyStatement, PublicationsTopicArn: topic } = outputs;
  return [
    '',
    `Repository URL: ${url}`,
    "For pkgin's repositories.conf:",
    ...repositories.map((repository) => `  ${repository}`),
    ...(page ? ['For a browser:', ...repositories.map((repository) => `  ${repository}/${cdn ? '' : pageFile}`)] : []),
    ...(isClosed
      ? ['Reading needs credentials. To serve the public, deploy without --no-cdn, or with --public-bucket.']
      : []),
    ...(keyStatement === undefined
      ? []
      : [
          'CloudFront cannot decrypt the packages until the policy of the KMS key has this statement:',
          `  ${keyStatement}`,
        ]),
    ...(alarmEmail === undefined ? [] : [`Alarms go to ${alarmEmail}. AWS sends a mail there first: confirm it.`]),
    ...(topic === undefined ? [] : [`Subscribe to publications at ${topic}`]),
    '',
    `To see its state:  ${ownCommand(`status --stack ${stack}`)}`,
    `To test it:        ${ownCommand(`smoke --stack ${stack}`)}`,
  ].join('\n');
}
