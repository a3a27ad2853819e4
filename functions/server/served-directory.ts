/** A directory as what is served. */

import { readDirectoryEntries } from './directory-entries.ts';
import { hasChanged, type OpenFile, openServed } from './open-served.ts';
import type { ServedFile, ServedTree } from './served-tree.ts';

/**
 * @param root with all symbolic links resolved
 * @param hidden links may lead out of the root, but not there; without it, they may not.
 */
export function servedDirectory(root: string, hidden?: string): ServedTree {
  return {
    async open(parts) {
      const opened = await openServed(root, parts, hidden);
      if (opened?.kind !== 'directory') return opened && servedFile(opened);
      const { realPath } = opened;
      return { kind: 'directory', entries: (limits) => readDirectoryEntries(root, realPath, limits, hidden) };
    },
  };
}

function servedFile(file: OpenFile): ServedFile {
  const { etag, size, lastModified, handle } = file;
  return {
    kind: 'file',
    etag,
    size,
    lastModified,
    async head(bytes) {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(bytes), 0, bytes, 0);
      return buffer.subarray(0, bytesRead);
    },
    pieces: async (start, length, pieceBytes) => piecesOf(file, start, length, pieceBytes),
    close: () => handle.close(),
  };
}

/**
 * The pieces share their memory: each must be written before the next is requested. A file that is replaced meanwhile
 * (renamed onto) stays intact behind its handle. One that is written to in place does not: its last piece is held back, so
 * that the client sees a broken download and never a mixture of two files.
 */
async function* piecesOf(
  file: OpenFile,
  start: number,
  length: number,
  pieceBytes: number,
): AsyncGenerator<Uint8Array> {
  const buffer = Buffer.allocUnsafe(Math.min(length, pieceBytes));
  const end = start + length;
  for (let position = start; position < end; ) {
    const wanted = Math.min(buffer.byteLength, end - position);
    const { bytesRead } = await file.handle.read(buffer, 0, wanted, position);
    position += bytesRead;
    const isLast = position === end;
    if (bytesRead === 0 || (isLast && (await hasChanged(file))))
      throw new Error('a file was written to in place while it was being sent: replace files by renaming onto them');
    yield buffer.subarray(0, bytesRead);
  }
}
