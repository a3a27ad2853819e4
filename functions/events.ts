/**
 * Events → hints. Only this file knows the shapes of events, and decodes their keys.
 *
 * | event                                   | its key is                      |
 * | --------------------------------------- | ------------------------------- |
 * | S3 notification (`eventSource: aws:s3`) | form-encoded                    |
 * | MinIO webhook (`minio:s3`), others      | form-encoded, `/` too           |
 * | Ceph webhook (`ceph:s3`)                | not encoded                     |
 * | EventBridge object event                | not encoded                     |
 * | Backblaze B2 webhook (`b2:Object…`)     | not encoded                     |
 * | Cloudflare R2 message (`action`)        | not encoded                     |
 * | hint of our own (`encodeHint`)          | not encoded                     |
 *
 * Each may come in an SQS record, an SNS record, or an SNS message in an SQS record.
 *
 * Sources: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html and …/ev-events.html;
 * https://backblaze.com/docs/cloud-storage-event-notifications-reference-guide;
 * https://developers.cloudflare.com/r2/buckets/event-notifications/;
 * Ceph src/rgw/rgw_pubsub.cc `rgw_pubsub_s3_event::dump`; MinIO cmd/event-notification.go `eventArgs.ToEvent`.
 */

import { decodeFormKey, isIndexKey, isPackageKey, isUnusableKey } from './keys.ts';
import type { Hint, ObjectKey } from './ports.ts';

/** Reading events. */
export const eventLimits = {
  /** Lists and messages around one event. An S3 event in SNS in SQS has 4; no real pipeline has more than twice that. */
  wrappingsMax: 8,
  /** How much of an unknown event the log quotes: enough to see where it comes from. */
  quotedCharactersMax: 60,
  namedPropertiesMax: 12,
} as const;

/** A hint, and the SQS message that it came in: the one to report as failed if the hint cannot be followed. */
export interface ReceivedHint extends Hint {
  /** Absent if the event did not come from a queue. */
  readonly messageId?: string;
}

/** An event that cannot be read, or whose key cannot be used. A retry would not help: log it, count it, acknowledge it. */
interface UnknownEvent {
  /** One sentence: what was expected, what was found. It quotes short values and the names of properties, nothing else. */
  readonly description: string;
  readonly messageId?: string;
}

export interface ReceivedEvents {
  /** In their order in the event. A key may occur more than once. */
  readonly hints: readonly ReceivedHint[];
  /** How many events need no hint: their keys name no package, or their kind changes no object, or they are test events. */
  readonly ignoredCount: number;
  readonly unknown: readonly UnknownEvent[];
}

/** What a value is: an event, or a wrapping around other values. */
type Reading =
  | { readonly kind: 'changed'; readonly key: ObjectKey; readonly force?: boolean; readonly isOurs?: boolean }
  | { readonly kind: 'ignored' }
  | { readonly kind: 'unknown'; readonly description: string }
  | { readonly kind: 'wrapping'; readonly inner: readonly unknown[] };

type Fields = Readonly<Record<string, unknown>>;

/**
 * All hints in an event of any shape. Never throws. An unknown event does not hide the good ones beside it.
 *
 * @example hintsFrom({ Records: [{ eventSource: 'aws:sqs', messageId: 'm-1', body: encodeHint({ key: 'All/x-1.0.tgz' }) }] }).hints
 * // [{ key: 'All/x-1.0.tgz', messageId: 'm-1' }]
 */
export function hintsFrom(event: unknown): ReceivedEvents {
  const hints: ReceivedHint[] = [];
  const unknown: UnknownEvent[] = [];
  let ignoredCount = 0;

  function collect(value: unknown, wrappings: number, outerMessageId: string | undefined): void {
    // Lambda received the outermost message, and can only return that one to the queue.
    const messageId = outerMessageId ?? messageIdOf(value);
    const origin = messageId === undefined ? {} : { messageId };
    const reading = wrappings > eventLimits.wrappingsMax ? wrappedTooOften : read(value);
    if (reading.kind === 'wrapping') {
      for (const inner of reading.inner) collect(inner, wrappings + 1, messageId);
    } else if (reading.kind === 'unknown') {
      unknown.push({ description: reading.description, ...origin });
    } else if (reading.kind === 'changed' && isHint(reading)) {
      hints.push({ key: reading.key, ...(reading.force && { force: true }), ...origin });
    } else {
      ignoredCount += 1;
    }
  }

  collect(event, 0, undefined);
  return { hints, ignoredCount, unknown };
}

/** Our own publications cause events with the key of an index, too: only a hint of ours requests a summary by it. */
function isHint({ key, isOurs = false }: Reading & { readonly kind: 'changed' }): boolean {
  return isPackageKey(key) || (isOurs && isIndexKey(key));
}

