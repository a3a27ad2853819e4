/**
 * The files that describe a package: the tar archive begins with them, and reading stops at the first entry that is not one.
 * Source: pkg_install info/perform.c (read_meta_data_from_archive) and lib/pkg_io.c.
 */

import { type ExtractEvents, extract } from 'tar-stream';
import { packageLimits } from '../limits.ts';
import { describeFormat, looksLikeTar } from './formats.ts';
import { MalformedPackage } from './malformed-package.ts';

/** The metadata files that the record is made of; of these a second one makes a package corrupt. */
const recordFiles = ['+CONTENTS', '+COMMENT', '+DESC', '+BUILD_INFO', '+SIZE_PKG'] as const;
const requiredFiles = ['+CONTENTS', '+COMMENT', '+DESC'] as const;
const otherFiles = [
  '+INSTALL',
  '+DEINSTALL',
  '+DISPLAY',
  '+MTREE_DIRS',
  '+BUILD_VERSION',
  '+SIZE_ALL',
  '+PRESERVE',
  '+VIEWS',
  '+REQUIRED_BY',
  '+INSTALLED_INFO',
] as const;

type RecordFile = (typeof recordFiles)[number];

/** Each file's bytes up to its first NUL, as C reads them. */
export interface Metadata {
  readonly contents: Uint8Array;
  readonly comment: Uint8Array;
  readonly description: Uint8Array;
  readonly buildInfo: Uint8Array | undefined;
  readonly sizePkg: Uint8Array | undefined;
}

export interface Archive {
  readonly bytes: AsyncIterator<Uint8Array>;
  /** Bytes of the file that have been taken so far to decompress what `bytes` gave. */
  readonly compressedBytes: () => number;
}

/**
 * Reads as far as the chunk that holds the first payload entry's header; the rest of `archive.bytes` stays unread.
 * @throws {MalformedPackage} also what `archive.bytes` throws.
 */
export async function readMetadata(archive: Archive): Promise<Metadata> {
  const reader = new MetadataReader();
  let archiveBytes = 0;
  while (!reader.isComplete) {
    const next = await archive.bytes.next();
    if (next.done === true) {
      if (archiveBytes === 0) throw notAnArchive(new Uint8Array());
      await reader.end();
      break;
    }
    if (archiveBytes === 0 && isOtherThanTar(next.value)) throw notAnArchive(next.value);
    archiveBytes += next.value.length;
    checkSize(archiveBytes, archive.compressedBytes());
    await reader.write(next.value);
  }
  return reader.metadata();
}

/** tar-stream, driven a chunk at a time so that it never runs ahead of what is needed. */
class MetadataReader {
  /** The first payload entry has been seen. */
  isComplete = false;
  readonly #files = new Map<RecordFile, Uint8Array>();
  // One byte of high-water mark: `write` always reports a full buffer, and `drain` that the chunk has been taken apart.
  readonly #tar = extract({ allowUnknownFormat: true, highWaterMark: 1 } as { highWaterMark: number });
  #entries = 0;
  #bytes = 0;
  #failure: MalformedPackage | undefined;
  #wake: () => void = () => undefined;

