/**
 * Our notification rules among the others of a bucket. Pure functions, so that tests can prove that the others never change.
 *
 * A bucket has one configuration, and a new one replaces all of it: ours are merged into the existing one. A rule is ours if its Id is
 * `STACK.1`, `STACK.2` … (a stack's name has no dot), or if its destination is the stack's queue.
 */

import type { Event, NotificationConfiguration, QueueConfiguration } from '@aws-sdk/client-s3';
import { decodeFormKey } from '../../functions/keys.ts';
import { deploymentLimits } from '../../infra/limits.ts';
import { bucketEvents, type KeyFilter, keyFilters } from '../../infra/notifications.ts';

/** What makes a rule ours. */
export interface RuleOwner {
  readonly stack: string;
  /** Undefined before the stack exists. */
  readonly queueArn: string | undefined;
}

/** One rule, whatever its destination: a queue, a topic or a function. */
export interface AnyRule {
  readonly id: string | undefined;
  readonly destination: string;
  readonly events: readonly string[];
  readonly prefix: string;
  readonly suffix: string;
}

interface Overlap {
  readonly ours: AnyRule;
  readonly theirs: AnyRule;
}

export type Merge =
  | { readonly outcome: 'unchanged' }
  | { readonly outcome: 'merged'; readonly configuration: NotificationConfiguration }
  /** S3 would refuse both rules in one configuration. */
  | { readonly outcome: 'overlap'; readonly overlaps: readonly Overlap[] }
  | { readonly outcome: 'too-many'; readonly rules: number };

/** The rules of the stack: one for each filter, with all events. */
export function ourRules({ stack, queueArn = 'the new queue' }: RuleOwner, prefixes: readonly string[]) {
  return keyFilters(prefixes).map((filter, index): QueueConfiguration & { Id: string } => ({
    Id: `${stack}.${index + 1}`,
    QueueArn: queueArn,
    Events: [...bucketEvents] as Event[],
    Filter: { Key: { FilterRules: filterRules(filter) } },
  }));
}

function filterRules({ prefix, suffix }: KeyFilter) {
  return [
    ...(prefix === undefined ? [] : [{ Name: 'prefix' as const, Value: prefix }]),
    { Name: 'suffix' as const, Value: suffix },
  ];
}

/** Replaces our old rules by `wanted`. Everything else stays as it is. */
export function mergeRules(
  current: NotificationConfiguration,
  owner: RuleOwner,
  wanted: readonly QueueConfiguration[],
): Merge {
  const others = withoutOurs(current, owner);
  const overlaps = findOverlaps(wanted.map(ruleOf), rulesOf(others));
  if (overlaps.length > 0) return { outcome: 'overlap', overlaps };
  const rules = rulesOf(others).length + wanted.length;
  if (rules > deploymentLimits.notificationRulesMax) return { outcome: 'too-many', rules };
  const old = (current.QueueConfigurations ?? []).filter((rule) => isOurs(rule, owner));
  if (sameRules(old, wanted)) return { outcome: 'unchanged' };
  return {
    outcome: 'merged',
    configuration: { ...others, QueueConfigurations: [...(others.QueueConfigurations ?? []), ...wanted] },
  };
}

/** The configuration without our rules. */
export function withoutOurs(current: NotificationConfiguration, owner: RuleOwner): NotificationConfiguration {
  const { QueueConfigurations: queues, ...others } = current;
  const theirs = queues?.filter((rule) => !isOurs(rule, owner));
  return theirs === undefined || theirs.length === 0 ? others : { ...others, QueueConfigurations: theirs };
}

/** How many of the rules are ours. */
export function countOurs({ QueueConfigurations: queues = [] }: NotificationConfiguration, owner: RuleOwner): number {
  return queues.filter((rule) => isOurs(rule, owner)).length;
}

/** A rule with the stack's queue as its destination is useless without the stack, even if another program added it. */
function isOurs(
  { Id: id = '', QueueArn: queueArn }: QueueConfiguration,
  { stack, queueArn: ours }: RuleOwner,
): boolean {
  const isNamedAfterStack = id.startsWith(`${stack}.`) && /^\d+$/.test(id.slice(stack.length + 1));
  return isNamedAfterStack || (ours !== undefined && queueArn === ours);
}

function sameRules(some: readonly QueueConfiguration[], others: readonly QueueConfiguration[]): boolean {
  const written = (rules: readonly QueueConfiguration[]) => JSON.stringify(rules.map(canonical).toSorted());
  return written(some) === written(others);
}

/** S3 may return the same rule in another order and case. */
function canonical(rule: QueueConfiguration): string {
  const { id, destination, events, prefix, suffix } = ruleOf(rule);
  return JSON.stringify([id, destination, events.toSorted(), prefix, suffix]);
}

/** Every rule of the configuration. EventBridge is not one: it receives all events in addition. */
export function rulesOf(configuration: NotificationConfiguration): AnyRule[] {
  const { QueueConfigurations = [], TopicConfigurations = [], LambdaFunctionConfigurations = [] } = configuration;
  return [...QueueConfigurations, ...TopicConfigurations, ...LambdaFunctionConfigurations].map(ruleOf);
}

type WrittenRule = Pick<QueueConfiguration, 'Id' | 'Events' | 'Filter'> & {
  readonly QueueArn?: string | undefined;
  readonly TopicArn?: string | undefined;
  readonly LambdaFunctionArn?: string | undefined;
};

function ruleOf(rule: WrittenRule): AnyRule {
  const value = (name: string) =>
    rule.Filter?.Key?.FilterRules?.find((part) => part.Name?.toLowerCase() === name)?.Value ?? '';
  return {
    id: rule.Id,
    destination: rule.QueueArn ?? rule.TopicArn ?? rule.LambdaFunctionArn ?? 'an unknown destination',
    events: rule.Events ?? [],
    prefix: value('prefix'),
    suffix: value('suffix'),
  };
}

export function findOverlaps(ours: readonly AnyRule[], theirs: readonly AnyRule[]): Overlap[] {
  return ours.flatMap((our) =>
    theirs.filter((their) => overlap(our, their)).map((their) => ({ ours: our, theirs: their })),
  );
}

/**
 * S3 refuses two rules for the same event if both their prefixes and their suffixes overlap, whatever their destinations ("Cannot have overlapping suffixes in two rules if the prefixes are overlapping for the same event type"; user guide,
 * "Configuring event notifications using object key name filtering").
 */
function overlap(one: AnyRule, other: AnyRule): boolean {
  const [a, b] = [one, other].map(({ prefix, suffix }) => ({ prefix: plain(prefix), suffix: plain(suffix) }));
  if (a === undefined || b === undefined) return false;
  return (
    one.events.some((event) => other.events.some((another) => sharesEvents(event, another))) &&
    (a.prefix.startsWith(b.prefix) || b.prefix.startsWith(a.prefix)) &&
    (a.suffix.endsWith(b.suffix) || b.suffix.endsWith(a.suffix))
  );
}

/** `s3:ObjectCreated:*` includes `s3:ObjectCreated:Put`. */
function sharesEvents(one: string, other: string): boolean {
  const family = (event: string) => event.replace(/:\*$/, '');
  return (
    one === other ||
    (one.endsWith(':*') && other.startsWith(`${family(one)}:`)) ||
    (other.endsWith(':*') && one.startsWith(`${family(other)}:`))
  );
}

/** Filters with special characters are percent-encoded. */
function plain(value: string): string {
  return decodeFormKey(value) ?? value;
}
