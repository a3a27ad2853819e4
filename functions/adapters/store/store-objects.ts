/** A bucket, or a prefix of one, that this process alone indexes: as S3Objects, with uploads, and whatever the store can do. */

import { Readable } from 'node:stream';
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { isIndexKey } from '../../keys.ts';
import {
  type ETag,
  type ListedObject,
  type ObjectBody,
  ObjectChanged,
  type ObjectFacts,
  type ObjectKey,
  type PutOptions,
  type PutOutcome,
} from '../../ports.ts';
import { S3Objects, type S3ObjectsOptions, statusOf, unquoted } from '../aws/s3-objects.ts';
import type { ReceiveOptions, ReceiveOutcome } from '../local/directory-objects.ts';
import { KeyLocks } from '../local/key-locks.ts';
import type { ConditionalPuts } from './abilities.ts';
import { StoredUpload } from './stored-upload.ts';

/** Bytes of an object that are on their way. */
export interface OpenedObject {
  readonly pieces: AsyncIterable<Uint8Array>;
  close(): void;
}

export interface StoreObjectsOptions extends S3ObjectsOptions {
  readonly conditionalPuts: ConditionalPuts;
  /** Throws once another process may write here. Called before each write. */
  readonly permitWrite?: () => void;
}

export class StoreObjects extends S3Objects {
  /** An object of a store is not visible before its last byte. */
  readonly settlingFile = undefined;
  readonly #conditionalPuts: ConditionalPuts;
  readonly #permitWrite: () => void;
  readonly #locks = new KeyLocks();
  /** The versions of indexes that this process put last. */
  readonly #ownIndexes = new Map<ObjectKey, ETag>();

  constructor(client: S3Client, options: StoreObjectsOptions) {
    super(client, options);
    this.#conditionalPuts = options.conditionalPuts;
    this.#permitWrite = options.permitWrite ?? (() => {});
  }

  /**
   * Where the store does not obey the condition, it is checked here, before the put and by reading back what was put: no other
   * process writes here, so that finds every race but one in the same instant.
   */
  override async put(key: ObjectKey, body: ObjectBody, options: PutOptions): Promise<PutOutcome> {
    const outcome = await this.#put(key, body, options);
    if (outcome.outcome === 'stored' && isIndexKey(key)) this.#ownIndexes.set(key, outcome.etag);
    return outcome;
  }

  /** Whether this version of an index was put by this process. */
  isOwnIndex(key: ObjectKey, etag: ETag): boolean {
    return this.#ownIndexes.get(key) === etag;
  }

  async #put(key: ObjectKey, body: ObjectBody, options: PutOptions): Promise<PutOutcome> {
    this.#permitWrite();
    if (this.#conditionalPuts === 'yes') return await super.put(key, body, options);
    return await this.#locks.hold(key, async () => {
      const { condition } = options;
      const before = await this.head(key);
      const holds = 'ifMatch' in condition ? before?.etag === condition.ifMatch : before === undefined;
      if (!holds) return { outcome: 'lost-race' };
      const outcome = await super.put(key, body, options);
      if (outcome.outcome === 'lost-race') return outcome;
      const after = await this.head(key);
      return after?.etag === outcome.etag ? outcome : { outcome: 'lost-race' };
    });
  }

  override async delete(key: ObjectKey, signal?: AbortSignal): Promise<void> {
    this.#permitWrite();
    await super.delete(key, signal);
  }

  async *listDirectory(prefix: string): AsyncGenerator<ListedObject> {
    for await (const { objects } of this.pages(prefix, '/')) yield* objects;
  }

  /**
   * The same bytes as `readRange`, of any length, piece by piece.
   * @throws {ObjectChanged}
   */
  async open(key: ObjectKey, etag: ETag, start: number, length: number): Promise<OpenedObject> {
    if (length === 0) return { pieces: noPieces(), close: () => {} };
    const range = `bytes=${start}-${start + length - 1}`;
    const command = new GetObjectCommand({ ...this.place(key), IfMatch: this.ifMatch(etag), Range: range });
    const { Body: body, ETag: found = '' } = await this.client.send(command).catch((error: unknown) => {
      throw [404, 412, 416].includes(statusOf(error) ?? 0) ? new ObjectChanged(key) : error;
    });
    if (!(body instanceof Readable)) throw new Error(`${key}: expected the store to answer with a body`);
    // Some stores ignore If-Match on reads.
    if (unquoted(found) !== etag) {
      body.destroy();
      throw new ObjectChanged(key);
    }
    return { pieces: exactly(body, length, key), close: () => body.destroy() };
  }

  /**
   * Stores an upload of any size, of which nothing is visible before its last byte. A small one is put at once, a large one in parts.
   * @throws {ObjectTooLarge}
   */
  async receive(
    key: ObjectKey,
    body: AsyncIterable<Uint8Array>,
    { ifNoneMatch, bytesMax, check }: ReceiveOptions,
  ): Promise<ReceiveOutcome> {
    this.#permitWrite();
    const before: ObjectFacts | undefined = await this.head(key);
    if (ifNoneMatch === '*' && before !== undefined) return { outcome: 'exists' };
    const upload = new StoredUpload(this.client, this.place(key));
    return await upload.during(async () => {
      await upload.read(key, body, bytesMax);
      await upload.checkWith(check);
      return await this.#locks.hold(key, async () => {
        this.#permitWrite();
        const now = await this.head(key);
        if (ifNoneMatch === '*' && now !== undefined) return { outcome: 'exists' };
        const isCondition = ifNoneMatch === '*' && this.#conditionalPuts !== 'no';
        const etag = await upload.finish(isCondition ? { IfNoneMatch: '*' } : {});
        if (etag === undefined) return { outcome: 'exists' };
        // Ceph 16 leaves it out of its answer to the last part.
        const known = etag === '' ? (await this.head(key))?.etag : etag;
        return { outcome: now === undefined ? 'created' : 'replaced', etag: known ?? '' };
      });
    });
  }
}

async function* noPieces(): AsyncGenerator<Uint8Array> {}

/** A connection that breaks may look like the end of the body. */
async function* exactly(body: Readable, length: number, key: ObjectKey): AsyncGenerator<Uint8Array> {
  let left = length;
  for await (const piece of body) {
    left -= piece.byteLength;
    yield piece;
  }
  if (left !== 0) throw new Error(`${key}: the store sent ${length - left} bytes of ${length}`);
}
