/** A bucket in memory: the plainest thing that keeps every promise of ObjectStore. */

import { createHash } from 'node:crypto';
import {
  type ETag,
  type ListedObject,
  type ObjectBody,
  ObjectChanged,
  type ObjectFacts,
  type ObjectKey,
  type ObjectStore,
  type PutOptions,
  type PutOutcome,
} from '../../functions/ports.ts';

export interface MemoryObject extends ObjectFacts {
  readonly body: Uint8Array;
  readonly contentType: string;
  readonly cacheControl?: string;
}

export interface MemoryObjectsOptions {
  /** Of what an ETag is the version: of each write, or, as on S3, of the content, so that it may come back. */
  readonly etagOf?: 'write' | 'content';
  /** The store's own clock, where it dates objects by itself, as S3 does. */
  readonly now?: () => Date;
}

export class MemoryObjects implements ObjectStore {
  /** What is stored, to look at. */
  readonly objects = new Map<ObjectKey, MemoryObject>();
  readonly #etagOf: 'write' | 'content';
  readonly #now: (() => Date) | undefined;
  #writes = 0;

  constructor({ etagOf = 'write', now }: MemoryObjectsOptions = {}) {
    this.#etagOf = etagOf;
    this.#now = now;
  }

  /** What a user's upload does: no condition, no metadata. Returns the new ETag. */
  upload(key: ObjectKey, body: Uint8Array, lastModified = new Date(0)): ETag {
    return this.#store(key, body, { metadata: {}, contentType: 'application/octet-stream', lastModified });
  }

  async head(key: ObjectKey): Promise<ObjectFacts | undefined> {
    const object = this.objects.get(key);
    if (object === undefined) return undefined;
    const { etag, size, lastModified, metadata } = object;
    return { etag, size, lastModified, metadata };
  }

  async readRange(key: ObjectKey, etag: ETag, offset: number, length: number): Promise<Uint8Array> {
    const object = this.objects.get(key);
    if (object?.etag !== etag) throw new ObjectChanged(key);
    return Uint8Array.from(object.body.subarray(offset, offset + length));
  }

  async put(key: ObjectKey, body: ObjectBody, options: PutOptions): Promise<PutOutcome> {
    const current = this.objects.get(key)?.etag;
    const { condition } = options;
    const holds = 'ifMatch' in condition ? current === condition.ifMatch : current === undefined;
    return holds ? { outcome: 'stored', etag: this.#store(key, bytesOf(body), options) } : { outcome: 'lost-race' };
  }

  async delete(key: ObjectKey): Promise<void> {
    this.objects.delete(key);
  }

  async *list(prefix: string): AsyncGenerator<ListedObject> {
    for (const [key, { etag, size }] of [...this.objects]) {
      if (key.startsWith(prefix)) yield { key, etag, size };
    }
  }

  #store(key: ObjectKey, body: Uint8Array, options: Omit<PutOptions, 'condition'>): ETag {
    this.#writes += 1;
    const etag = this.#etagOf === 'write' ? `write-${this.#writes}` : createHash('md5').update(body).digest('hex');
    const lastModified = this.#now?.() ?? options.lastModified;
    this.objects.set(key, {
      body: Uint8Array.from(body),
      etag,
      size: body.byteLength,
      lastModified: new Date(Math.floor(lastModified.getTime() / 1000) * 1000),
      metadata: { ...options.metadata },
      contentType: options.contentType,
      ...(options.cacheControl === undefined ? {} : { cacheControl: options.cacheControl }),
    });
    return etag;
  }
}

export function bytesOf(body: ObjectBody): Uint8Array {
  return body instanceof Uint8Array ? body : Buffer.concat(body);
}
