/** Reads a repository's indexes over and over, as its clients do, and keeps what they see. */

import { setTimeout as sleep } from 'node:timers/promises';
import { GetObjectCommand, NoSuchKey, type S3Client } from '@aws-sdk/client-s3';
import { joinKey } from '../../functions/keys.ts';
import { type PublishedIndex, readIndex } from '../pkgin-reader.ts';

const formats = ['gz', 'zst'] as const;
type Format = (typeof formats)[number];

/** How often a client comes. */
const pollMilliseconds = 25;

export interface SeenIndex extends PublishedIndex {
  readonly format: Format;
  readonly lastModified: Date;
}

/** One index as it is now; undefined where there is none. @throws {BrokenIndex} where pkgin could not read it. */
export async function readPublished(
  client: S3Client,
  bucket: string,
  repository: string,
  format: Format,
): Promise<(SeenIndex & { readonly etag: string }) | undefined> {
  const Key = joinKey(repository, `pkg_summary.${format}`);
  try {
    const { Body, ETag = '', LastModified } = await client.send(new GetObjectCommand({ Bucket: bucket, Key }));
    const bytes = (await Body?.transformToByteArray()) ?? new Uint8Array();
    return { ...readIndex(bytes, format), format, lastModified: LastModified ?? new Date(0), etag: ETag };
  } catch (error) {
    if (error instanceof NoSuchKey) return undefined;
    throw error;
  }
}

export class IndexWatcher {
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;
  /** Every version that was seen, each once, by its format. */
  readonly seen: SeenIndex[] = [];
  /** How often the indexes were read. */
  reads = 0;

  constructor(client: S3Client, bucket: string, repository: string) {
    this.#running = Promise.all(formats.map((format) => this.#watch(client, bucket, repository, format))).then(
      () => {},
    );
    this.#running.catch(() => {}); // told by stop
  }

  /** @throws {BrokenIndex} for any version that pkgin could not have read. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #watch(client: S3Client, bucket: string, repository: string, format: Format): Promise<void> {
    let lastETag = '';
    while (!this.#stopping.signal.aborted) {
      const published = await readPublished(client, bucket, repository, format);
      this.reads += 1;
      if (published !== undefined && published.etag !== lastETag) {
        lastETag = published.etag;
        this.seen.push(published);
      }
      await sleep(pollMilliseconds);
    }
  }
}
