/** CloudFormation's change sets: what a deployment would change, and its execution. */

import {
  type Change,
  type CloudFormationClient,
  CreateChangeSetCommand,
  DeleteChangeSetCommand,
  DeleteStackCommand,
  DescribeChangeSetCommand,
  ExecuteChangeSetCommand,
  paginateDescribeChangeSet,
} from '@aws-sdk/client-cloudformation';
import { CannotRun } from '../../functions/failures.ts';
import type { Clock } from '../../functions/ports.ts';

export const changeSetLimits = {
  /** CloudFormation needs seconds to compare two templates. */
  pollMilliseconds: 1_000,
  waitMillisecondsMax: 300_000,
  /** How much of a property's old and new value is shown. */
  shownCharactersMax: 60,
} as const;

/** A small template is part of the request; CloudFormation fetches a larger one from its URL. */
export type TemplatePlace = { readonly body: string } | { readonly url: string };

export interface ChangeSet {
  readonly id: string;
  readonly stackId: string;
  /** The stack does not exist yet. */
  readonly isCreation: boolean;
  /** Empty: the stack is up to date. */
  readonly changes: readonly Change[];
}

/** @throws {CannotRun} with CloudFormation's reason if it refuses the template */
export async function proposeChanges(
  cloudFormation: CloudFormationClient,
  clock: Clock,
  {
    stack,
    template,
    isCreation,
  }: { readonly stack: string; readonly template: TemplatePlace; readonly isCreation: boolean },
): Promise<ChangeSet> {
  const { Id: id, StackId: stackId } = await cloudFormation.send(
    new CreateChangeSetCommand({
      StackName: stack,
      ChangeSetName: `deploy-${clock.now().getTime()}`,
      ChangeSetType: isCreation ? 'CREATE' : 'UPDATE',
      // The roles of the three functions.
      Capabilities: ['CAPABILITY_IAM'],
      ...('body' in template ? { TemplateBody: template.body } : { TemplateURL: template.url }),
    }),
  );
  if (id === undefined || stackId === undefined)
    throw new CannotRun('expected CloudFormation to return the ID of the change set, found none');
  const described = await untilProposed(cloudFormation, clock, stack, id);
  const { Status: status, StatusReason: reason = 'no reason given' } = described;
  const changeSet = { id, stackId, isCreation, changes: [] };
  if (status === 'CREATE_COMPLETE') return { ...changeSet, changes: await allChanges(cloudFormation, stack, id) };
  await discard(cloudFormation, stack, changeSet);
  if (isEmpty(reason)) return changeSet;
  throw new CannotRun(`CloudFormation refused the template: ${reason}`);
}

/** A change set without changes fails; only the reason shows that nothing is wrong. */
function isEmpty(reason: string): boolean {
  return /didn't contain changes|no updates are to be performed/i.test(reason);
}

async function untilProposed(cloudFormation: CloudFormationClient, clock: Clock, stack: string, id: string) {
  const { waitMillisecondsMax, pollMilliseconds } = changeSetLimits;
  const deadline = clock.now().getTime() + waitMillisecondsMax;
  for (;;) {
    const described = await cloudFormation.send(new DescribeChangeSetCommand({ StackName: stack, ChangeSetName: id }));
    if (described.Status === 'CREATE_COMPLETE' || described.Status === 'FAILED') return described;
    if (clock.now().getTime() > deadline) {
      throw new CannotRun(
        `CloudFormation did not compute the changes within ${waitMillisecondsMax / 1000} s; see the change sets of ${stack} in its console.`,
      );
    }
    await clock.sleep(pollMilliseconds);
  }
}

async function allChanges(cloudFormation: CloudFormationClient, stack: string, id: string): Promise<readonly Change[]> {
  const input = { StackName: stack, ChangeSetName: id, IncludePropertyValues: true };
  const changes: Change[] = [];
  for await (const page of paginateDescribeChangeSet({ client: cloudFormation }, input))
    changes.push(...(page.Changes ?? []));
  return changes;
}

export async function execute(cloudFormation: CloudFormationClient, stack: string, { id }: ChangeSet): Promise<void> {
  await cloudFormation.send(new ExecuteChangeSetCommand({ StackName: stack, ChangeSetName: id }));
}

/** Also deletes the empty stack that the change set of a new stack creates. */
export async function discard(
  cloudFormation: CloudFormationClient,
  stack: string,
  { id, isCreation }: ChangeSet,
): Promise<void> {
  await cloudFormation.send(new DeleteChangeSetCommand({ StackName: stack, ChangeSetName: id }));
  if (isCreation) await cloudFormation.send(new DeleteStackCommand({ StackName: stack }));
}

const signs: Readonly<Record<string, string>> = { Add: '+', Modify: '~', Remove: '-', Import: '>', Dynamic: '?' };

/** A line for each resource, followed by a line for each property that is modified. */
export function describeChanges(changes: readonly Change[]): string[] {
  return changes.flatMap(({ ResourceChange: change }) => {
    if (change === undefined) return [];
    const { Action: action = '', ResourceType: type, LogicalResourceId: name, Replacement: replacement } = change;
    const replaced = { True: ', replaced', Conditional: ', may be replaced', False: '' }[replacement ?? 'False'];
    const kept = change.PolicyAction === 'Retain' ? ', kept' : '';
    const line = `  ${signs[action] ?? action} ${type} ${name}${replaced}${kept}`;
    return [line, ...(action === 'Modify' ? properties(change) : [])];
  });
}

function properties({ Details: details = [] }: NonNullable<Change['ResourceChange']>): string[] {
  const lines = details.map(({ Target: target = {} }) => {
    const { Attribute: attribute, Name: name, Path: path, BeforeValue: before, AfterValue: after } = target;
    const what = path ?? [attribute, name].filter((part) => part !== undefined).join('.');
    const hasValues = before !== undefined && after !== undefined;
    return `      ${what}${hasValues ? `: ${short(before)} → ${short(after)}` : ''}`;
  });
  return [...new Set(lines)];
}

function short(value: string): string {
  const { shownCharactersMax } = changeSetLimits;
  return value.length <= shownCharactersMax ? value : `${value.slice(0, shownCharactersMax)}…`;
}
