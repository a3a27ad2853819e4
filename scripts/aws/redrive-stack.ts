/** Empties the dead-letter queues of a stack: sends hints back, and requests summaries in place of changes. */

import { count } from '../../functions/wording.ts';
import { type ExitCode, exitCodes } from '../terminal/exit-codes.ts';
import { ownCommand } from '../terminal/own-command.ts';
import type { AccountOptions } from './account-options.ts';
import { sendBackHints, summarizeInstead } from './dead-letters.ts';
import { openStack } from './stack-stores.ts';

export interface RedriveOptions extends AccountOptions {
  readonly stack: string;
}

export async function redriveStack({ stack: name, ...account }: RedriveOptions): Promise<ExitCode> {
  const { clients, stack, records } = await openStack(name, account);
  const { DeadHintsUrl: dead, DeadChangesUrl: deadChanges, QueueUrl: hints } = stack.outputs;
  const sent = await sendBackHints(clients.sqs, { dead, hints });
  const { batches, repositories } = await summarizeInstead(clients.sqs, deadChanges, records);
  if (sent > 0) console.log(`Sent ${count(sent, 'dead hint')} back to the queue.`);
  if (batches > 0)
    console.log(
      `Requested a summary of ${count(repositories, 'repository', 'repositories')} in place of ${count(batches, 'dead batch', 'dead batches')} of changes.`,
    );
  console.log(
    sent + batches === 0
      ? `${name} has no dead letters.`
      : `To see what becomes of them: ${ownCommand(`status --stack ${name}`)}`,
  );
  return exitCodes.done;
}
