/**
 * `npm run deploy`: the stack as the options say, and what no template can do: the rules in an existing bucket's notifications,
 * the statement in its policy, and a first reindex. Deploying again changes only what differs.
 *
 * Through CloudFormation's change sets with the SDK, not through the CDK's command line: that would want `cdk bootstrap` first,
 * and its four roles and bucket; a change set is the difference as CloudFormation itself sees it, its events are the progress,
 * and every request goes where AWS_ENDPOINT_URL says.
 */

import { DeleteStackCommand, type Stack } from '@aws-sdk/client-cloudformation';
import { Command } from 'commander';
import { SystemClock } from '../../functions/adapters/system-clock.ts';
import { CannotRun, type ExitCode, exitCodes } from '../../functions/failures.ts';
import { pageFile } from '../../functions/page/page.ts';
import { count } from '../../functions/wording.ts';
import {
  BadOption,
  type IndexerFlags,
  type IndexerOptions,
  indexerOptions,
  isUsableBucketName,
} from '../../infra/options.ts';
import { type AccountOptions, accountOptions } from '../aws/account-options.ts';
import { checkBucket, connectBucket } from '../aws/bucket-adoption.ts';
import {
  type ChangeSet,
  describeChanges,
  discard,
  execute,
  proposeChanges,
  type TemplatePlace,
} from '../aws/change-set.ts';
import { type Clients, clientsFor, endpointOf, type Identity, identify } from '../aws/clients.ts';
import { bucketNameFor, type CodePlace, makeCodeBucket, putCode } from '../aws/code.ts';
import { expectStack, findStack, type Outputs, readOutputs } from '../aws/deployed-stack.ts';
import { commandLimits } from '../aws/limits.ts';
import type { Plan } from '../aws/plan.ts';
import { startReindex } from '../aws/reindexing.ts';
import { follow, lookBefore } from '../aws/stack-events.ts';
import { repositoryUrl } from '../aws/stack-stores.ts';
import { confirm, expectSomebody } from '../terminal/confirm.ts';
import { Progress } from '../terminal/progress.ts';
import { ending, exitCodesHelp, runCommand } from '../terminal/run-command.ts';

interface DeployOptions extends IndexerFlags, AccountOptions {
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

const clock = new SystemClock();

/** Everything that a deployment goes by. */
interface Deployment {
  readonly plan: Plan;
  readonly clients: Clients;
  readonly identity: Identity;
  /** As it was found; undefined: it is to be made. */
  readonly old: Stack | undefined;
}

async function deployOrRefuse(flags: DeployOptions): Promise<ExitCode> {
  try {
    return await deploy(flags);
  } catch (error) {
    if (error instanceof BadOption) return program.error(error.message, { exitCode: exitCodes.usage });
    throw error;
  }
}

async function deploy(flags: DeployOptions): Promise<ExitCode> {
  const options = indexerOptions(flags);
  // The CDK takes a second to load.
  const { describePlan, makePlan } = await import('../aws/plan.ts');
  const plan = await makePlan(options, flags.bundles, process.env.CDK_OUTDIR ?? 'cdk.out');
  if (flags.dryRun === true) {
    console.log(describePlan(plan));
    if (!isUsableBucketName(options.bucket)) console.log(`\n${shortName(options)}`);
    return exitCodes.done;
  }
  if (!isUsableBucketName(options.bucket)) throw new CannotRun(shortName(options));
  expectSomebody(flags.yes);
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
    console.log(`${options.stack} would be ${changeSet.isCreation ? 'made' : 'changed'}:`);
    console.log(describeChanges(changeSet.changes).join('\n'));
    if (!(await confirm('Deploy this?', flags.yes))) {
      await discard(clients.cloudFormation, options.stack, changeSet);
      console.log('Nothing was changed.');
      return exitCodes.done;
    }
    await change(deployment, changeSet);
  } else console.log(`${options.stack} is as it should be: no resource changes.`);

  const { outputs } = await expectStack(clients, options.stack);
  const isBucketChanged = await connectBucket(adoption, outputs, clock);
  if (isChanged || isBucketChanged) await reindexOnce(clients, outputs, options.stack);
  console.log(farewell(options, outputs));
  if (changeSet.isCreation || isBucketChanged) {
    console.log(
      '\nS3 may take five minutes to begin to send events. A reindex finds what was uploaded meanwhile; there is one a day.',
    );
  }
  return exitCodes.done;
}

function shortName({ bucket }: IndexerOptions): string {
  return `S3 will not have a bucket called "${bucket.name}": a name has 3 to 63 characters. Choose another --bucket.`;
}

/** The stack, if it can be changed. One whose creation failed can only be removed: it is, for it holds nothing. */
async function findUsable({ cloudFormation }: Clients, name: string): Promise<Stack | undefined> {
  const stack = await findStack(cloudFormation, name);
  const { StackStatus: status = '', StackId: id = name } = stack ?? {};
  if (status.endsWith('_IN_PROGRESS')) {
    throw new CannotRun(`the stack ${name} is being worked on (${status}): wait until that has ended.`);
  }
  if (status === 'DELETE_FAILED') {
    throw new CannotRun(`the stack ${name} is half deleted: npm run destroy -- --stack ${name} goes on with that.`);
  }
  if (status === 'UPDATE_ROLLBACK_FAILED') {
    throw new CannotRun(
      `the stack ${name} could not go back to what it was: CloudFormation's console has "Continue update rollback".`,
    );
  }
  if (status !== 'ROLLBACK_COMPLETE' && status !== 'ROLLBACK_FAILED' && status !== 'CREATE_FAILED') return stack;
  console.log(`An earlier attempt to make ${name} failed and left an empty stack: it is removed first.`);
  const before = await lookBefore(cloudFormation, id);
  await cloudFormation.send(new DeleteStackCommand({ StackName: name }));
  await follow({ cloudFormation, clock }, before);
  return undefined;
}

