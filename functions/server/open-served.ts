/** The way from a path to an open file: links are followed only as far as they stay inside the root and out of hidden places. */

import { constants } from 'node:fs';
import { type FileHandle, open, realpath } from 'node:fs/promises';
import { contentTag, fileTag } from '../file-tag.ts';
import type { ObjectKey } from '../ports.ts';
import { Refusal } from './answer.ts';
import type { FileFacts } from './served-tree.ts';

/** The facts are those of the file behind `handle`, whatever its path leads to by now. The caller closes it. */
export interface OpenFile extends FileFacts {
  readonly kind: 'file';
  /** Of `hasChanged`. */
  readonly contentTag: string;
  readonly handle: FileHandle;
}

export interface OpenDirectory {
  readonly kind: 'directory';
  /** With all symbolic links resolved. */
  readonly realPath: string;
}

/**
 * Opens what is at these parts below the root; undefined where there is nothing to serve: no such file, a link that leads
 * out of the root or through a hidden part, a device, a socket, a pipe.
 *
 * Between the two system calls a directory on the way could be replaced by a link. Only a local user who may write there can
 * do that, and the last step does not follow a link.
 *
 * @param root with all symbolic links resolved
 * @param parts each one accepted by isServedName
 * @param hidden as in realPathInside
 * @throws {Refusal} 403 where the server may not read it
 */
export async function openServed(
  root: string,
  parts: readonly string[],
  hidden?: string,
): Promise<OpenFile | OpenDirectory | undefined> {
  let handle: FileHandle | undefined;
  try {
    const realPath = await realPathInside(root, pathBelow(root, parts), hidden);
    if (realPath === undefined) return undefined;
    // Without O_NONBLOCK, opening a pipe would wait for a writer.
    handle = await open(realPath, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const opened = await openedAs(handle, realPath, parts.join('/'));
    if (opened?.kind !== 'file') await handle.close();
    return opened;
  } catch (error) {
    await handle?.close();
    if (isAbsence(error)) return undefined;
    if (['EACCES', 'EPERM'].includes(codeOf(error)))
      throw new Refusal(403, 'The server has no permission to read this file.');
    throw error;
  }
}

async function openedAs(
  handle: FileHandle,
  realPath: string,
  key: ObjectKey,
): Promise<OpenFile | OpenDirectory | undefined> {
  const stat = await handle.stat({ bigint: true });
  if (stat.isDirectory()) return { kind: 'directory', realPath };
  if (!stat.isFile()) return undefined;
  return {
    kind: 'file',
    handle,
    contentTag: contentTag(stat),
    etag: `"${fileTag(key, stat)}"`,
    size: Number(stat.size),
    lastModified: modificationDate(stat.mtimeNs),
  };
}

/** Whether the file behind the handle was written to since it was opened, and not merely removed or replaced at its path. */
export async function hasChanged(file: OpenFile): Promise<boolean> {
  return contentTag(await file.handle.stat({ bigint: true })) !== file.contentTag;
}

/** An HTTP date has four digits for the year. */
const latestSecond = 253_402_300_799n;

/** The date of a file, cut to whole seconds and to the years that HTTP can express. */
export function modificationDate(mtimeNs: bigint): Date {
  const second = mtimeNs / 1_000_000_000n;
  const expressible = second < 0n ? 0n : second > latestSecond ? latestSecond : second;
  return new Date(Number(expressible) * 1000);
}

function pathBelow(root: string, parts: readonly string[]): string {
  return [root === '/' ? '' : root, ...parts].join('/') || '/';
}

/**
 * The path with all symbolic links resolved; undefined where that is outside of the root or has a hidden part.
 * @param hidden links may lead out of the root, but not there; without it, they may not.
 * @throws a system error where there is no such file
 */
export async function realPathInside(root: string, path: string, hidden?: string): Promise<string | undefined> {
  const realPath = await realpath(path);
  const isOutside = realPath !== root && !realPath.startsWith(prefixOf(root));
  if (isOutside && hidden !== undefined) {
    const state = await realpath(hidden);
    return realPath === state || realPath.startsWith(prefixOf(state)) ? undefined : realPath;
  }
  return isInside(root, realPath) ? realPath : undefined;
}

function prefixOf(directory: string): string {
  return directory === '/' ? '/' : `${directory}/`;
}

function isInside(root: string, realPath: string): boolean {
  const prefix = prefixOf(root);
  if (realPath === root) return true;
  if (!realPath.startsWith(prefix)) return false;
  return realPath
    .slice(prefix.length)
    .split('/')
    .every((part) => !part.startsWith('.'));
}

/** The system's error codes for a file that is not there to be read; the last two mean a socket or a device. */
export function isAbsence(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG', 'ENXIO', 'ENODEV'].includes(codeOf(error));
}

/** The code of a system error (`ENOENT`); the empty string of any other. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
