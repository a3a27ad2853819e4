/** For each package with `+` in its name: a copy, with the key that S3 looks up for such a URL. */

import { CopyObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { plusAliasOf } from '../../keys.ts';
import { type AliasKeeper, aliasMetadata, type ObjectFacts, type ObjectKey, type ObjectStore } from '../../ports.ts';
import { endedBy, statusOf } from './s3-objects.ts';

export interface S3AliasesOptions {
  readonly bucket: string;
  readonly objects: ObjectStore;
}

/** A package, and where its alias belongs. */
interface Aliased {
  readonly key: ObjectKey;
  readonly aliasKey: ObjectKey;
  /** The package as it is; undefined: it is gone. */
  readonly seen: ObjectFacts | undefined;
}

export class S3Aliases implements AliasKeeper {
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #objects: ObjectStore;

  constructor(client: S3Client, { bucket, objects }: S3AliasesOptions) {
    this.#client = client;
    this.#bucket = bucket;
    this.#objects = objects;
  }

  /** An object at the alias's key without the mark is an uploaded package: it stays. */
  async reconcile(key: ObjectKey, seen: ObjectFacts | undefined, signal?: AbortSignal): Promise<void> {
    const aliasKey = plusAliasOf(key);
    if (aliasKey !== undefined) await this.#reconcileAlias({ aliasKey, key, seen }, signal);
    else if (key.includes(' ')) await this.#removeOrphan(key, signal);
  }

  async #reconcileAlias({ aliasKey, key, seen }: Aliased, signal: AbortSignal | undefined): Promise<void> {
    const alias = await this.#objects.head(aliasKey, signal);
    const mark = alias?.metadata[aliasMetadata];
    const isUploaded = alias !== undefined && mark === undefined;
    if (isUploaded || mark === (seen && markOf(key, seen))) return;
    if (seen === undefined) await this.#objects.delete(aliasKey, signal);
    else await this.#copy(key, aliasKey, markOf(key, seen), signal);
  }

  /** Removes an alias whose package is gone: the event of the package's removal was lost. */
  async #removeOrphan(aliasKey: ObjectKey, signal: AbortSignal | undefined): Promise<void> {
    const alias = await this.#objects.head(aliasKey, signal);
    const mark = alias?.metadata[aliasMetadata];
    if (mark !== undefined && (await this.#objects.head(keyOf(mark), signal)) === undefined)
      await this.#objects.delete(aliasKey, signal);
  }

  /**
   * Copies the object as it is now. If that is another one than `seen`, extract finds out when it checks again, and repeats.
   * CopyObject copies objects of up to 5 GB. https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
   */
  async #copy(key: ObjectKey, aliasKey: ObjectKey, mark: string, signal: AbortSignal | undefined): Promise<void> {
    try {
      await this.#client.send(
        new CopyObjectCommand({
          Bucket: this.#bucket,
          Key: aliasKey,
          CopySource: `${this.#bucket}/${encodeURIComponent(key)}`,
          MetadataDirective: 'REPLACE',
          // Copying the tags would need more permissions.
          TaggingDirective: 'REPLACE',
          Metadata: { [aliasMetadata]: mark },
          ContentType: 'application/octet-stream',
        }),
        endedBy(signal),
      );
    } catch (error) {
      const isSourceGone = statusOf(error) === 404;
      if (!isSourceGone) throw error;
    }
  }
}

/** `ETAG KEY`, the key percent-encoded because metadata is ASCII. */
function markOf(key: ObjectKey, { etag }: ObjectFacts): string {
  return `${etag} ${encodeURIComponent(key)}`;
}

function keyOf(mark: string): ObjectKey {
  return decodeURIComponent(mark.slice(mark.indexOf(' ') + 1));
}
