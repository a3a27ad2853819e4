/** What is served: files and directories by their path, in a directory (served-directory.ts) or a store (served-store.ts). */

import type { ServerLimits } from './server-limits.ts';

export interface FileFacts {
  /** Strong: it changes with the content. Quoted, as in the header. */
  readonly etag: string;
  /** Bytes. */
  readonly size: number;
  /** In whole seconds, which is all that HTTP can express. */
  readonly lastModified: Date;
}

/** One version of a file. The caller closes it. */
export interface ServedFile extends FileFacts {
  readonly kind: 'file';
  /** The first bytes; fewer where the file ends before. */
  head(bytes: number): Promise<Uint8Array>;
  /**
   * These bytes, all of which exist, piece by piece. The pieces may share their memory: each is used before the next is asked for.
   * Once this resolves, the version cannot vanish any more.
   */
  pieces(start: number, length: number, pieceBytes: number): Promise<AsyncIterable<Uint8Array>>;
  close(): Promise<void>;
}

export interface DirectoryEntry {
  readonly kind: 'file' | 'directory';
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** Undefined where the store has none. */
  readonly lastModified: Date | undefined;
}

export interface ServedDirectory {
  readonly kind: 'directory';
  /**
   * The entries that are served, directories first, by name. One that vanishes meanwhile is left out.
   * @throws {Refusal} 503 where there are more than a page can show
   */
  entries(limits: ServerLimits): Promise<readonly DirectoryEntry[]>;
}

export interface ServedTree {
  /**
   * Undefined where there is nothing to serve.
   * @param parts each one accepted by isServedName
   * @throws {Refusal} 403 where the server may not read it, 503 where it cannot at the moment
   */
  open(parts: readonly string[]): Promise<ServedFile | ServedDirectory | undefined>;
}

export function byKindAndName(one: DirectoryEntry, other: DirectoryEntry): number {
  if (one.kind !== other.kind) return one.kind === 'directory' ? -1 : 1;
  return one.name < other.name ? -1 : 1;
}
