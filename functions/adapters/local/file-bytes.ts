/** Reads and writes all of some bytes, where the system's calls may do a part of it. */

import type { FileHandle } from 'node:fs/promises';
import type { OpenFile } from './file-calls.ts';

/**
 * @param bytes where to put them.
 * @returns fewer bytes where the file ends before.
 */
export async function readFully(
  file: Pick<OpenFile, 'read'>,
  offset: number,
  length: number,
  bytes: Buffer = Buffer.allocUnsafe(length),
): Promise<Uint8Array> {
  let filled = 0;
  while (filled < length) {
    const bytesRead = await file.read(bytes, filled, length - filled, offset + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}

/** @throws where the file ends before: another program has cut it. */
export async function readExactly(file: FileHandle, offset: number, length: number): Promise<Uint8Array> {
  const read: OpenFile['read'] = async (...place) => (await file.read(...place)).bytesRead;
  const bytes = await readFully({ read }, offset, length);
  if (bytes.byteLength !== length)
    throw new Error(`expected ${length} bytes at byte ${offset} of a temporary file, found ${bytes.byteLength}`);
  return bytes;
}

export async function writeFully(file: FileHandle, pieces: readonly Uint8Array[]): Promise<void> {
  let left = pieces.filter(({ length }) => length > 0);
  while (left.length > 0) {
    const { bytesWritten } = await file.writev(left);
    left = after(left, bytesWritten);
  }
}

/** The pieces without their first bytes. */
function after(pieces: readonly Uint8Array[], bytes: number): Uint8Array[] {
  let skipped = 0;
  return pieces.flatMap((piece) => {
    const start = Math.max(bytes - skipped, 0);
    skipped += piece.length;
    return start < piece.length ? [piece.subarray(start)] : [];
  });
}
