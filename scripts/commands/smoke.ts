/**
 * `npm run smoke`: does a deployed stack do its work? A tiny package goes up, and is waited for at each stage until the served
 * index has it; then it goes away again, and so must its record. In a directory of its own, so that nobody's index changes.
 */

import { Command, InvalidArgumentError } from 'commander';
import { SystemClock } from '../../functions/adapters/system-clock.ts';
import { CannotRun, type ExitCode, exitCodes } from '../../functions/failures.ts';
import { duration } from '../../functions/wording.ts';
import { type AccountOptions, accountOptions } from '../aws/account-options.ts';
import { commandLimits } from '../aws/limits.ts';
import { queueDepths } from '../aws/reindexing.ts';
import { type Answer, smokeTest } from '../aws/smoke-test.ts';
import { openStack, repositoryUrl, type StackStores } from '../aws/stack-stores.ts';
import { ending, exitCodesHelp, runCommand } from '../terminal/run-command.ts';

interface SmokeCommandOptions extends AccountOptions {
  readonly stack: string;
  readonly url?: string;
  readonly timeout: number;
}

async function smoke({ stack: name, url: given, timeout, ...account }: SmokeCommandOptions): Promise<ExitCode> {
  const stores = await openStack(name, account);
  const { objects, records, prefixes, stack } = stores;
  const url = (given ?? repositoryUrl(stack.outputs)).replace(/\/+$/, '');
  const repository = `${prefixes[0] ?? ''}pkgsrc-indexer-smoke`;
  console.log(`${name}: a package of its own below ${url}/${repository}`);
  const giveUp = new AbortController();
  const onInterrupt = () => giveUp.abort();
  process.once('SIGINT', onInterrupt);
  try {
    await smokeTest(
      { objects, records, clock: new SystemClock(), get: (key) => get(`${url}/${key}`) },
      {
        repository,
        // With a +, which S3 takes for a blank unless something helps: the copy, or CloudFront's function.
        name: `smoke+test-0.${Math.floor(Date.now() / 1000)}`,
        millisecondsMax: timeout * 1000,
        onStage: (stage, milliseconds) => console.log(`  ${stage.padEnd(32)} ${duration(milliseconds).padStart(8)}`),
        signal: giveUp.signal,
      },
    );
  } catch (error) {
    if (!(error instanceof CannotRun)) throw error;
    throw new CannotRun(`${error.message}. ${await describeQueues(stores)} The test's files were removed.`);
  } finally {
    process.removeListener('SIGINT', onInterrupt);
  }
  console.log(`${name} works. The test's files were removed.`);
  return exitCodes.done;
}

async function describeQueues({ clients, stack }: StackStores): Promise<string> {
  const { waiting, taken, deadHints, deadChanges } = await queueDepths(clients.sqs, stack.outputs);
  return (
    `In the queue: ${waiting} waiting, ${taken} being read; failed for good: ${deadHints} hints, ${deadChanges} batches of changes. ` +
    `The logs are in /aws/lambda/${stack.name}-extract and -summarize; S3 may take five minutes after a deployment to begin to send events.`
  );
}

/** As pkgin asks: the key as it is, with its `+`. */
async function get(url: string): Promise<Answer> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(commandLimits.smokeRequestMillisecondsMax) });
    return {
      status: answer.status,
      text: `${answer.statusText} from ${url}`,
      body: new Uint8Array(await answer.arrayBuffer()),
    };
  } catch (error) {
    const { message, cause } = error as Error;
    const reason = cause instanceof Error ? cause.message : message;
    return { status: 0, text: `no answer from ${url} (${reason})`, body: new Uint8Array() };
  }
}

const { profileOption, regionOption } = accountOptions();

const program = new Command('smoke')
  .description('Uploads a tiny package to a stack, waits until the served index has it, removes it, and waits again.')
  .requiredOption('--stack <name>', 'the stack to try')
  .option('--url <url>', 'where clients read the bucket, if not where the stack says')
  .option('--timeout <seconds>', 'for each way, there and back', parseTimeout, commandLimits.smokeSecondsDefault)
  .addOption(profileOption)
  .addOption(regionOption)
  .exitOverride()
  .showHelpAfterError('(--help shows what there is)')
  .addHelpText('after', exitCodesHelp)
  .action(ending((options: SmokeCommandOptions) => smoke(options)));

function parseTimeout(text: string): number {
  const { smokeSecondsMax: max } = commandLimits;
  if (!/^\d{1,5}$/.test(text) || Number(text) === 0 || Number(text) > max)
    throw new InvalidArgumentError(`Expected 1 to ${max} seconds.`);
  return Number(text);
}

await runCommand(program);
