/** A bucket of S3, or of a store with its protocol (aws-clients.ts makes the client for either). */

import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  paginateListObjectsV2,
  type S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { decodeFormKey } from '../../keys.ts';
import {
  type ETag,
  type ListedObject,
  type ObjectBody,
  ObjectChanged,
  type ObjectFacts,
  type ObjectKey,
  type ObjectStore,
  type PutCondition,
  type PutOptions,
  type PutOutcome,
} from '../../ports.ts';

export interface S3ObjectsOptions {
  readonly bucket: string;
  /** Send If-Match in quotes, as HTTP demands (the default). Ceph's gateway does not remove them before it compares. */
  readonly quoteIfMatch?: boolean;
  /** What precedes each key in the bucket: `''` (the default), or ending in `/`. */
  readonly prefix?: string;
}

/** A part of a listing. */
export interface ListedPage {
  readonly objects: readonly (ListedObject & { readonly lastModified: Date })[];
  /** With a delimiter: what keys have in common up to it, `a/b/`. */
  readonly prefixes: readonly string[];
}

/** ETags are those of S3, without the quotes. */
export class S3Objects implements ObjectStore {
  protected readonly client: S3Client;
  readonly #bucket: string;
  readonly #prefix: string;
  readonly #quoteIfMatch: boolean;

  constructor(client: S3Client, { bucket, quoteIfMatch = true, prefix = '' }: S3ObjectsOptions) {
    this.client = client;
    this.#bucket = bucket;
    this.#prefix = prefix;
    this.#quoteIfMatch = quoteIfMatch;
  }

