/** Starts a reindex on AWS, and waits until the queue is empty. */

import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { GetQueueAttributesCommand, type QueueAttributeName, type SQSClient } from '@aws-sdk/client-sqs';
import { CannotRun } from '../../functions/failures.ts';
import type { ReindexCounts, ReindexRequest } from '../../functions/lambda/compare-bucket.ts';
import type { Clock } from '../../functions/ports.ts';
import { count, printable } from '../../functions/wording.ts';
import type { Outputs } from './deployed-stack.ts';
import { commandLimits } from './limits.ts';

/** @throws {CannotRun} with the error of the function, if it fails */
export async function startReindex(
  lambda: LambdaClient,
  functionName: string,
  request: Pick<ReindexRequest, 'prefix' | 'force'>,
): Promise<ReindexCounts> {
  const { FunctionError: failure, Payload: payload } = await lambda.send(
    new InvokeCommand({ FunctionName: functionName, Payload: JSON.stringify(request) }),
  );
  const answer = payload === undefined ? '' : new TextDecoder().decode(payload);
  if (failure === undefined) return JSON.parse(answer);
  throw new CannotRun(`the reindex failed: ${messageOf(answer)}. Its log is in the group /aws/lambda/${functionName}.`);
}

/** What a reindex found and did, as lines for the user. */
export function describeReindex({ packages, repositories, hints, isComplete, unusable }: ReindexCounts): string[] {
  const found = `${count(packages, 'package')} in ${count(repositories, 'repository', 'repositories')}`;
  const more = isComplete ? '' : ' so far. The reindex is not complete: it continues in another invocation';
  return [
    `${found}, ${count(hints, 'hint')} sent${more}`,
    ...(unusable === undefined
      ? []
      : [
          `${count(unusable.packages, 'package')} cannot be indexed, because a part of the key is empty (//): ` +
            `${printable(unusable.first)}${unusable.packages === 1 ? '' : ' and others'}. Copy them to other keys.`,
        ]),
  ];
}

function messageOf(answer: string): string {
  try {
    const { errorMessage, errorType }: { errorMessage?: string; errorType?: string } = JSON.parse(answer);
    return errorMessage ?? errorType ?? answer;
  } catch {
    // Not JSON: show it as it is.
    return answer;
  }
}

export interface Queues {
  /** Hints that wait for extract. */
  readonly waiting: number;
  /** Hints that extract works on, or that failed and wait for a retry. */
  readonly taken: number;
  readonly deadHints: number;
  readonly deadChanges: number;
}

/** SQS's counts are approximate. */
export async function queueDepths(sqs: SQSClient, outputs: Outputs): Promise<Queues> {
  const [hints, deadHints, deadChanges] = await Promise.all(
    [outputs.QueueUrl, outputs.DeadHintsUrl, outputs.DeadChangesUrl].map((url) => depthOf(sqs, url)),
  );
  return {
    waiting: hints?.waiting ?? 0,
    taken: hints?.taken ?? 0,
    deadHints: deadHints?.waiting ?? 0,
    deadChanges: deadChanges?.waiting ?? 0,
  };
}

async function depthOf(sqs: SQSClient, url: string): Promise<{ readonly waiting: number; readonly taken: number }> {
  const { Attributes: attributes = {} } = await sqs.send(
    new GetQueueAttributesCommand({
      QueueUrl: url,
      AttributeNames: [
        'ApproximateNumberOfMessages',
        'ApproximateNumberOfMessagesDelayed',
        'ApproximateNumberOfMessagesNotVisible',
      ],
    }),
  );
  const number = (name: QueueAttributeName) => Number(attributes[name] ?? 0);
  return {
    waiting: number('ApproximateNumberOfMessages') + number('ApproximateNumberOfMessagesDelayed'),
    taken: number('ApproximateNumberOfMessagesNotVisible'),
  };
}

/**
 * Waits until the queue has been empty for a while, or its counts have not changed for too long.
 * @returns what is left in it
 */
export async function untilEmpty(
  read: () => Promise<Queues>,
  clock: Clock,
  onRead: (queues: Queues) => void,
): Promise<Queues> {
  let emptyChecks = 0;
  let last = '';
  let movedAt = clock.now().getTime();
  for (;;) {
    const queues = await read();
    onRead(queues);
    const isEmpty = queues.waiting + queues.taken === 0;
    emptyChecks = isEmpty ? emptyChecks + 1 : 0;
    if (JSON.stringify(queues) !== last) movedAt = clock.now().getTime();
    last = JSON.stringify(queues);
    const isStuck = clock.now().getTime() - movedAt >= commandLimits.stuckMillisecondsMax;
    if (emptyChecks === commandLimits.emptyChecksMin || isStuck) return queues;
    await clock.sleep(commandLimits.pollMillisecondsMax);
  }
}
