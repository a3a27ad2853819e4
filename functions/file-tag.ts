/** Tags of the files in a directory: in rows, and in HTTP. */

import { isPackageKey } from './keys.ts';
import type { ETag, ObjectKey } from './ports.ts';

/** Of `stat` with `bigint`. */
interface FileStats {
  readonly ino: bigint;
  /** Bytes. */
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
}

/**
 * Changes whenever the content does, as far as a file system can tell: another inode if the file was replaced, another time or size if
 * it was written to. Content written within one tick of the kernel's clock (4 ms) keeps its time: the caller waits until a file has
 * settled (adapters/local/settling.ts).
 *
 * Programs set the modification time back (`cp -p`, `touch -r`), but not the change time: a package's tag has both. So it also changes
 * with `chmod`, `ln` and `mv`, and the package is read again. The tag of an index or a page is taken before it is renamed into
 * place, which changes its change time.
 */
export function fileTag(key: ObjectKey, stats: FileStats): ETag {
  return isPackageKey(key) ? `${contentTag(stats)}-${stats.ctimeNs.toString(36)}` : contentTag(stats);
}

/** Without the change time: an open file keeps it while another is renamed onto its name. */
export function contentTag({ ino, size, mtimeNs }: Omit<FileStats, 'ctimeNs'>): string {
  return `${ino.toString(36)}-${size.toString(36)}-${mtimeNs.toString(36)}`;
}
