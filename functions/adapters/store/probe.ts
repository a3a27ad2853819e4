/** What a store can do, tried out with objects of our own, which are removed again. */

import { randomUUID } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { decodeFormKey } from '../../keys.ts';
import { statusOf, unquoted } from '../aws/s3-objects.ts';
import type { StoreAbilities } from './abilities.ts';
import { StoreFailure } from './store-failure.ts';

const probeLimits = {
  /** Puts at the same time, of which one may succeed … */
  putsAtOnce: 8,
  /** … so many times. */
  rounds: 3,
} as const;

/** @param prefix what precedes each key: `''`, or ending in `/`. @throws {StoreFailure} where the store is away, or refuses. */
export async function probeStore(client: S3Client, bucket: string, prefix: string): Promise<StoreAbilities> {
  const probe = new Probe(client, bucket, `${prefix}.indexer/probe-${randomUUID().slice(0, 8)}/`);
  try {
    const conditions = await probe.conditions();
    return {
      ...conditions,
      listsAtOnce: await tried(() => probe.listsAtOnce()),
      conditionalRanges: await tried(() => probe.conditionalRanges(conditions.quotesIfMatch)),
      oddKeys: await tried(() => probe.oddKeys()),
      copies: await tried(() => probe.copies()),
      multipartUploads: await tried(() => probe.multipartUploads()),
    };
  } finally {
    await probe.clean();
  }
}

async function tried(attempt: () => Promise<boolean>): Promise<boolean> {
  try {
    return await attempt();
  } catch (error) {
    if (isRefusal(error)) return false;
    throw error;
  }
}

/** The store answered, and does not do it. */
function isRefusal(error: unknown): boolean {
  return statusOf(error) !== undefined || (error instanceof StoreFailure && error.isUnsupported);
}

class Probe {
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #prefix: string;
  readonly #keys = new Set<string>();

  constructor(client: S3Client, bucket: string, prefix: string) {
    this.#client = client;
    this.#bucket = bucket;
    this.#prefix = prefix;
  }

  async conditions(): Promise<Pick<StoreAbilities, 'conditionalPuts' | 'quotesIfMatch'>> {
    const etag = (await this.#put('condition', 'first')) ?? '';
    if (await this.#puts('condition', 'again', { IfNoneMatch: '*' }))
      return { conditionalPuts: 'no', quotesIfMatch: true };
    if (await this.#puts('condition', 'other', { IfMatch: '"0123456789abcdef0123456789abcdef"' }))
      return { conditionalPuts: 'no', quotesIfMatch: true };
    const quotesIfMatch = await this.#puts('condition', 'second', { IfMatch: `"${etag}"` });
    if (!quotesIfMatch && !(await this.#puts('condition', 'third', { IfMatch: etag })))
      return { conditionalPuts: 'no', quotesIfMatch: true };
    for (let round = 0; round < probeLimits.rounds; round += 1) {
      const all = Array.from({ length: probeLimits.putsAtOnce }, (_, index) =>
        this.#puts(`race-${round}`, `put ${index}`, { IfNoneMatch: '*' }),
      );
      const winners = (await Promise.all(all)).filter((isStored) => isStored).length;
      if (winners !== 1) return { conditionalPuts: 'racy', quotesIfMatch };
    }
    return { conditionalPuts: 'yes', quotesIfMatch };
  }

  async listsAtOnce(): Promise<boolean> {
    const etag = await this.#put('listed', 'content');
    const { Contents: found = [] } = await this.#list('listed');
    return found.some(({ ETag }) => unquoted(ETag ?? '') === etag);
  }

  async conditionalRanges(quotes: boolean): Promise<boolean> {
    const etag = (await this.#put('range', 'content')) ?? '';
    const read = (match: string) =>
      new GetObjectCommand({ ...this.#place('range'), Range: 'bytes=1-3', IfMatch: quotes ? `"${match}"` : match });
    const { Body: body } = await this.#client.send(read(etag));
    if ((await body?.transformToString()) !== 'ont') return false;
    return !(await this.#succeeds(() => this.#client.send(read('0123456789abcdef0123456789abcdef'))));
  }

  async oddKeys(): Promise<boolean> {
    const key = 'odd/gtk2+ 1%2B \u00fc\u{1f4e6}.bin';
    const etag = await this.#put(key, 'odd');
    const head = await this.#client.send(new HeadObjectCommand(this.#place(key)));
    const { Contents: found = [], EncodingType: encoding } = await this.#list('odd/');
    const keys = found.map(({ Key: listed = '' }) => (encoding === 'url' ? decodeFormKey(listed) : listed));
    return unquoted(head.ETag ?? '') === etag && keys.length === 1 && keys[0] === this.#prefix + key;
  }

  async copies(): Promise<boolean> {
    const etag = await this.#put('copied+from', 'content');
    const source = `${this.#bucket}/${encodeURIComponent(this.#place('copied+from').Key)}`;
    await this.#client.send(new CopyObjectCommand({ ...this.#place('copied to'), CopySource: source }));
    const { ETag: copied = '' } = await this.#client.send(new HeadObjectCommand(this.#place('copied to')));
    return unquoted(copied) === etag;
  }

  async multipartUploads(): Promise<boolean> {
    const place = this.#place('parts');
    const { UploadId } = await this.#client.send(new CreateMultipartUploadCommand(place));
    try {
      const part = { ...place, UploadId, PartNumber: 1, Body: Buffer.from('part') };
      const { ETag } = await this.#client.send(new UploadPartCommand(part));
      const parts = { MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] } };
      await this.#client.send(new CompleteMultipartUploadCommand({ ...place, UploadId, ...parts }));
      // The answer may have no ETag (Ceph 16).
      const head = await this.#client.send(new HeadObjectCommand(place));
      const { Contents: found = [] } = await this.#list('parts');
      return head.ContentLength === 4 && head.ETag !== undefined && found[0]?.ETag === head.ETag;
    } catch (error) {
      await this.#client.send(new AbortMultipartUploadCommand({ ...place, UploadId })).catch(() => {});
      throw error;
    }
  }

  async clean(): Promise<void> {
    // What cannot be removed is hidden, and has a few bytes.
    const all = [...this.#keys].map((Key) => this.#client.send(new DeleteObjectCommand({ Bucket: this.#bucket, Key })));
    await Promise.allSettled(all);
  }

  async #put(name: string, content: string): Promise<string | undefined> {
    const { ETag } = await this.#client.send(
      new PutObjectCommand({ ...this.#place(name), Body: Buffer.from(content) }),
    );
    return ETag === undefined ? undefined : unquoted(ETag);
  }

  async #puts(name: string, content: string, condition: { IfMatch?: string; IfNoneMatch?: '*' }): Promise<boolean> {
    const input = { ...this.#place(name), Body: Buffer.from(content), ...condition };
    return await this.#succeeds(() => this.#client.send(new PutObjectCommand(input)));
  }

  async #succeeds(request: () => Promise<unknown>): Promise<boolean> {
    return await tried(async () => {
      await request();
      return true;
    });
  }

  async #list(prefix: string) {
    const place = { Bucket: this.#bucket, Prefix: this.#prefix + prefix, EncodingType: 'url' } as const;
    return await this.#client.send(new ListObjectsV2Command(place));
  }

  #place(name: string): { readonly Bucket: string; readonly Key: string } {
    const Key = this.#prefix + name;
    this.#keys.add(Key);
    return { Bucket: this.#bucket, Key };
  }
}
