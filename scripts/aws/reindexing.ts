/** A reindex on AWS: asked of its function, and followed until the queue is empty. */

import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { GetQueueAttributesCommand, type QueueAttributeName, type SQSClient } from '@aws-sdk/client-sqs';
import { CannotRun } from '../../functions/failures.ts';
import type { ReindexCounts, ReindexRequest } from '../../functions/lambda/compare-bucket.ts';
import type { Clock } from '../../functions/ports.ts';
import type { Outputs } from './deployed-stack.ts';
import { commandLimits } from './limits.ts';

/** @throws {CannotRun} with what the function said, where it failed. */
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
  throw new CannotRun(`the reindex failed: ${messageOf(answer)}. Its log group is /aws/lambda/${functionName}.`);
}

function messageOf(answer: string): string {
  try {
    const { errorMessage, errorType }: { errorMessage?: string; errorType?: string } = JSON.parse(answer);
    return errorMessage ?? errorType ?? answer;
  } catch {
    // Not JSON: whatever it is says more than we could.
    return answer;
  }
}

export interface Queues {
  /** Hints that wait for extract. */
  readonly waiting: number;
  /** Hints that extract has been given, or that failed and wait for their next try. */
  readonly taken: number;
  readonly deadHints: number;
  readonly deadChanges: number;
}

/** SQS counts approximately. */
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
 * Until the queue has been empty for a while, or has not moved for too long.
 * @returns what is left in it.
 */
export async function untilEmpty(
  look: () => Promise<Queues>,
  clock: Clock,
  onLook: (queues: Queues) => void,
): Promise<Queues> {
  let emptyLooks = 0;
  let last = '';
  let movedAt = clock.now().getTime();
  for (;;) {
    const queues = await look();
    onLook(queues);
    const isEmpty = queues.waiting + queues.taken === 0;
    emptyLooks = isEmpty ? emptyLooks + 1 : 0;
    if (JSON.stringify(queues) !== last) movedAt = clock.now().getTime();
    last = JSON.stringify(queues);
    const isStuck = clock.now().getTime() - movedAt >= commandLimits.stuckMillisecondsMax;
    if (emptyLooks === commandLimits.emptyLooksMin || isStuck) return queues;
    await clock.sleep(commandLimits.pollMillisecondsMax);
  }
}
