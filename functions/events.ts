/**
 * Whatever arrives from outside → hints. The one place that knows the shapes of events, and the one that decodes keys.
 *
 * | event                                   | its key is written              |
 * | --------------------------------------- | ------------------------------- |
 * | S3 notification (`eventSource: aws:s3`) | form-encoded                    |
 * | MinIO webhook (`minio:s3`), others      | form-encoded, `/` too           |
 * | Ceph webhook (`ceph:s3`)                | as it is                        |
 * | EventBridge object event                | as it is                        |
 * | hint of our own (`encodeHint`)          | as it is                        |
 *
 * Each may be wrapped, in an SQS record, an SNS record, or an SNS message that is in an SQS record.
 *
 * Sources: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html and …/ev-events.html;
 * Ceph src/rgw/rgw_pubsub.cc `rgw_pubsub_s3_event::dump`; MinIO cmd/event-notification.go `eventArgs.ToEvent`.
 */

import { decodeFormKey, isPackageKey } from './keys.ts';

import type { Hint, ObjectKey } from './ports.ts';

/** Reading events from outside. */
export const eventLimits = {
  /** Lists and messages around one event. An S3 event in SNS in SQS has 4; more than twice that is nobody's pipeline. */
  wrappingsMax: 8,
  /** How much of an unknown event its log line quotes: enough to tell where it comes from. */
  quotedCharactersMax: 60,
  namedPropertiesMax: 12,
} as const;

/** A hint, and the SQS record that brought it: the one to report when the hint cannot be followed. */
export interface ReceivedHint extends Hint {
  /** Absent where no queue was involved. */
  readonly messageId?: string;
}

/** Something that no code here understands. Sending it again would not help: log it, count it, acknowledge it. */
interface UnknownEvent {
  /** One sentence: what was expected, what was found. Names the shape, quotes no content but short values. */
  readonly description: string;
  readonly messageId?: string;
}

export interface ReceivedEvents {
  /** In the order of arrival; a key may occur more than once. */
  readonly hints: readonly ReceivedHint[];
  /** Events that are understood and do not concern us: keys that name no package, kinds that change no object, test events. */
  readonly ignoredCount: number;
  readonly unknown: readonly UnknownEvent[];
}

/** What a value turned out to be: something we know, or a wrapping around more values. */
type Reading =
  | { readonly kind: 'changed'; readonly key: ObjectKey; readonly force?: boolean }
  | { readonly kind: 'ignored' }
  | { readonly kind: 'unknown'; readonly description: string }
  | { readonly kind: 'wrapping'; readonly inner: readonly unknown[] };

type Fields = Readonly<Record<string, unknown>>;

/**
 * Every hint in an event, of any shape. Pure; throws nothing, whatever the value.
 * A message that holds an unknown event beside good ones still gives its good hints.
 */
export function hintsFrom(event: unknown): ReceivedEvents {
  const hints: ReceivedHint[] = [];
  const unknown: UnknownEvent[] = [];
  let ignoredCount = 0;

  function collect(value: unknown, wrappings: number, outerMessageId: string | undefined): void {
    // The outermost message is the one that Lambda was given, and the only one that it can hand back.
    const messageId = outerMessageId ?? messageIdOf(value);
    const origin = messageId === undefined ? {} : { messageId };
    const reading = wrappings > eventLimits.wrappingsMax ? wrappedTooOften : read(value);
    if (reading.kind === 'wrapping') {
      for (const inner of reading.inner) collect(inner, wrappings + 1, messageId);
    } else if (reading.kind === 'unknown') {
      unknown.push({ description: reading.description, ...origin });
    } else if (reading.kind === 'changed' && isPackageKey(reading.key)) {
      hints.push({ key: reading.key, ...(reading.force && { force: true }), ...origin });
    } else {
      ignoredCount += 1;
    }
  }

  collect(event, 0, undefined);
  return { hints, ignoredCount, unknown };
}

function read(value: unknown): Reading {
  if (Array.isArray(value)) return { kind: 'wrapping', inner: value };
  const fields = fieldsOf(value);
  if (fields === undefined) return unknownReading('an event (a JSON object)', value);
  if (Array.isArray(fields.Records)) return { kind: 'wrapping', inner: fields.Records };
  if (fields.eventSource === queueSource) return readText('JSON in the body of an SQS message', fields.body);
  if (fields.EventSource === 'aws:sns') return readText('JSON in an SNS record', fieldsOf(fields.Sns)?.Message);
  if (fields.Type === 'Notification') return readText('JSON in an SNS notification', fields.Message);
  if (fields.Event === 's3:TestEvent') return { kind: 'ignored' };
  if (fields.source === 'aws.s3') return readEventBridge(fields);
  if (fields.s3 !== undefined) return readNotification(fields);
  if (fields.type === hintType) return readHint(fields);
  return unknownReading('an S3, EventBridge, SNS or SQS event, or a hint', value);
}

