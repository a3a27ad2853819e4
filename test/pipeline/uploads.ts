/** What a user of the bucket does, and what its indexes must be in the end: told by what was uploaded, not by the indexer's code. */

import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { splitKey } from '../../functions/keys.ts';
import { makePackage, type PackageParts } from '../package-maker.ts';

/** What S3 takes for a part that is not the last. */
const partBytesMin = 5 * 1024 * 1024;

interface Upload {
  readonly bytes: Uint8Array;
  /** Undefined: malformed. */
  readonly record: string | undefined;
}

export class Uploads {
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #uploads = new Map<string, Upload>();
  readonly #repositories = new Set<string>();

  constructor(client: S3Client, bucket: string) {
    this.#client = client;
    this.#bucket = bucket;
  }

  /** `key` without its suffix ends in the package's name. The comment makes two packages of one name different. */
  async put(key: string, { comment = 'made for a test', ...parts }: PackageParts = {}): Promise<void> {
    const upload = packageAt(key, { comment, ...parts });
    await this.#client.send(new PutObjectCommand({ Bucket: this.#bucket, Key: key, Body: upload.bytes }));
    this.#uploaded(key, upload);
  }

  async putMalformed(key: string): Promise<void> {
    const bytes = Buffer.from(`no package at all: ${key}`);
    await this.#client.send(new PutObjectCommand({ Bucket: this.#bucket, Key: key, Body: bytes }));
    this.#uploaded(key, { bytes, record: undefined });
  }

  /** In parts. @returns how many. */
  async putInParts(key: string): Promise<number> {
    const upload = packageAt(key, { comment: 'in parts', payload: { 'bin/big': 2 * partBytesMin + 1 } });
    const object = { Bucket: this.#bucket, Key: key };
    const { UploadId } = await this.#client.send(new CreateMultipartUploadCommand(object));
    const Parts: { ETag: string | undefined; PartNumber: number }[] = [];
    for (let start = 0; start < upload.bytes.length; start += partBytesMin) {
      const PartNumber = Parts.length + 1;
      const Body = upload.bytes.subarray(start, start + partBytesMin);
      const { ETag } = await this.#client.send(new UploadPartCommand({ ...object, UploadId, PartNumber, Body }));
      Parts.push({ ETag, PartNumber });
    }
    const MultipartUpload = { Parts };
    await this.#client.send(new CompleteMultipartUploadCommand({ ...object, UploadId, MultipartUpload }));
    this.#uploaded(key, upload);
    return Parts.length;
  }

  #uploaded(key: string, upload: Upload): void {
    this.#uploads.set(key, upload);
    this.#repositories.add(splitKey(key).repository);
  }

  async delete(key: string): Promise<void> {
    await this.#client.send(new DeleteObjectCommand({ Bucket: this.#bucket, Key: key }));
    this.#uploads.delete(key);
  }

  /** Every repository that ever had a package. */
  get repositories(): readonly string[] {
    return [...this.#repositories];
  }

  /** The summary of what is there now: the records in the order of the bytes of their file names. */
  summaryOf(repository: string): Buffer {
    const records = [...this.#uploads]
      .map(([key, { record }]) => ({ ...splitKey(key), record }))
      .filter((upload) => upload.repository === repository && upload.record !== undefined)
      .toSorted((one, other) => Buffer.compare(Buffer.from(one.file), Buffer.from(other.file)))
      .map(({ record }) => record);
    return Buffer.from(records.length === 0 ? '\n' : records.join(''));
  }
}

function packageAt(key: string, parts: PackageParts): Upload {
  const { file } = splitKey(key);
  const name = file.slice(0, file.lastIndexOf('.'));
  const bytes = makePackage({ name, ...parts, description: 'Of no use.\n' });
  const lines = [
    `PKGNAME=${name}`,
    `COMMENT=${parts.comment}`,
    `FILE_NAME=${file}`,
    `FILE_SIZE=${bytes.length}`,
    'DESCRIPTION=Of no use.',
  ];
  return { bytes, record: `${lines.join('\n')}\n\n` };
}
