/** Follows a change of a stack: prints its events until it is done. */

import {
  type CloudFormationClient,
  DescribeStacksCommand,
  paginateDescribeStackEvents,
  type StackEvent,
} from '@aws-sdk/client-cloudformation';
import type { Clock } from '../../functions/ports.ts';
import type { Progress } from '../terminal/progress.ts';
import { isNoSuchStack } from './deployed-stack.ts';

const stackEventsLimits = {
  /** Between two checks: soon at first, then less often. */
  pollMillisecondsMin: 1_000,
  pollMillisecondsMax: 5_000,
  /** Checks without any news after which the status of a stack counts as its last one. */
  quietRoundsMax: 10,
} as const;

interface Watching {
  readonly cloudFormation: CloudFormationClient;
  readonly clock: Clock;
  readonly onEvent: (event: StackEvent) => void;
}

/** How a change of a stack ended. */
export interface Rest {
  readonly isDone: boolean;
  /** Undefined: the stack is deleted. */
  readonly status: string | undefined;
  readonly failures: readonly string[];
  /** Resources that stay although they are no longer in the stack. */
  readonly kept: readonly string[];
}

/**
 * Prints a line for each event, until the change is done.
 * @param progress shows how many resources are done
 */
export async function follow(
  watching: Omit<Watching, 'onEvent'>,
  before: Before,
  progress?: Pick<Progress, 'say' | 'update'>,
): Promise<Rest> {
  const events: StackEvent[] = [];
  const resting = new Set<string>();
  const print = (line: string) => (progress === undefined ? console.log(line) : progress.say(console.log, line));
  const onEvent = (event: StackEvent) => {
    events.push(event);
    print(describeEvent(event));
    const { ResourceStatus: state = '', LogicalResourceId: name = '', PhysicalResourceId: id } = event;
    if (state.endsWith('_COMPLETE') && id !== before.stackId) resting.add(name);
    progress?.update(resting.size);
  };
  const status = await untilAtRest({ ...watching, onEvent }, before);
  const kept = events.filter(({ ResourceStatus: state }) => state === 'DELETE_SKIPPED');
  return {
    isDone: status === undefined || ['CREATE_COMPLETE', 'UPDATE_COMPLETE', 'DELETE_COMPLETE'].includes(status),
    status,
    failures: failuresOf(events),
    kept: kept.map(({ ResourceType: type, PhysicalResourceId: id }) => `${type} ${id}`),
  };
}

function describeEvent(event: StackEvent): string {
  const { Timestamp: time, ResourceStatus: status = '', ResourceType: type, LogicalResourceId: name } = event;
  const reason = status.endsWith('_FAILED') ? `: ${event.ResourceStatusReason ?? 'no reason given'}` : '';
  return `  ${time?.toISOString().slice(11, 19) ?? ''}  ${status.padEnd(18)}  ${type} ${name}${reason}`;
}

/** The stack before the change: all events that come later belong to the change. */
interface Before {
  readonly stackId: string;
  readonly status: string | undefined;
  readonly seen: Set<string>;
}

export async function lookBefore(cloudFormation: CloudFormationClient, stackId: string): Promise<Before> {
  const seen = new Set((await newEvents(cloudFormation, stackId, new Set())).map(idOf));
  return { stackId, status: await statusOf(cloudFormation, stackId), seen };
}

/** @returns the last status; undefined: the stack is deleted */
async function untilAtRest({ cloudFormation, clock, onEvent }: Watching, before: Before): Promise<string | undefined> {
  let hasBegun = false;
  for (let round = 1; ; round += 1) {
    // The status first, so that the events include those that led to it.
    const status = await statusOf(cloudFormation, before.stackId);
    const news = await newEvents(cloudFormation, before.stackId, before.seen);
    for (const event of news) {
      before.seen.add(idOf(event));
      onEvent(event);
    }
    // At first, CloudFormation may still return the old status, which looks like the end. So the status counts only after the
    // first event.
    hasBegun ||= status !== before.status || round > stackEventsLimits.quietRoundsMax;
    if (status === undefined || (hasBegun && !status.endsWith('_IN_PROGRESS'))) return status;
    hasBegun ||= news.length > 0;
    await clock.sleep(Math.min(stackEventsLimits.pollMillisecondsMin * round, stackEventsLimits.pollMillisecondsMax));
  }
}

/** The first failures. Later ones only follow from them. */
function failuresOf(events: readonly StackEvent[]): string[] {
  return events.flatMap((event) => {
    const { ResourceStatus: status = '', ResourceStatusReason: reason = '', LogicalResourceId: name } = event;
    const isFollowing = /cancelled|The following resource\(s\) failed/i.test(reason);
    return status.endsWith('_FAILED') && !isFollowing ? [`${name}: ${reason}`] : [];
  });
}

async function statusOf(cloudFormation: CloudFormationClient, stackId: string): Promise<string | undefined> {
  try {
    const { Stacks: [stack] = [] } = await cloudFormation.send(new DescribeStacksCommand({ StackName: stackId }));
    return stack?.StackStatus;
  } catch (error) {
    if (isNoSuchStack(error)) return undefined;
    throw error;
  }
}

/** In order of time. CloudFormation returns the latest first. */
async function newEvents(
  cloudFormation: CloudFormationClient,
  stackId: string,
  seen: ReadonlySet<string>,
): Promise<StackEvent[]> {
  const news: StackEvent[] = [];
  try {
    for await (const page of paginateDescribeStackEvents({ client: cloudFormation }, { StackName: stackId })) {
      const events = page.StackEvents ?? [];
      const fresh = events.filter((event) => !seen.has(idOf(event)));
      news.push(...fresh);
      if (fresh.length < events.length) break;
    }
  } catch (error) {
    if (!isNoSuchStack(error)) throw error;
  }
  return news.reverse();
}

function idOf({ EventId: id = '' }: StackEvent): string {
  return id;
}
