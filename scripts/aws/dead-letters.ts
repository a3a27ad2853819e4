/** The dead-letter queues of a stack: hints that extract gave up, and batches of changes that summarize gave up. */

import {
  DeleteMessageBatchCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { hintsFrom } from '../../functions/events.ts';
import { CannotRun } from '../../functions/failures.ts';
import type { ObjectKey, RecordTable } from '../../functions/ports.ts';

const deadLetterLimits = {
  /** Messages in one request (SQS). */
  messagesPerRequestMax: 10,
  /** How long `redrive` hides the messages that it works on from other readers. */
  redriveSeconds: 300,
  /** How many dead hints `explain` reads at most, and for how long it hides them from others. */
  deadHintsReadMax: 200,
  peekSeconds: 5,
} as const;

/** A message and the handle to delete it with. */
interface Received {
  readonly id: string;
  readonly body: string;
  readonly handle: string;
}

/**
 * Sends every dead hint back to the queue of hints. A message is deleted only after the queue holds it: an interruption sends it twice,
 * which does no harm.
 * @returns how many
 */
export async function sendBackHints(
  sqs: SQSClient,
  { dead, hints }: { readonly dead: string; readonly hints: string },
): Promise<number> {
  let sent = 0;
  for await (const messages of receiveAll(sqs, dead)) {
    const entries = messages.map(({ id, body }) => ({ Id: id, MessageBody: body }));
    const { Failed: failed = [] } = await sqs.send(new SendMessageBatchCommand({ QueueUrl: hints, Entries: entries }));
    const refused = new Set(failed.map(({ Id: id }) => id));
    const done = messages.filter(({ id }) => !refused.has(id));
    if (done.length > 0) await deleteMessages(sqs, dead, done);
    sent += done.length;
    const [refusal] = failed;
    if (refusal !== undefined)
      throw new CannotRun(
        `SQS refused ${failed.length} of the dead hints (${refusal.Message ?? refusal.Code}); try again.`,
      );
  }
  return sent;
}

/**
 * A dead batch of changes only says where in the stream it was, and the stream forgets it after a day. So this requests a summary of
 * every repository, which covers all of them, and then deletes the messages.
 * @returns how many batches there were, and how many repositories
 */
export async function summarizeInstead(
  sqs: SQSClient,
  deadUrl: string,
  records: RecordTable,
): Promise<{ readonly batches: number; readonly repositories: number }> {
  const messages: Received[] = [];
  for await (const page of receiveAll(sqs, deadUrl)) messages.push(...page);
  if (messages.length === 0) return { batches: 0, repositories: 0 };
  let repositories = 0;
  for await (const repository of records.repositories()) {
    await records.requestSummary(repository);
    repositories += 1;
  }
  for (let at = 0; at < messages.length; at += deadLetterLimits.messagesPerRequestMax)
    await deleteMessages(sqs, deadUrl, messages.slice(at, at + deadLetterLimits.messagesPerRequestMax));
  return { batches: messages.length, repositories };
}

/** Whether there is a dead hint for that key, among so many messages. They stay in the queue. */
export async function isDeadHint(sqs: SQSClient, deadUrl: string, key: ObjectKey): Promise<boolean> {
  let read = 0;
  for await (const messages of receiveAll(sqs, deadUrl, deadLetterLimits.peekSeconds)) {
    const keys = messages.flatMap(({ body }) => hintsFrom(parsed(body)).hints.map((hint) => hint.key));
    if (keys.includes(key)) return true;
    read += messages.length;
    if (read >= deadLetterLimits.deadHintsReadMax) return false;
  }
  return false;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** @param hiddenSeconds how long other readers do not see the messages */
async function* receiveAll(
  sqs: SQSClient,
  queueUrl: string,
  hiddenSeconds: number = deadLetterLimits.redriveSeconds,
): AsyncGenerator<readonly Received[]> {
  for (;;) {
    const { Messages: messages = [] } = await sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: queueUrl,
        MaxNumberOfMessages: deadLetterLimits.messagesPerRequestMax,
        VisibilityTimeout: hiddenSeconds,
        // Long polling asks all of SQS's servers: an empty answer means that the queue is empty.
        WaitTimeSeconds: 1,
      }),
    );
    if (messages.length === 0) return;
    yield messages.map(received);
  }
}

function received({ Body: body = '', ReceiptHandle: handle = '' }: Message, index: number): Received {
  return { id: `${index}`, body, handle };
}

async function deleteMessages(sqs: SQSClient, queueUrl: string, messages: readonly Received[]): Promise<void> {
  const entries = messages.map(({ handle }, index) => ({ Id: `${index}`, ReceiptHandle: handle }));
  await sqs.send(new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries: entries }));
}
