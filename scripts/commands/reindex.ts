/** `npm run reindex`: the bucket of a stack is compared with its table, now and not only at night; `--wait` until it is done. */

import { Command } from 'commander';
import { SystemClock } from '../../functions/adapters/system-clock.ts';
import { repositoryStatuses } from '../../functions/check/repository-status.ts';
import { CannotRun, type ExitCode, exitCodes } from '../../functions/failures.ts';
import { count } from '../../functions/wording.ts';
import { type AccountOptions, accountOptions } from '../aws/account-options.ts';
import { queueDepths, startReindex, untilEmpty } from '../aws/reindexing.ts';
import { openStack, type StackStores } from '../aws/stack-stores.ts';
import { Progress } from '../terminal/progress.ts';
import { ending, exitCodesHelp, runCommand } from '../terminal/run-command.ts';

interface ReindexOptions extends AccountOptions {
  readonly stack: string;
  readonly prefix?: string;
  readonly force?: boolean;
  readonly wait?: boolean;
}

async function reindex({ stack: name, prefix, force, wait, ...account }: ReindexOptions): Promise<ExitCode> {
  const stores = await openStack(name, account);
  const { clients, stack, prefixes } = stores;
  if (prefix !== undefined) expectWatched(name, prefix, prefixes);
  const counts = await startReindex(clients.lambda, stack.outputs.ReindexFunction, {
    ...(prefix === undefined ? {} : { prefix }),
    ...(force === undefined ? {} : { force }),
  });
  const found = `${count(counts.packages, 'package')} in ${count(counts.repositories, 'repository', 'repositories')}`;
  console.log(`${found}, ${count(counts.hints, 'hint')} sent${counts.isComplete ? '' : '; it goes on by itself'}`);
  return wait === true ? untilDone(stores, counts.hints) : exitCodes.done;
}

/** Keys that the stack does not watch are none that its functions may read. */
function expectWatched(stack: string, prefix: string, prefixes: readonly string[]): void {
  if (prefixes.length === 0 || prefixes.some((watched) => `${prefix}/`.startsWith(watched))) return;
  throw new CannotRun(`--prefix ${prefix}: the stack ${stack} watches only ${prefixes.join(', ')}.`);
}

async function untilDone(stores: StackStores, hints: number): Promise<ExitCode> {
  const { clients, stack, objects, records, prefixes } = stores;
  const progress = new Progress('reading packages');
  // What was in the queue before counts as well.
  let total = hints;
  try {
    progress.start(total);
    const look = () => queueDepths(clients.sqs, stack.outputs);
    const left = await untilEmpty(look, new SystemClock(), ({ waiting, taken }) => {
      total = Math.max(total, waiting + taken);
      progress.update(total - waiting - taken, total);
    });
    progress.stop();
    const statuses = await repositoryStatuses(objects, records, prefixes);
    const sum = (of: (status: (typeof statuses)[number]) => number) =>
      statuses.reduce((total, status) => total + of(status), 0);
    const [packages, rejected] = [sum((status) => status.packages), sum((status) => status.rejected.length)];
    const pending = sum((status) => status.pending.length);
    console.log(`${count(packages, 'package')} indexed, ${rejected} rejected, ${pending} pending`);
    if (pending + left.waiting + left.taken === 0) return rejected > 0 ? exitCodes.rejected : exitCodes.done;
    const dead =
      left.deadHints > 0 ? `; ${count(left.deadHints, 'hint')} failed for good: docs/runbook.md, dead-hints` : '';
    throw new CannotRun(
      `some packages have not been read yet: npm run status -- --stack ${stack.name} names them${dead}`,
    );
  } finally {
    progress.stop();
  }
}

const { profileOption, regionOption } = accountOptions();

const program = new Command('reindex')
  .description('Compares the bucket of a stack with its table, and has every difference read.')
  .requiredOption('--stack <name>', 'the stack that is meant')
  .option('--prefix <prefix>', 'only keys that begin with it (default: all that the stack watches)')
  .option('--force', 'read every package again, changed or not')
  .option('--wait', 'until all of it has been read')
  .addOption(profileOption)
  .addOption(regionOption)
  .exitOverride()
  .showHelpAfterError('(--help shows what there is)')
  .addHelpText('after', exitCodesHelp)
  .action(ending((options: ReindexOptions) => reindex(options)));

await runCommand(program);
