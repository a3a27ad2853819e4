/**
 * Tests a deployed stack: uploads a tiny package, waits at each stage until the served index has it, removes it, and waits until
 * its record is gone. It uses a directory of its own, so no index of the user changes.
 */

import { SystemClock } from '../../functions/adapters/system-clock.ts';
import { CannotRun } from '../../functions/failures.ts';
import { duration } from '../../functions/wording.ts';
import { type ExitCode, exitCodes } from '../terminal/exit-codes.ts';
import type { AccountOptions } from './account-options.ts';
import { queueDepths } from './reindexing.ts';
import { type Answer, smokeTest } from './smoke-test.ts';
import { openStack, repositoryUrl, type StackStores } from './stack-stores.ts';

const smokeRequestLimits = {
  /** One HTTP request to the repository. */
  requestMillisecondsMax: 10_000,
} as const;

export interface SmokeCommandOptions extends AccountOptions {
  readonly stack: string;
  readonly url?: string;
  readonly timeout: number;
}

export async function smokeStack({
  stack: name,
  url: given,
  timeout,
  ...account
}: SmokeCommandOptions): Promise<ExitCode> {
  const stores = await openStack(name, account);
  const { objects, records, prefixes, stack } = stores;
  const url = (given ?? repositoryUrl(stack.outputs)).replace(/\/+$/, '');
  const repository = `${prefixes[0] ?? ''}pkgsrc-indexer-smoke`;
  console.log(`Testing ${name} with a package below ${url}/${repository}`);
  const giveUp = new AbortController();
  const onSignal = () => giveUp.abort();
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.once(signal, onSignal);
  try {
    await smokeTest(
      { objects, records, clock: new SystemClock(), get: (key) => get(`${url}/${key}`) },
      {
        repository,
        // S3 reads a + in a URL as a blank. The copy without + or CloudFront's function has to solve that.
        name: `smoke+test-0.${Math.floor(Date.now() / 1000)}`,
        millisecondsMax: timeout * 1000,
        onStage: (stage, milliseconds) => console.log(`  ${stage.padEnd(32)} ${duration(milliseconds).padStart(8)}`),
        signal: giveUp.signal,
      },
    );
  } catch (error) {
    if (!(error instanceof CannotRun)) throw error;
    throw new CannotRun(`${error.message}. ${await describeQueues(stores)} The test files were removed.`);
  } finally {
    for (const signal of signals) process.removeListener(signal, onSignal);
  }
  console.log(`${name} works. The test files were removed.`);
  return exitCodes.done;
}

async function describeQueues({ clients, stack }: StackStores): Promise<string> {
  const { waiting, taken, deadHints, deadChanges } = await queueDepths(clients.sqs, stack.outputs);
  return (
    `Queue: ${waiting} waiting, ${taken} being read; dead: ${deadHints} hints, ${deadChanges} batches of changes. ` +
    `The logs are in /aws/lambda/${stack.name}-extract and -summarize. After a deployment, S3 may need five minutes until it sends events.`
  );
}

/** Requests the key as pkgin does, with its `+`. */
async function get(url: string): Promise<Answer> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(smokeRequestLimits.requestMillisecondsMax) });
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
