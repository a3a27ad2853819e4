/**
 * A bucket's notification rules, ours among other people's: pure, so that what becomes of theirs can be proved.
 *
 * S3 keeps one configuration a bucket, and a new one replaces the old whole. So ours are merged into what was read, and told
 * from all others by their Id (`STACK.1`, `STACK.2` …; a stack's name has no dot) or by their destination, the stack's own queue.
 */

import type { Event, NotificationConfiguration, QueueConfiguration } from '@aws-sdk/client-s3';
import { decodeFormKey } from '../../functions/keys.ts';
import { deploymentLimits } from '../../infra/limits.ts';
import { bucketEvents, type KeyFilter, keyFilters } from '../../infra/notifications.ts';

/** Whose rules are ours. */
export interface RuleOwner {
  readonly stack: string;
  /** Undefined while there is no stack yet. */
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
  /** S3 would refuse the two rules beside each other. */
  | { readonly outcome: 'overlap'; readonly overlaps: readonly Overlap[] }
  | { readonly outcome: 'too-many'; readonly rules: number };

/** What the stack asks of the bucket: one rule a filter, for all events at once. */
export function ourRules({ stack, queueArn = 'the queue to come' }: RuleOwner, prefixes: readonly string[]) {
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

/** Puts `wanted` in the place of our old rules. Everything else stays as it was read. */
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

/** The configuration without our rules; the same in all else. */
export function withoutOurs(current: NotificationConfiguration, owner: RuleOwner): NotificationConfiguration {
  const { QueueConfigurations: queues, ...others } = current;
  const theirs = queues?.filter((rule) => !isOurs(rule, owner));
  return theirs === undefined || theirs.length === 0 ? others : { ...others, QueueConfigurations: theirs };
}

/** How many of the rules are ours. */
export function countOurs({ QueueConfigurations: queues = [] }: NotificationConfiguration, owner: RuleOwner): number {
  return queues.filter((rule) => isOurs(rule, owner)).length;
}

/** A rule that sends to the stack's queue is the stack's, whoever wrote it: without that queue it is worth nothing. */
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

/** S3 answers with the same rule in another order and another case. */
function canonical(rule: QueueConfiguration): string {
  const { id, destination, events, prefix, suffix } = ruleOf(rule);
  return JSON.stringify([id, destination, events.toSorted(), prefix, suffix]);
}

/** Every rule of the configuration. EventBridge is none: it takes all events beside them. */
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
 * S3 refuses two rules for the same event whose prefixes overlap and whose suffixes overlap too, whatever their destinations
 * ("Cannot have overlapping suffixes in two rules if the prefixes are overlapping for the same event type"; user guide,
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

/** `s3:ObjectCreated:*` holds `s3:ObjectCreated:Put`. */
function sharesEvents(one: string, other: string): boolean {
  const family = (event: string) => event.replace(/:\*$/, '');
  return (
    one === other ||
    (one.endsWith(':*') && other.startsWith(`${family(one)}:`)) ||
    (other.endsWith(':*') && one.startsWith(`${family(other)}:`))
  );
}

/** Filters are percent-encoded where they have other than plain characters. */
function plain(value: string): string {
  return decodeFormKey(value) ?? value;
}