  /** Throws where absence is not certain. (A missing bucket looks like a missing object: the answer to a HEAD has no body.) */
  async head(key: ObjectKey, signal?: AbortSignal): Promise<ObjectFacts | undefined> {
    try {
      const command = new HeadObjectCommand(this.place(key));
      const head = await this.client.send(command, endedBy(signal));
      return {
        etag: unquoted(this.#expected(head.ETag, 'ETag', key)),
        size: this.#expected(head.ContentLength, 'Content-Length', key),
        lastModified: this.#expected(head.LastModified, 'Last-Modified', key),
        metadata: head.Metadata ?? {},
      };
    } catch (error) {
      if (isMissingKey(error)) return undefined;
      if (statusOf(error) !== 403) throw error;
      const remedy = 'allow s3:GetObject and s3:ListBucket (without the latter, S3 says 403 of what is absent)';
      throw new Error(`${this.#bucket}: expected to see whether ${key} exists, found 403; ${remedy}`, { cause: error });
    }
  }

  async readRange(
    key: ObjectKey,
    etag: ETag,
    offset: number,
    length: number,
    signal?: AbortSignal,
  ): Promise<Uint8Array> {
    if (length === 0) return this.#emptyRange(key, etag, signal);
    const command = new GetObjectCommand({
      ...this.place(key),
      IfMatch: this.ifMatch(etag),
      Range: `bytes=${offset}-${offset + length - 1}`,
    });
    try {
      const { ETag: found, Body: body } = await this.client.send(command, endedBy(signal));
      // Some stores ignore If-Match on reads.
      if (unquoted(this.#expected(found, 'ETag', key)) !== etag) throw new ObjectChanged(key);
      return await this.#expected(body, 'body', key).transformToByteArray();
    } catch (error) {
      if (isMissingKey(error) || statusOf(error) === 412) throw new ObjectChanged(key);
      // The object ends before the range. S3 does not document whether it checks that or If-Match first.
      if (statusOf(error) === 416) return this.#emptyRange(key, etag, signal);
      throw error;
    }
  }

  /**
   * What can happen between the HEAD that gave `condition` and the effect of this put:
   *
   *     head ──────────────── put
   *          ▲ another put: 412     ▲ another put under way: 409     ▲ (If-Match) deleted: 404, or 412
   *
   * Any other failure (a 500, a lost connection) is thrown, and the step starts again. If a put took effect but its answer was lost,
   * the SDK repeats it and gets 412: the outcome is a lost race, and the step then finds its own content.
   * https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
   */
  async put(key: ObjectKey, body: ObjectBody, options: PutOptions): Promise<PutOutcome> {
    const { condition, contentType, cacheControl, metadata } = options;
    const command = new PutObjectCommand({
      ...this.place(key),
      Body: body instanceof Uint8Array ? body : Buffer.concat(body),
      ContentType: contentType,
      CacheControl: cacheControl,
      Metadata: { ...metadata },
      ...this.#conditionOf(condition),
    });
    try {
      const { ETag: etag } = await this.client.send(command);
      return { outcome: 'stored', etag: unquoted(this.#expected(etag, 'ETag', key)) };
    } catch (error) {
      const conditionFailed = statusOf(error) === 412;
      const anotherUnderWay = statusOf(error) === 409;
      const deletedMeanwhile = 'ifMatch' in condition && isMissingKey(error);
      if (conditionFailed || anotherUnderWay || deletedMeanwhile) return { outcome: 'lost-race' };
      throw error;
    }
  }

  async delete(key: ObjectKey, signal?: AbortSignal): Promise<void> {
    try {
      await this.client.send(new DeleteObjectCommand(this.place(key)), endedBy(signal));
    } catch (error) {
      if (!isMissingKey(error)) throw error;
    }
  }

  async *list(prefix: string): AsyncGenerator<ListedObject> {
    for await (const { objects } of this.pages(prefix))
      for (const { key, etag, size } of objects) yield { key, etag, size };
  }

  /** @param delimiter what is behind it in a key is not listed. */
  async *pages(prefix: string, delimiter?: '/'): AsyncGenerator<ListedPage> {
    // Encoded, because XML cannot hold every character that a key can: one such key would make the whole listing unreadable.
    const input = {
      Bucket: this.#bucket,
      Prefix: this.#prefix + prefix,
      EncodingType: 'url',
      ...(delimiter && { Delimiter: delimiter }),
    } as const;
    const of = `a listing of ${JSON.stringify(prefix)}`;
    for await (const page of paginateListObjectsV2({ client: this.client }, input)) {
      // A store that cannot encode omits EncodingType.
      const decoded = (written: string | undefined): string | undefined => {
        const named = this.#expected(written, 'Key', of);
        // Not UTF-8, which Ceph allows: no request could name such a key.
        return (page.EncodingType === 'url' ? decodeFormKey(named) : named)?.slice(this.#prefix.length);
      };
      const objects = (page.Contents ?? []).flatMap(({ Key: written, ETag: etag, Size: size, LastModified: date }) => {
        const key = decoded(written);
        if (key === undefined) return [];
        return [
          {
            key,
            etag: unquoted(this.#expected(etag, 'ETag', key)),
            size: this.#expected(size, 'Size', key),
            lastModified: date ?? new Date(0),
          },
        ];
      });
      const prefixes = (page.CommonPrefixes ?? []).flatMap(({ Prefix: written }) => decoded(written) ?? []);
      yield { objects, prefixes };
    }
  }

  /** Of the object, for a request. */
  protected place(key: ObjectKey): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.#bucket, Key: this.#prefix + key };
  }

  protected ifMatch(etag: ETag): string {
    return this.#quoteIfMatch ? `"${etag}"` : etag;
  }

  #conditionOf(condition: PutCondition): { IfMatch: string } | { IfNoneMatch: string } {
    return 'ifMatch' in condition
      ? { IfMatch: this.ifMatch(condition.ifMatch) }
      : { IfNoneMatch: condition.ifNoneMatch };
  }

  /** HTTP has no range of no bytes. */
  async #emptyRange(key: ObjectKey, etag: ETag, signal: AbortSignal | undefined): Promise<Uint8Array> {
    const found = await this.head(key, signal);
    if (found?.etag !== etag) throw new ObjectChanged(key);
    return new Uint8Array();
  }

  #expected<Value>(value: Value | undefined, name: string, of: string): Value {
    if (value !== undefined) return value;
    throw new Error(`${this.#bucket}: expected the store to answer with ${name} of ${of}, found none`);
  }
}

/** The SDK's option. Aborting also ends the body of an answer that has begun. */
export function endedBy(signal: AbortSignal | undefined): { readonly abortSignal?: AbortSignal } {
  return signal === undefined ? {} : { abortSignal: signal };
}

export function unquoted(etag: string): ETag {
  return etag.replace(/^"(.*)"$/, '$1');
}

/** HTTP's, of S3's answer. */
export function statusOf(error: unknown): number | undefined {
  return error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
}

/** The SDK reports NotFound for a HEAD, whose answer has no body. NoSuchBucket is different: a wrong configuration. */
function isMissingKey(error: unknown): boolean {
  return error instanceof S3ServiceException && (error.name === 'NotFound' || error.name === 'NoSuchKey');
}