const queueSource = 'aws:sqs';

function messageIdOf(value: unknown): string | undefined {
  const fields = fieldsOf(value);
  if (fields?.eventSource !== queueSource) return undefined;
  return typeof fields.messageId === 'string' ? fields.messageId : undefined;
}

function readText(expected: string, text: unknown): Reading {
  if (typeof text !== 'string') return unknownReading(expected, text);
  try {
    return { kind: 'wrapping', inner: [JSON.parse(text)] };
  } catch {
    return unknownReading(expected, text);
  }
}

/** After these an object may be another one, or gone. All other kinds (ObjectRestore, ObjectTagging …) leave it alone. */
const changingKinds = [
  'ObjectCreated:',
  'ObjectRemoved:',
  'LifecycleExpiration:',
  'ObjectLifecycle:Expiration:', // what Ceph calls it
] as const;

/** Writes keys as they are. All others follow AWS. */
const rawKeySource = 'ceph:s3';

function readNotification(fields: Fields): Reading {
  const { eventVersion, eventName, eventSource } = fields;
  // "Process any minor version": AWS adds fields under the same major one.
  if (typeof eventVersion !== 'string' || !/^2(\.|$)/.test(eventVersion)) {
    return unknownReading('an S3 notification with eventVersion 2.x', eventVersion);
  }
  if (typeof eventName !== 'string') return unknownReading('an S3 notification with an eventName', eventName);
  // Older Cephs and MinIO write s3:ObjectCreated:Put, AWS ObjectCreated:Put.
  const kind = eventName.replace(/^s3:/, '');
  if (!changingKinds.some((prefix) => kind.startsWith(prefix))) return { kind: 'ignored' };
  const key = fieldsOf(fieldsOf(fields.s3)?.object)?.key;
  if (eventSource === rawKeySource || typeof key !== 'string') return readKey(key);
  const decoded = decodeFormKey(key);
  return decoded === undefined ? unknownReading('a form-encoded key', key) : readKey(decoded);
}

function readEventBridge(fields: Fields): Reading {
  const kind = fields['detail-type'];
  if (kind !== 'Object Created' && kind !== 'Object Deleted') return { kind: 'ignored' };
  return readKey(fieldsOf(fieldsOf(fields.detail)?.object)?.key);
}

const hintType = 'pkgsrc-indexer.hint';
const hintVersion = 1;

/** The message that says this hint, for a queue whose messages `hintsFrom` reads. */
export function encodeHint(hint: Hint): string {
  const { key, force } = hint;
  const text = JSON.stringify({ type: hintType, version: hintVersion, hint: { key, ...(force && { force }) } });
  // SQS puts U+FFFD in the place of what XML 1.0 has not, and some of its like refuse what is outside the basic plane.
  return text.replace(/[\ud800-\udfff\ufffe\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16)}`);
}

function readHint(fields: Fields): Reading {
  if (fields.version !== hintVersion) return unknownReading(`a hint of version ${hintVersion}`, fields.version);
  const hint = fieldsOf(fields.hint);
  const reading = readKey(hint?.key);
  return reading.kind === 'changed' && hint?.force === true ? { ...reading, force: true } : reading;
}

function readKey(key: unknown): Reading {
  if (typeof key !== 'string' || !key.isWellFormed()) return unknownReading('an object key (text)', key);
  return { kind: 'changed', key };
}

function fieldsOf(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null ? (value as Fields) : undefined;
}

const wrappedTooOften: Reading = {
  kind: 'unknown',
  description: `expected an event in at most ${eventLimits.wrappingsMax} wrappings, found one in more`,
};

function unknownReading(expected: string, found: unknown): Reading {
  return { kind: 'unknown', description: `expected ${expected}, found ${nameOf(found)}` };
}

/** What a value looks like, in a few words that fit into a log line. */
function nameOf(value: unknown): string {
  const { quotedCharactersMax, namedPropertiesMax } = eventLimits;
  if (typeof value === 'string') return `the text ${JSON.stringify(value.slice(0, quotedCharactersMax))}`;
  if (Array.isArray(value)) return 'a list';
  const fields = fieldsOf(value);
  if (fields === undefined) return value === undefined ? 'nothing' : String(value).slice(0, quotedCharactersMax);
  const names = Object.keys(fields).slice(0, namedPropertiesMax);
  return `an object with ${names.length === 0 ? 'no properties' : names.map((name) => name.slice(0, quotedCharactersMax)).join(', ')}`;
}
