/**
 * The files that describe a package. They come first in the tar archive; reading stops at the first other entry.
 * Source: pkg_install info/perform.c (read_meta_data_from_archive) and lib/pkg_io.c.
 */

import { packageLimits } from './limits.ts';
import { MalformedPackage } from './malformed-package.ts';
import { type Reading, type TarEntry, TarReader } from './tar.ts';

/** The metadata files that the record is made from. A package with one of them twice is corrupt. */
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

/** Type flag of tar. A directory is never metadata, whatever its name is. */
const directory = '5';

type RecordFile = (typeof recordFiles)[number];

/** The bytes of each file up to its first NUL, as C reads them. */
export interface Metadata {
  readonly contents: Uint8Array;
  readonly comment: Uint8Array;
  readonly description: Uint8Array;
  readonly buildInfo: Uint8Array | undefined;
  readonly sizePkg: Uint8Array | undefined;
}

/**
 * Reads up to the chunk that holds the header of the first payload file, and no further.
 * @throws {MalformedPackage} and everything that `archive` throws.
 */
export async function readMetadata(archive: AsyncIterator<Uint8Array>, tar = new TarReader()): Promise<Metadata> {
  const reading = metadataIn(tar);
  for (let step = reading.next(); ; ) {
    if (step.done === true) return step.value;
    const next = await archive.next();
    step = reading.next(next.done === true ? undefined : next.value);
  }
}

/**
 * A parser without I/O: see `Reading`. The result refers to the chunks.
 * @throws {MalformedPackage}
 */
export function* metadataIn(tar: TarReader): Reading<Metadata> {
  const files = new Map<RecordFile, Uint8Array>();
  let entry = yield* tar.nextEntry();
  for (let entries = 1; entry !== undefined && isMetadata(entry); entries += 1) {
    checkEntry(entry, entries);
    const content = yield* tar.content(entry);
    if (isRecordFile(entry.name)) {
      if (files.has(entry.name)) throw repeated(entry);
      files.set(entry.name, upToNul(content));
    }
    entry = yield* tar.nextEntry();
  }
  const [contents, comment, description] = requiredFiles.map((file) => files.get(file));
  if (contents === undefined || comment === undefined || description === undefined) {
    const missing = requiredFiles.filter((file) => !files.has(file));
    const found = entry === undefined ? 'the end of the archive' : describeName(entry.name);
    const what = `expected +CONTENTS, +COMMENT and +DESC before the first other file, found ${found} and no ${missing.join(', no ')}`;
    throw new MalformedPackage('missing-metadata', what, entry?.offset ?? tar.offset, 'archive');
  }
  return { contents, comment, description, buildInfo: files.get('+BUILD_INFO'), sizePkg: files.get('+SIZE_PKG') };
}

/** For chunks that are to be overwritten. */
export function copyOf({ contents, comment, description, buildInfo, sizePkg }: Metadata): Metadata {
  return {
    contents: Buffer.from(contents),
    comment: Buffer.from(comment),
    description: Buffer.from(description),
    buildInfo: buildInfo && Buffer.from(buildInfo),
    sizePkg: sizePkg && Buffer.from(sizePkg),
  };
}

function isMetadata({ name, type }: TarEntry): boolean {
  return type !== directory && (isRecordFile(name) || (otherFiles as readonly string[]).includes(name));
}

function checkEntry({ name, size: contentBytes, storedBytes, offset }: TarEntry, entries: number): void {
  const size = Math.max(contentBytes, storedBytes);
  const { metadataEntriesMax, metadataFileBytesMax, textFileBytesMax } = packageLimits;
  if (entries > metadataEntriesMax) {
    const what = `expected at most ${metadataEntriesMax} metadata files, found more`;
    throw new MalformedPackage('too-large', what, offset, 'archive');
  }
  const isText = isRecordFile(name) && name !== '+CONTENTS';
  const bytesMax = isText ? textFileBytesMax : metadataFileBytesMax;
  if (size > bytesMax) {
    const what = `expected a ${name} of at most ${bytesMax} bytes, found one of ${size}`;
    throw new MalformedPackage('too-large', what, offset, 'archive');
  }
}

function repeated({ name, offset }: TarEntry): MalformedPackage {
  return new MalformedPackage('repeated-metadata', `expected one ${name}, found two`, offset, 'archive');
}

function isRecordFile(name: string): name is RecordFile {
  return (recordFiles as readonly string[]).includes(name);
}

/** Names are bytes, mostly of UTF-8. */
function describeName(name: string): string {
  return JSON.stringify(Buffer.from(name, 'latin1').toString().slice(0, 100));
}

function upToNul(bytes: Uint8Array): Uint8Array {
  const nul = bytes.indexOf(0);
  return nul === -1 ? bytes : bytes.subarray(0, nul);
}
