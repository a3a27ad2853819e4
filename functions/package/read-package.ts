/** Bytes of a package → its metadata. Reads only the head of the file. */

import { findPackage, type PackageExtent, type Signature } from './container.ts';
import { decompress, decompressZstdHead } from './decompression.ts';
import { type Compression, detectCompression } from './formats.ts';
import { headInflater } from './head-inflater.ts';
import { packageLimits } from './limits.ts';
import { MalformedPackage } from './malformed-package.ts';
import { copyOf, type Metadata, metadataIn, readMetadata } from './metadata.ts';
import { type PackageSource, RangeStream, withHead } from './package-source.ts';
import { TarReader } from './tar.ts';

export interface PackageMetadata extends Metadata {
  readonly signature: Signature | undefined;
}

/** @throws {MalformedPackage} if the package is bad; and everything that `stored` throws. */
export async function readPackage(stored: PackageSource): Promise<PackageMetadata> {
  const reading = await beginReading(stored);
  const metadata = (await readAtOnce(reading)) ?? (await readStreamed(reading));
  return { ...metadata, signature: reading.extent.signature ?? reading.innerSignature };
}

/** Does the same with streams only, which is slower. Both request the same ranges and have the same outcome. */
export async function streamPackage(stored: PackageSource): Promise<PackageMetadata> {
  const reading = await beginReading(stored);
  const metadata = await readStreamed(reading);
  return { ...metadata, signature: reading.extent.signature ?? reading.innerSignature };
}

interface Reading {
  readonly source: PackageSource;
  readonly extent: PackageExtent;
  readonly compressed: RangeStream;
  /** Set by the first check, which may take a request. */
  hasValidEnd?: boolean;
  /** Of a signed package inside compressed data. */
  innerSignature?: Signature | undefined;
}

async function beginReading(stored: PackageSource): Promise<Reading> {
  const source = withHead(stored);
  const extent = await findPackage(source);
  return { source, extent, compressed: new RangeStream(source, extent.start, extent.end) };
}

/**
 * Reads nearly every package: valid gzip or zstd with the metadata in the first windows. Returns what `readStreamed` would
 * return, or undefined; then `readStreamed` starts again with the same windows.
 */
async function readAtOnce(reading: Reading): Promise<Metadata | undefined> {
  const { compressed, extent } = reading;
  for (let windows = 0; windows < packageLimits.windowsAtOnceMax && compressed.fetchedTo < extent.end; windows += 1) {
    const bytes = await compressed.prefetch();
    const isComplete = compressed.fetchedTo === extent.end;
    const compression = detectCompression(bytes);
    const tar = new TarReader();
    const metadata = metadataAtOnce(compression, bytes, isComplete, tar);
    if (metadata === 'unsound') return undefined;
    if (metadata === 'incomplete') continue;
    const isValid = isComplete || !isEndNear(reading) || (await hasValidEnd(reading, compression, tar.offset));
    return isValid ? metadata : undefined;
  }
  return undefined;
}

/** @returns `unsound` for everything that the streams must decide. */
function metadataAtOnce(
  compression: Compression | undefined,
  bytes: Uint8Array,
  isComplete: boolean,
  tar: TarReader,
): Metadata | 'incomplete' | 'unsound' {
  try {
    if (compression === 'gzip') return inflateMetadata(bytes, isComplete, tar);
    const head = compression === 'zstd' ? decompressZstdHead(bytes, isComplete) : undefined;
    if (head === undefined) return 'unsound';
    const parsing = metadataIn(tar);
    parsing.next();
    const { done, value } = parsing.next(head);
    return done === true ? value : 'incomplete';
  } catch (error) {
    if (error instanceof MalformedPackage) return 'unsound';
    throw error;
  }
}

/** Inflates as far as the metadata go; to the end where all of the package is at hand, which checks its CRC. */
function inflateMetadata(bytes: Uint8Array, isComplete: boolean, tar: TarReader): Metadata | 'incomplete' | 'unsound' {
  const inflater = headInflater();
  inflater.begin();
  const parsing = metadataIn(tar);
  parsing.next();
  for (let taken = 0; taken < bytes.length; ) {
    const end = Math.min(taken + packageLimits.inflatedAtOnceBytes, bytes.length);
    const archive = inflater.write(bytes.subarray(taken, end), isComplete && end === bytes.length);
    if (archive === undefined) return 'unsound';
    taken = end;
    const { done, value } = parsing.next(archive);
    if (done !== true) continue;
    const metadata = copyOf(value);
    const isSound = !isComplete || taken === bytes.length || inflater.write(bytes.subarray(taken), true) !== undefined;
    return isSound ? metadata : 'unsound';
  }
  return 'incomplete';
}

async function readStreamed(reading: Reading): Promise<Metadata> {
  const { compressed, extent } = reading;
  const compressedBytes = () => compressed.takenTo - extent.start;
  const { compressions, signature, archive } = await decompress(compressed, extent.start, compressedBytes);
  reading.innerSignature = signature;
  try {
    const tar = new TarReader();
    const metadata = await readMetadata(archive, tar);
    const [outermost] = compressions;
    const only = compressions.length === 1 ? outermost : undefined;
    if (outermost !== undefined && isEndNear(reading) && !(await hasValidEnd(reading, only, tar.offset)))
      await readFurther(archive);
    return metadata;
  } catch (error) {
    // Damaged compressed data often gives a damaged archive first: then the former is the reason.
    if (error instanceof MalformedPackage && isEndNear(reading)) await readFurther(archive);
    throw error;
  } finally {
    await archive.return(undefined);
  }
}

/** Whether pkg_info, which reads larger blocks, could reach the end of the package. */
function isEndNear({ compressed, extent }: Reading): boolean {
  return extent.end - compressed.fetchedTo <= packageLimits.lookAheadBytes;
}

/**
 * Detects a package that is truncated shortly after its metadata, which pkg_info refuses too.
 * @throws {MalformedPackage} truncated, corrupt-compression.
 */
async function readFurther(archive: AsyncIterator<Uint8Array>): Promise<void> {
  for (let bytes = 0; bytes <= packageLimits.lookAheadBytes; ) {
    const next = await archive.next();
    if (next.done === true) return;
    bytes += next.value.length;
  }
}

/** ISIZE, RFC 1952: the last bytes of a gzip member, its inflated length modulo 2^32, little-endian. */
const lengthBytes = 4;

/**
 * Reads the last bytes instead of everything up to them: a gzip file ends in its inflated length, and the length of a tar
 * archive is a multiple of 512. Other bytes pass this test once in 512 times. False means: not sure, read on. (If the end has
 * been read already, reading on takes no request and checks the CRC too.)
 */
async function hasValidEnd(
  reading: Reading,
  compression: Compression | undefined,
  archiveBytesSeen: number,
): Promise<boolean> {
  const { source, extent, compressed } = reading;
  if (compression !== 'gzip' || extent.end - compressed.fetchedTo < lengthBytes) return false;
  if (reading.hasValidEnd === undefined) {
    const tail = await source.read(extent.end - lengthBytes, lengthBytes);
    const archiveBytes = new DataView(tail.buffer, tail.byteOffset).getUint32(0, true);
    reading.hasValidEnd = archiveBytes % 512 === 0 && archiveBytes >= archiveBytesSeen;
  }
  return reading.hasValidEnd;
}
