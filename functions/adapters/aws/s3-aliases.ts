/** Copies of packages with `+` in their name under the key that S3 reads from such a URL. */

import { CopyObjectCommand, type S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import { plusAliasOf } from '../../keys.ts';
import { type AliasKeeper, aliasMetadata, type ObjectFacts, type ObjectKey, type ObjectStore } from '../../ports.ts';

export interface S3AliasesOptions {
  readonly bucket: string;
  readonly objects: ObjectStore;
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

  /** An object at the alias's key that does not carry the mark is somebody's package: it is left alone. */
  async reconcile(key: ObjectKey, seen: ObjectFacts | undefined): Promise<void> {
    const aliasKey = plusAliasOf(key);
    if (aliasKey !== undefined) await this.#agreeAlias(aliasKey, key, seen);
    else if (key.includes(' ')) await this.#removeOrphan(key);
  }

  async #agreeAlias(aliasKey: ObjectKey, key: ObjectKey, seen: ObjectFacts | undefined): Promise<void> {
    const alias = await this.#objects.head(aliasKey);
    const mark = alias?.metadata[aliasMetadata];
    const isSomebodys = alias !== undefined && mark === undefined;
    if (isSomebodys || mark === (seen && markOf(key, seen))) return;
    if (seen === undefined) await this.#objects.delete(aliasKey);
    else await this.#copy(key, aliasKey, markOf(key, seen));
  }

  /** The alias of a package that is gone, when the event of its going was lost. */
  async #removeOrphan(aliasKey: ObjectKey): Promise<void> {
    const alias = await this.#objects.head(aliasKey);
    const mark = alias?.metadata[aliasMetadata];
    if (mark !== undefined && (await this.#objects.head(keyOf(mark))) === undefined)
      await this.#objects.delete(aliasKey);
  }

  /**
   * Copies whatever is there now: should it not be what was seen, extract finds out when it looks again, and comes back.
   * CopyObject takes objects of up to 5 GB. https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
   */
  async #copy(key: ObjectKey, aliasKey: ObjectKey, mark: string): Promise<void> {
    try {
      await this.#client.send(
        new CopyObjectCommand({
          Bucket: this.#bucket,
          Key: aliasKey,
          CopySource: `${this.#bucket}/${encodeURIComponent(key)}`,
          MetadataDirective: 'REPLACE',
          // Copying the tags would take further permissions.
          TaggingDirective: 'REPLACE',
          Metadata: { [aliasMetadata]: mark },
          ContentType: 'application/octet-stream',
        }),
      );
    } catch (error) {
      const isSourceGone = error instanceof S3ServiceException && error.$metadata.httpStatusCode === 404;
      if (!isSourceGone) throw error;
    }
  }
}

/** Metadata is ASCII: the key is percent-encoded, and stands behind the ETag. */
function markOf(key: ObjectKey, { etag }: ObjectFacts): string {
  return `${etag} ${encodeURIComponent(key)}`;
}

function keyOf(mark: string): ObjectKey {
  return decodeURIComponent(mark.slice(mark.indexOf(' ') + 1));
}
