/** Starts a reindex of a stack, and with `--wait` follows it to its end. */

import { SystemClock } from '../../functions/adapters/system-clock.ts';
import { repositoryStatuses } from '../../functions/check/repository-status.ts';
import { CannotRun } from '../../functions/failures.ts';
import { confirm } from '../../functions/index/confirmation.ts';
import { heldBackSentence } from '../../functions/index/hold-back.ts';
import { joinKey } from '../../functions/keys.ts';
import { count, printable, repositoryName } from '../../functions/wording.ts';
import { type ExitCode, exitCodes } from '../terminal/exit-codes.ts';
import { ownCommand } from '../terminal/own-command.ts';
import { Progress } from '../terminal/progress.ts';
import type { AccountOptions } from './account-options.ts';
import { describeReindex, queueDepths, startReindex, untilEmpty } from './reindexing.ts';
import { openStack, type StackStores } from './stack-stores.ts';

export interface ReindexOptions extends AccountOptions {
  readonly stack: string;
  readonly prefix?: string;
  readonly force?: boolean;
  /** Confirm what is held back. */
  readonly adopt?: boolean;
  readonly wait?: boolean;
}

export async function reindexStack({
  stack: name,
  prefix,
  force,
  adopt = false,
  wait,
  ...account
}: ReindexOptions): Promise<ExitCode> {
  const stores = await openStack(name, account);
  const { clients, stack, prefixes } = stores;
  if (prefix !== undefined) expectWatched(name, prefix, prefixes);
  // Before: the reindex requests the summaries that publish it.
  if (adopt) await confirmHeldBack(stores, prefix === undefined ? '' : prefix);
  const counts = await startReindex(clients.lambda, stack.outputs.ReindexFunction, {
    ...(prefix === undefined ? {} : { prefix }),
    ...(force === undefined ? {} : { force }),
  });
  console.log(describeReindex(counts).join('\n'));
  return wait === true ? untilDone(stores, counts.hints) : exitCodes.done;
}

async function confirmHeldBack({ objects, records, prefixes }: StackStores, prefix: string): Promise<void> {
  let confirmed = 0;
  for await (const repository of records.repositories()) {
    const place = joinKey(repository, '');
    const isWatched = prefixes.length === 0 || prefixes.some((watched) => place.startsWith(watched));
    if (!isWatched || !place.startsWith(prefix)) continue;
    const { heldBack } = await records.state(repository);
    if (heldBack === undefined) continue;
    await confirm({ objects, clock: new SystemClock() }, repository, heldBack);
    console.log(`${printable(repositoryName(repository))}: confirmed what was ${heldBackSentence(heldBack)}`);
    confirmed += 1;
  }
  if (confirmed === 0) console.log('nothing is held back');
}

/** The functions may only read keys that the stack watches. */
function expectWatched(stack: string, prefix: string, prefixes: readonly string[]): void {
  if (prefixes.length === 0 || prefixes.some((watched) => `${prefix}/`.startsWith(watched))) return;
  throw new CannotRun(`--prefix ${prefix}: the stack ${stack} watches only ${prefixes.join(', ')}.`);
}

async function untilDone(stores: StackStores, hints: number): Promise<ExitCode> {
  const { clients, stack, objects, records, prefixes } = stores;
  const progress = new Progress('reading packages');
  // The queue may hold older hints, too.
  let total = hints;
  try {
    progress.start(total);
    const read = () => queueDepths(clients.sqs, stack.outputs);
    const left = await untilEmpty(read, new SystemClock(), ({ waiting, taken }) => {
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
      left.deadHints > 0
        ? `; ${count(left.deadHints, 'dead hint')}: ${ownCommand(`redrive --stack ${stack.name}`)} retries them`
        : '';
    throw new CannotRun(
      `some packages have not been read yet: ${ownCommand(`status --stack ${stack.name}`)} lists them${dead}`,
    );
  } finally {
    progress.stop();
  }
}
