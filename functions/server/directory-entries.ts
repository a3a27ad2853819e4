/** What a directory's page lists. */

import { opendir, stat } from 'node:fs/promises';
import { Refusal } from './answer.ts';
import { codeOf, isAbsence, modificationDate, realPathInside } from './open-served.ts';
import { isServedName } from './request-target.ts';
import { byKindAndName, type DirectoryEntry } from './served-tree.ts';
import type { ServerLimits } from './server-limits.ts';

/**
 * The entries that are served, directories first, by name. One that vanishes meanwhile is left out.
 * @param root of everything that is served, with all symbolic links resolved
 * @param realPath of the directory, below it unless a link led out
 * @param hidden as in realPathInside
 * @throws {Refusal} 503 where there are more than a page can show
 */
export async function readDirectoryEntries(
  root: string,
  realPath: string,
  limits: ServerLimits,
  hidden?: string,
): Promise<DirectoryEntry[]> {
  const found = await servedNames(realPath, limits);
  const entries: DirectoryEntry[] = [];
  // In batches, so that a directory of any size leaves the event loop free in between.
  for (let start = 0; start < found.length; start += limits.pageBatchEntries) {
    const batch = found.slice(start, start + limits.pageBatchEntries);
    const described = await Promise.all(batch.map((name) => entryOf(root, realPath, name, hidden)));
    for (const entry of described) if (entry !== undefined) entries.push(entry);
  }
  return entries.sort(byKindAndName);
}

interface FoundName {
  readonly name: string;
  readonly isLink: boolean;
}

async function servedNames(realPath: string, { pageEntriesMax }: ServerLimits): Promise<FoundName[]> {
  const found: FoundName[] = [];
  // A name that is not UTF-8 has no URL. Node decodes it to a name that does not exist, so entryOf leaves it out.
  for await (const entry of await opendir(realPath, { bufferSize: 512 })) {
    const { name } = entry;
    if (!isServedName(name)) continue;
    if (found.length >= pageEntriesMax)
      throw new Refusal(503, `This directory has too many entries for one page: the limit is ${pageEntriesMax}.`);
    found.push({ name, isLink: entry.isSymbolicLink() });
  }
  return found;
}

async function entryOf(
  root: string,
  directory: string,
  { name, isLink }: FoundName,
  hidden: string | undefined,
): Promise<DirectoryEntry | undefined> {
  const path = `${directory === '/' ? '' : directory}/${name}`;
  try {
    const target = isLink ? await realPathInside(root, path, hidden) : path;
    if (target === undefined) return undefined;
    const stats = await stat(target, { bigint: true });
    if (!stats.isFile() && !stats.isDirectory()) return undefined;
    const kind = stats.isFile() ? 'file' : 'directory';
    return { kind, name, size: Number(stats.size), lastModified: modificationDate(stats.mtimeNs) };
  } catch (error) {
    // A link may lead to where the server has no permission.
    if (isAbsence(error) || codeOf(error) === 'EACCES') return undefined;
    throw error;
  }
}
