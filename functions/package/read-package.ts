/** A package's bytes → its metadata, reading only the head of the file. */

import { findPackage, type PackageExtent, type Signature } from './container.ts';
import { decompress, decompressHead } from './decompression.ts';
import { type Compression, tellCompression } from './formats.ts';
import { packageLimits } from './limits.ts';
import { MalformedPackage } from './malformed-package.ts';
import { type Metadata, metadataWithin, readMetadata } from './metadata.ts';
import { type PackageSource, RangeStream, withHead } from './package-source.ts';
import { TarReader } from './tar.ts';

export interface PackageMetadata extends Metadata {
  readonly signature: Signature | undefined;
}

/** @throws {MalformedPackage} the package is bad. Anything else that is thrown comes from `source`. */
export async function readPackage(stored: PackageSource): Promise<PackageMetadata> {
  const reading = await beginReading(stored);
  const metadata = (await readAtOnce(reading)) ?? (await readStreamed(reading));
  return { ...metadata, signature: reading.extent.signature };
}

/** The same by streams alone, for any package: slower. `readPackage` asks for the same ranges, and has the same outcome. */
export async function streamPackage(stored: PackageSource): Promise<PackageMetadata> {
  const reading = await beginReading(stored);
  return { ...(await readStreamed(reading)), signature: reading.extent.signature };
}

interface Reading {
  readonly source: PackageSource;
  readonly extent: PackageExtent;
  readonly compressed: RangeStream;
  /** Set once it has been found out, which costs a request. */
  isEndSound?: boolean;
}

async function beginReading(stored: PackageSource): Promise<Reading> {
  const source = withHead(stored);
  const extent = await findPackage(source);
  return { source, extent, compressed: new RangeStream(source, extent.start, extent.end) };
}

/**
 * Nearly every package: gzip, sound, and its metadata within the first windows. Anything else is left to `readStreamed`, which
 * begins again with the same windows, and whose word counts: this gives what that would give, or nothing.
 */
async function readAtOnce(reading: Reading): Promise<Metadata | undefined> {
  const { compressed, extent } = reading;
  for (let windows = 0; windows < packageLimits.windowsAtOnceMax && compressed.fetchedTo < extent.end; windows += 1) {
    const bytes = await compressed.lookAhead();
    const isAdopted = compressed.fetchedTo === extent.end;
    const compression = tellCompression(bytes);
    const head = decompressHead(compression, bytes, isAdopted);
    if (head === undefined) return undefined;
    const tar = new TarReader();
    const metadata = tryMetadata(head, tar);
    if (metadata === 'malformed') return undefined;
    if (metadata === undefined) continue;
    const isSound = isAdopted || !isEndNear(reading) || (await endsSoundly(reading, compression, tar.offset));
    return isSound ? metadata : undefined;
  }
  return undefined;
}

function tryMetadata(head: Uint8Array, tar: TarReader): Metadata | undefined | 'malformed' {
  try {
    return metadataWithin(head, tar);
  } catch (error) {
    if (error instanceof MalformedPackage) return 'malformed';
    throw error;
  }
}

async function readStreamed(reading: Reading): Promise<Metadata> {
  const { compressed, extent } = reading;
  const { compression, archive } = await decompress(compressed, extent.start);
  try {
    const tar = new TarReader();
    const compressedBytes = () => compressed.takenTo - extent.start;
    const metadata = await readMetadata({ bytes: archive, compressedBytes }, tar);
    const isDecoded = compression !== undefined;
    if (isDecoded && isEndNear(reading) && !(await endsSoundly(reading, compression, tar.offset)))
      await lookAhead(archive);
    return metadata;
  } finally {
    await archive.return(undefined);
  }
}

/** Whether pkg_info, which takes more at a time, could have met the package's end. */
function isEndNear({ compressed, extent }: Reading): boolean {
  return extent.end - compressed.fetchedTo <= packageLimits.lookAheadBytes;
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
async function endsSoundly(
  reading: Reading,
  compression: Compression | undefined,
  archiveBytesSeen: number,
): Promise<boolean> {
  const { source, extent, compressed } = reading;
  if (compression !== 'gzip' || extent.end - compressed.fetchedTo < lengthBytes) return false;
  if (reading.isEndSound === undefined) {
    const tail = await source.read(extent.end - lengthBytes, lengthBytes);
    const archiveBytes = new DataView(tail.buffer, tail.byteOffset).getUint32(0, true);
    reading.isEndSound = archiveBytes % 512 === 0 && archiveBytes >= archiveBytesSeen;
  }
  return reading.isEndSound;
}
