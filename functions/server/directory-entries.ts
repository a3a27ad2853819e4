/** What is in a directory, as far as it is served. */

import { opendir, stat } from 'node:fs/promises';
import { Refusal } from './answer.ts';
import { isServedName } from './request-key.ts';
import { codeOf, isAbsence, modificationDate, realPathInside } from './served-path.ts';
import type { ServerLimits } from './server-limits.ts';

export interface DirectoryEntry {
  readonly kind: 'file' | 'directory';
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  readonly lastModified: Date;
}

/**
 * The entries that can be asked for, directories first, by name. One that vanishes meanwhile is left out.
 * @param root of all that is served, without any link in it
 * @param realPath of the directory, below it
 * @throws {Refusal} 503 where there are more than a page may have
 */
export async function readDirectoryEntries(
  root: string,
  realPath: string,
  limits: ServerLimits,
): Promise<DirectoryEntry[]> {
  const found = await servedNames(realPath, limits);
  const entries: DirectoryEntry[] = [];
  // In batches, so that a directory of any size leaves the event loop free in between.
  for (let start = 0; start < found.length; start += limits.pageBatchEntries) {
    const batch = found.slice(start, start + limits.pageBatchEntries);
    const looked = await Promise.all(batch.map((name) => lookAt(root, realPath, name)));
    for (const entry of looked) if (entry !== undefined) entries.push(entry);
  }
  return entries.sort(byKindAndName);
}

interface FoundName {
  readonly name: string;
  readonly isLink: boolean;
}

async function servedNames(realPath: string, { pageEntriesMax }: ServerLimits): Promise<FoundName[]> {
  const found: FoundName[] = [];
  // A name that is not UTF-8 has no URL. It comes decoded to one that is not there, and so drops out when it is looked at.
  for await (const entry of await opendir(realPath, { bufferSize: 512 })) {
    const { name } = entry;
    if (!isServedName(name)) continue;
    if (found.length >= pageEntriesMax)
      throw new Refusal(503, `This directory has more entries than a page may have (${pageEntriesMax}).`);
    found.push({ name, isLink: entry.isSymbolicLink() });
  }
  return found;
}

async function lookAt(
  root: string,
  directory: string,
  { name, isLink }: FoundName,
): Promise<DirectoryEntry | undefined> {
  const path = `${directory === '/' ? '' : directory}/${name}`;
  try {
    const target = isLink ? await realPathInside(root, path) : path;
    if (target === undefined) return undefined;
    const stats = await stat(target, { bigint: true });
    if (!stats.isFile() && !stats.isDirectory()) return undefined;
    const kind = stats.isFile() ? 'file' : 'directory';
    return { kind, name, size: Number(stats.size), lastModified: modificationDate(stats.mtimeNs) };
  } catch (error) {
    // A link may lead to where the server has no right to look.
    if (isAbsence(error) || codeOf(error) === 'EACCES') return undefined;
    throw error;
  }
}

function byKindAndName(one: DirectoryEntry, other: DirectoryEntry): number {
  if (one.kind !== other.kind) return one.kind === 'directory' ? -1 : 1;
  return one.name < other.name ? -1 : 1;
}