async function propose({ plan, clients, identity, old }: Deployment): Promise<ChangeSet> {
  const template = JSON.stringify(plan.template);
  const isSmall = Buffer.byteLength(template) <= commandLimits.templateBytesMax;
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
  const endpoint = endpointOf('S3')?.replace(/\/+$/, '') ?? `https://s3.${region}.amazonaws.com`;
  return { url: `${endpoint}/${place.bucket}/${asset.objectKey}` };
}

function codePlace({ codeBucket }: Plan, account: string, region: string): CodePlace {
  return { bucket: bucketNameFor(codeBucket, { account, region }), account, region };
}

async function change({ plan, clients, identity }: Deployment, changeSet: ChangeSet): Promise<void> {
  const { cloudFormation, s3, region } = clients;
  const place = codePlace(plan, identity.account, region);
  if ((await makeCodeBucket(s3, place)) === 'made')
    console.log(`made the bucket ${place.bucket} for the functions' code`);
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
    ? `the stack ${stack} could not be made (${status}); mend this, and deploy again:`
    : `the stack ${stack} could not be changed and is as it was before (${status}); mend this, and deploy again:`;
  throw new CannotRun([outcome, ...failures].join('\n  '));
}

async function reindexOnce({ lambda }: Clients, outputs: Outputs, stack: string): Promise<void> {
  const { packages, repositories, hints, isComplete } = await startReindex(lambda, outputs.ReindexFunction, {}).catch(
    (error: unknown) => {
      if (!(error instanceof CannotRun)) throw error;
      throw new CannotRun(`deployed, but ${error.message} Then: npm run reindex -- --stack ${stack}`);
    },
  );
  const found = `${count(packages, 'package')} in ${count(repositories, 'repository', 'repositories')}`;
  console.log(`reindex: ${found}, ${count(hints, 'hint')} sent${isComplete ? '' : '; it goes on by itself'}`);
}

function farewell(
  { stack, prefixes, alarmEmail, bucket, cdn, publicBucket, page }: IndexerOptions,
  outputs: Outputs,
): string {
  const url = repositoryUrl(outputs);
  const isClosed = bucket.kind === 'new' && !cdn && !publicBucket;
  const repositories = (prefixes.length === 0 ? ['DIRECTORY-OF-YOUR-PACKAGES'] : prefixes).map(
    (path) => `${url}/${path}`,
  );
  return [
    '',
    `Repository URL: ${url}`,
    "For pkgin's repositories.conf:",
    ...repositories.map((repository) => `  ${repository}`),
    ...(page ? ['For a browser:', ...repositories.map((repository) => `  ${repository}/${cdn ? '' : pageFile}`)] : []),
    ...(isClosed ? ['Nobody can read there without credentials: --public-bucket, or leave --no-cdn out.'] : []),
    ...(alarmEmail === undefined
      ? []
      : [`Alarms go to ${alarmEmail} once the mail that AWS sends there is confirmed.`]),
    '',
    `What is going on:  npm run status -- --stack ${stack}`,
    `Whether it works:  npm run smoke -- --stack ${stack}`,
  ].join('\n');
}

const { profileOption, regionOption } = accountOptions();

const program = new Command('deploy')
  .description('Deploys the indexer to AWS, or changes what is deployed.')
  .option('--bucket <name>', 'the bucket with the packages (default: STACK-ACCOUNT-REGION)')
  .option('--existing', 'the bucket is there already; its packages, index, rules and policy stay')
  .option('--prefix <prefix>', 'watch only keys below it; may be given several times (default: all keys)', collect)
  .option('--debounce <seconds>', 'how long a change waits for others, 0 to 300 (default: 10)')
  .option('--formats <list>', 'index formats: gz or gz,zst (default: gz,zst)')
  .option('--no-page', 'without a package browser: an index.html is neither put beside an index nor kept current')
  .option('--no-cdn', 'without CloudFront: clients read from the bucket')
  .option('--public-bucket', 'let everyone read the new bucket itself')
  .option('--alarm-email <address>', 'where alarms go')
  .option('--keep-tables', 'keep the tables when the stack is destroyed')
  .option('--stack <name>', "the stack's name (default: pkgsrc-indexer)")
  .addOption(profileOption)
  .addOption(regionOption)
  .option(
    '--asset-bucket <name>',
    "the bucket for the functions' code (default: one for all stacks of the account and region)",
  )
  .option('--bundles <dir>', 'take the functions from there instead of building them')
  .option('--dry-run', 'say what would be done, and write the template; asks nobody, needs no credentials')
  .option('--yes', 'do not ask')
  .exitOverride()
  .showHelpAfterError('(--help shows what there is)')
  .addHelpText('after', exitCodesHelp)
  .action(ending(deployOrRefuse));

function collect(prefix: string, before: readonly string[] = []): readonly string[] {
  return [...before, prefix];
}

await runCommand(program);