function read(value: unknown): Reading {
  if (Array.isArray(value)) return { kind: 'wrapping', inner: value };
  const fields = fieldsOf(value);
  if (fields === undefined) return unknownReading('an event (a JSON object)', value);
  if (Array.isArray(fields.Records)) return { kind: 'wrapping', inner: fields.Records };
  if (Array.isArray(fields.events)) return { kind: 'wrapping', inner: fields.events };
  if (fields.eventSource === queueSource) return readText('JSON in the body of an SQS message', fields.body);
  if (fields.EventSource === 'aws:sns') return readText('JSON in an SNS record', fieldsOf(fields.Sns)?.Message);
  if (fields.Type === 'Notification') return readText('JSON in an SNS notification', fields.Message);
  if (fields.Event === 's3:TestEvent') return { kind: 'ignored' };
  if (fields.source === 'aws.s3') return readEventBridge(fields);
  if (fields.s3 !== undefined) return readNotification(fields);
  if (fields.objectName !== undefined) return readBackblaze(fields);
  if (typeof fields.action === 'string' && fields.object !== undefined) return readCloudflare(fields);
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

/** Kinds of events after which an object may have changed or be gone. All others (ObjectRestore, ObjectTagging …) change none. */
const changingKinds = [
  'ObjectCreated:',
  'ObjectRemoved:',
  'LifecycleExpiration:',
  // Ceph's name for the same.
  'ObjectLifecycle:Expiration:',
  // Ceph: another zone replicated the object, or its removal, to this one.
  'ObjectSynced:',
] as const;

/** This source does not encode keys. All others do as AWS does. */
const rawKeySource = 'ceph:s3';

function readNotification(fields: Fields): Reading {
  const { eventVersion, eventName, eventSource } = fields;
  // AWS adds fields with each minor version, and asks readers to accept all of them.
  if (typeof eventVersion !== 'string' || !/^2(\.|$)/.test(eventVersion)) {
    return unknownReading('an S3 notification with eventVersion 2.x', eventVersion);
  }
  if (typeof eventName !== 'string') return unknownReading('an S3 notification with an eventName', eventName);
  // AWS writes ObjectCreated:Put, MinIO and older versions of Ceph s3:ObjectCreated:Put.
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

const backblazeKinds = ['b2:ObjectCreated:', 'b2:ObjectDeleted:', 'b2:HideMarkerCreated:'] as const;

function readBackblaze({ eventType, objectName }: Fields): Reading {
  if (typeof eventType !== 'string') return unknownReading('a B2 event with an eventType', eventType);
  if (!backblazeKinds.some((prefix) => eventType.startsWith(prefix))) return { kind: 'ignored' };
  return readKey(objectName);
}

/** Every action changes an object: PutObject, CopyObject, CompleteMultipartUpload, DeleteObject, LifecycleDeletion. */
function readCloudflare({ object }: Fields): Reading {
  return readKey(fieldsOf(object)?.key);
}

const hintType = 'pkgsrc-indexer.hint';
const hintVersion = 1;

/** The text of a message with this hint; `hintsFrom` reads it. */
export function encodeHint(hint: Hint): string {
  const { key, force } = hint;
  const text = JSON.stringify({ type: hintType, version: hintVersion, hint: { key, ...(force && { force }) } });
  // SQS replaces characters that XML 1.0 does not allow, and some compatible queues refuse those outside the basic plane.
  return text.replace(/[\ud800-\udfff\ufffe\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16)}`);
}

function readHint(fields: Fields): Reading {
  if (fields.version !== hintVersion) return unknownReading(`a hint of version ${hintVersion}`, fields.version);
  const hint = fieldsOf(fields.hint);
  const reading = readKey(hint?.key);
  return reading.kind === 'changed' ? { ...reading, isOurs: true, force: hint?.force === true } : reading;
}

function readKey(key: unknown): Reading {
  if (typeof key !== 'string' || !key.isWellFormed()) return unknownReading('an object key (text)', key);
  if (isUnusableKey(key)) return { kind: 'unknown', description: unusableKey(key) };
  return { kind: 'changed', key };
}

function unusableKey(key: ObjectKey): string {
  return `expected a package's key without an empty part (//), found ${JSON.stringify(key)}; copy the package to another key`;
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

/** A short description of a value, for the log. */
function nameOf(value: unknown): string {
  const { quotedCharactersMax, namedPropertiesMax } = eventLimits;
  if (typeof value === 'string') return `the text ${JSON.stringify(value.slice(0, quotedCharactersMax))}`;
  if (Array.isArray(value)) return 'a list';
  const fields = fieldsOf(value);
  if (fields === undefined) return value === undefined ? 'nothing' : String(value).slice(0, quotedCharactersMax);
  const names = Object.keys(fields).slice(0, namedPropertiesMax);
  return `an object with ${names.length === 0 ? 'no properties' : names.map((name) => name.slice(0, quotedCharactersMax)).join(', ')}`;
}
