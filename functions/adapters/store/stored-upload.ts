/** One upload into a store: a put where it is small, else a multipart upload, which is aborted where anything fails. */

import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import type { ETag, ObjectKey } from '../../ports.ts';
import { statusOf, unquoted } from '../aws/s3-objects.ts';
import { ObjectTooLarge, type ReceiveOptions } from '../local/directory-objects.ts';

const mebibyte = 1024 * 1024;

export const uploadPartLimits = {
  /** A body of so many bytes is put at once: most packages are smaller. */
  putBytesMax: 16 * mebibyte,
  /**
   * A part of a larger one. Three parts are in memory at a time: the first, which has the metadata, one that is sent, and one that comes.
   * S3 permits 10,000 parts, of 5 MiB at least: 80 GiB.
   */
  partBytes: 8 * mebibyte,
} as const;

interface Place {
  readonly Bucket: string;
  readonly Key: string;
}

/** The check asks for bytes that are not in memory any more: then the package is stored, and extract decides. */
class BeyondFirstPart extends Error {
  override readonly name = 'BeyondFirstPart';
}

export class StoredUpload {
  readonly #client: S3Client;
  readonly #place: Place;
  /** The whole body where it is small, else its first part. */
  #head: Buffer = Buffer.alloc(0);
  #bytes = 0;
  /** The part that is on its way. */
  #sending: Promise<void> = Promise.resolve();
  #uploadId: string | undefined;
  readonly #parts: { readonly PartNumber: number; readonly ETag: string | undefined }[] = [];

  constructor(client: S3Client, place: Place) {
    this.#client = client;
    this.#place = place;
  }

  /** Runs the steps below. Where one throws, or does not finish the upload, the store keeps nothing of it. */
  async during<Result>(steps: () => Promise<Result>): Promise<Result> {
    try {
      return await steps();
    } finally {
      const { Bucket, Key } = this.#place;
      if (this.#uploadId !== undefined) {
        const command = new AbortMultipartUploadCommand({ Bucket, Key, UploadId: this.#uploadId });
        await this.#sending.catch(() => {});
        // What is left of it is removed by the bucket's lifecycle rule, if it has one.
        await this.#client.send(command).catch(() => {});
      }
    }
  }

  /**
   * Reads the body to its end, and sends the parts of a large one.
   * @throws {ObjectTooLarge}
   */
  async read(key: ObjectKey, body: AsyncIterable<Uint8Array>, bytesMax: number): Promise<void> {
    const { putBytesMax, partBytes } = uploadPartLimits;
    let waiting: Uint8Array[] = [];
    let waitingBytes = 0;
    for await (const piece of body) {
      this.#bytes += piece.byteLength;
      if (this.#bytes > bytesMax) throw new ObjectTooLarge(key, bytesMax);
      waiting.push(piece);
      waitingBytes += piece.byteLength;
      const isLarge = this.#uploadId !== undefined || waitingBytes > putBytesMax;
      while (isLarge && waitingBytes > partBytes) {
        const all = Buffer.concat(waiting);
        // A copy, so that what follows it is not kept in memory with it.
        const part = Buffer.from(all.subarray(0, partBytes));
        waiting = [all.subarray(partBytes)];
        waitingBytes -= partBytes;
        if (this.#uploadId === undefined) await this.#begin(part);
        await this.#sending;
        this.#sending = this.#send(part);
        // It is awaited before the next part, or at the end: until then its failure must not end the process.
        this.#sending.catch(() => {});
      }
    }
    await this.#sending;
    const rest = Buffer.concat(waiting);
    if (this.#uploadId === undefined) this.#head = rest;
    else await this.#send(rest);
  }

  /** @throws what the check throws. */
  async checkWith(check: ReceiveOptions['check']): Promise<void> {
    const head = this.#head;
    try {
      await check?.({
        size: this.#bytes,
        read: async (offset, length) => {
          if (offset + length > head.byteLength) throw new BeyondFirstPart();
          return head.subarray(offset, offset + length);
        },
      });
    } catch (error) {
      if (!(error instanceof BeyondFirstPart)) throw error;
    }
  }

  /** @returns undefined where the condition does not hold. */
  async finish(condition: { readonly IfNoneMatch?: '*' }): Promise<ETag | undefined> {
    try {
      const { ETag: etag = '' } = await (this.#uploadId === undefined
        ? this.#put(condition)
        : this.#complete(condition));
      this.#uploadId = undefined;
      return unquoted(etag);
    } catch (error) {
      if (condition.IfNoneMatch === '*' && [409, 412].includes(statusOf(error) ?? 0)) return undefined;
      throw error;
    }
  }

  async #put(condition: { readonly IfNoneMatch?: '*' }) {
    return await this.#client.send(new PutObjectCommand({ ...this.#place, ...type, Body: this.#head, ...condition }));
  }

  async #complete(condition: { readonly IfNoneMatch?: '*' }) {
    return await this.#client.send(
      new CompleteMultipartUploadCommand({
        ...this.#place,
        UploadId: this.#uploadId,
        MultipartUpload: { Parts: this.#parts },
        ...condition,
      }),
    );
  }

  async #begin(firstPart: Buffer): Promise<void> {
    this.#head = firstPart;
    const { UploadId: id } = await this.#client.send(new CreateMultipartUploadCommand({ ...this.#place, ...type }));
    if (id === undefined)
      throw new Error(`${this.#place.Key}: expected the store to begin an upload, found no UploadId`);
    this.#uploadId = id;
  }

  async #send(part: Buffer): Promise<void> {
    const PartNumber = this.#parts.length + 1;
    this.#parts.push({ PartNumber, ETag: undefined });
    const { ETag } = await this.#client.send(
      new UploadPartCommand({ ...this.#place, UploadId: this.#uploadId, PartNumber, Body: part }),
    );
    this.#parts[PartNumber - 1] = { PartNumber, ETag };
  }
}

const type = { ContentType: 'application/octet-stream' } as const;
