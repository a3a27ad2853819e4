/** A package's bytes → its metadata, reading only the head of the file. */

import { packageLimits } from '../limits.ts';
import { findPackage, type Signature } from './container.ts';
import { decompress } from './decompression.ts';
import type { Compression } from './formats.ts';
import { type Metadata, readMetadata } from './metadata.ts';
import { type PackageSource, RangeStream, withHead } from './package-source.ts';

export interface PackageMetadata extends Metadata {
  readonly signature: Signature | undefined;
}

/** @throws {MalformedPackage} the package is bad. Anything else that is thrown comes from `source`. */
export async function readPackage(stored: PackageSource): Promise<PackageMetadata> {
  const source = withHead(stored);
  const { start, end, signature } = await findPackage(source);
  const compressed = new RangeStream(source, start, end);
  const { compression, archive } = await decompress(compressed, start);
  let archiveBytes = 0;
  const counted: AsyncIterator<Uint8Array> = {
    async next() {
      const next = await archive.next();
      if (next.done !== true) archiveBytes += next.value.length;
      return next;
    },
  };
  try {
    const metadata = await readMetadata({ bytes: counted, compressedBytes: () => compressed.fetchedTo - start });
    const isEndNear = compression !== undefined && end - compressed.fetchedTo <= packageLimits.lookAheadBytes;
    if (isEndNear && !(await endsLikeGzip(source, compression, compressed.fetchedTo, end, archiveBytes)))
      await lookAhead(counted);
    return { ...metadata, signature };
  } finally {
    await archive.return(undefined);
  }
}

/**
 * Finds a package that was cut shortly behind its metadata, which pkg_info refuses too.
 * @throws {MalformedPackage} truncated, corrupt-compression.
 */
async function lookAhead(archive: AsyncIterator<Uint8Array>): Promise<void> {
  for (let bytes = 0; bytes <= packageLimits.lookAheadBytes; ) {
    const next = await archive.next();
    if (next.done === true) return;
    bytes += next.value.length;
  }
}

/** ISIZE, RFC 1952: the length of what a gzip member holds, modulo 2^32, little-endian, at its very end. */
const lengthBytes = 4;

/**
 * A look at the last bytes instead of reading on: a gzip file ends in the length of what it holds, and a tar archive is whole
 * blocks. Bytes cut from the middle of deflate data look like that once in 512 times. False only means: not sure, read on.
 * (With the end already at hand, reading on costs no request, and checks the CRC as well.)
 */
async function endsLikeGzip(
  source: PackageSource,
  compression: Compression | undefined,
  fetchedTo: number,
  end: number,
  archiveBytesSeen: number,
): Promise<boolean> {
  if (compression !== 'gzip' || end - fetchedTo < lengthBytes) return false;
  const tail = await source.read(end - lengthBytes, lengthBytes);
  const archiveBytes = new DataView(tail.buffer, tail.byteOffset).getUint32(0, true);
  return archiveBytes % 512 === 0 && archiveBytes >= archiveBytesSeen;
}