  constructor() {
    const tar = this.#tar;
    tar.on('entry', (header, body, next) => this.#readEntry(header, body, next));
    tar.on('error', (error: Error) => this.#fail(corrupt(error, this.#bytes)));
    for (const event of ['drain', 'finish', 'close'] as const) tar.on(event, () => this.#wake());
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#bytes += chunk.length;
    await this.#until(() => this.#tar.write(chunk));
  }

  async end(): Promise<void> {
    await this.#until(() => this.#tar.end(undefined));
  }

  metadata(): Metadata {
    const missing = requiredFiles.filter((file) => !this.#files.has(file));
    const [contents, comment, description] = requiredFiles.map((file) => this.#files.get(file));
    if (contents === undefined || comment === undefined || description === undefined) {
      const what = `expected +CONTENTS, +COMMENT and +DESC before the first other file, found no ${missing.join(', no ')}`;
      throw new MalformedPackage('missing-metadata', what, this.#bytes, 'archive');
    }
    return {
      contents,
      comment,
      description,
      buildInfo: this.#files.get('+BUILD_INFO'),
      sizePkg: this.#files.get('+SIZE_PKG'),
    };
  }

  async #until(act: () => void): Promise<void> {
    const woken = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    act();
    await woken;
    if (this.#failure !== undefined) throw this.#failure;
  }

  #fail(error: MalformedPackage): void {
    this.#failure ??= error;
    this.#tar.destroy();
    this.#wake();
  }

  #readEntry(...[header, body, next]: ExtractEvents['entry']): void {
    const { name } = header;
    if (header.type === 'directory' || !isMetadataName(name)) {
      this.isComplete = true;
      this.#tar.destroy();
      this.#wake();
      return;
    }
    const refusal = this.#refusal(name, header.size);
    if (refusal !== undefined) {
      this.#fail(refusal);
      return;
    }
    const chunks: Uint8Array[] = [];
    // Where the archive ends within a file, tar-stream reports it here too; without a listener that would end the process.
    body.on('error', () => undefined);
    body.on('data', (chunk) => chunks.push(chunk as Uint8Array));
    body.on('end', () => {
      if (isRecordFile(name)) this.#files.set(name, upToNul(Buffer.concat(chunks)));
      next();
    });
  }

  #refusal(name: string, size: number): MalformedPackage | undefined {
    this.#entries += 1;
    if (this.#entries > packageLimits.metadataEntriesMax)
      return tooLarge(`expected at most ${packageLimits.metadataEntriesMax} metadata files, found more`, this.#bytes);
    // tar-stream lets a size through that it cannot read (base-256 with an unknown flag), and then waits for the end for ever.
    if (!Number.isFinite(size)) return corrupt(new Error('Invalid size'), this.#bytes);
    if (size > packageLimits.metadataFileBytesMax)
      return tooLarge(
        `expected a ${name} of at most ${packageLimits.metadataFileBytesMax} bytes, found one of ${size}`,
        this.#bytes,
      );
    if (isRecordFile(name) && this.#files.has(name))
      return new MalformedPackage('repeated-metadata', `expected one ${name}, found two`, this.#bytes, 'archive');
    return undefined;
  }
}

function isOtherThanTar(firstChunk: Uint8Array): boolean {
  return firstChunk.length >= 512 && !looksLikeTar(firstChunk);
}

function notAnArchive(head: Uint8Array): MalformedPackage {
  const what = `expected a tar archive inside the compressed data, found ${describeFormat(head)}`;
  return new MalformedPackage('not-a-package', what, 0, 'archive');
}

function checkSize(archiveBytes: number, compressedBytes: number): void {
  if (archiveBytes > packageLimits.metadataBytesMax)
    throw tooLarge(`expected at most ${packageLimits.metadataBytesMax} bytes of metadata, found more`, archiveBytes);
  const ratio = archiveBytes / compressedBytes;
  if (archiveBytes > packageLimits.ratioFreeBytes && ratio > packageLimits.compressionRatioMax) {
    const what = `expected a compression ratio of at most ${packageLimits.compressionRatioMax}, found ${Math.round(ratio)}`;
    throw tooLarge(what, archiveBytes);
  }
}

function isRecordFile(name: string): name is RecordFile {
  return (recordFiles as readonly string[]).includes(name);
}

function isMetadataName(name: string): boolean {
  return isRecordFile(name) || (otherFiles as readonly string[]).includes(name);
}

function upToNul(bytes: Uint8Array): Uint8Array {
  const nul = bytes.indexOf(0);
  return nul === -1 ? bytes : bytes.subarray(0, nul);
}

function tooLarge(what: string, archiveBytes: number): MalformedPackage {
  return new MalformedPackage('too-large', what, archiveBytes, 'archive');
}

/** tar-stream says what is wrong in words only. */
function corrupt(error: Error, archiveBytes: number): MalformedPackage {
  return error.message === 'Unexpected end of data'
    ? new MalformedPackage('truncated', 'expected more of the tar archive, found its end', archiveBytes, 'archive')
    : new MalformedPackage(
        'corrupt-archive',
        'expected a sound tar header, found one with a wrong checksum or size',
        archiveBytes,
        'archive',
      );
}
