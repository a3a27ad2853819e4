/** Directories that have the name of an index or of the package browser: neither can be published there. Only a file system has them. */

import { indexFiles, joinKey } from './keys.ts';
import { pageFile } from './page/page.ts';
import type { ObjectStore, Repository } from './ports.ts';

/** The names, in every repository, of what is published. */
const publishedFiles: readonly string[] = [...indexFiles, pageFile];

export function isPublishedFile(file: string): boolean {
  return publishedFiles.includes(file);
}

/** The names of these directories in a repository. */
export async function obstructedFiles(objects: ObjectStore, repository: Repository): Promise<string[]> {
  const found: string[] = [];
  for (const file of publishedFiles) if (await objects.isDirectory?.(joinKey(repository, file))) found.push(file);
  return found;
}
