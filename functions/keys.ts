/** What a key says by its form alone: its repository, its file, and whether it names a package or an index. */

import type { ObjectKey, Repository } from './ports.ts';

/**
 * Suffixes that pkgsrc gives to packages (PKG_SUFX: .tgz, .tbz, .txz, .tzst; plain .tar by pkg_create -F none). What is inside
 * is told by content, never by suffix; this only keeps the other files of a bucket out of the queue.
 */
export const packageSuffixes = ['.tgz', '.tbz', '.txz', '.tzst', '.tar'] as const;

/** The name of every index that some pkgin asks for, in the order in which it asks (pkgin 26). All four are ours. */
export const indexFiles = ['pkg_summary.zst', 'pkg_summary.xz', 'pkg_summary.bz2', 'pkg_summary.gz'] as const;

export function splitKey(key: ObjectKey): { readonly repository: Repository; readonly file: string } {
  const slash = key.lastIndexOf('/');
  return { repository: key.slice(0, Math.max(slash, 0)), file: key.slice(slash + 1) };
}

export function joinKey(repository: Repository, file: string): ObjectKey {
  return repository === '' ? file : `${repository}/${file}`;
}

/** Whether this key names a package: it has a package's suffix, and no part of its path is hidden (`.x`) or empty (`//`). */
export function isPackageKey(key: ObjectKey): boolean {
  return isVisiblePackage(key) && !hasEmptyPart(key);
}

/**
 * Whether this key would name a package if no part of its path were empty. S3 allows `All//x-1.0.tgz`, but no directory and no table
 * tells the repository `All/` from `All`.
 */
export function isUnusableKey(key: ObjectKey): boolean {
  return isVisiblePackage(key) && hasEmptyPart(key);
}

function isVisiblePackage(key: ObjectKey): boolean {
  const isHidden = key.split('/').some((part) => part.startsWith('.'));
  return packageSuffixes.some((suffix) => key.endsWith(suffix)) && !isHidden;
}

function hasEmptyPart(key: ObjectKey): boolean {
  return key.split('/').includes('');
}

/**
 * S3 takes a `+` in a URL's path for a blank, and pkgin sends it as it is: under this key a package with `+` in its file name is
 * found all the same. Undefined where the name has none.
 */
export function plusAliasOf(key: ObjectKey): ObjectKey | undefined {
  const { repository, file } = splitKey(key);
  return file.includes('+') ? joinKey(repository, file.replaceAll('+', ' ')) : undefined;
}

/** The order of UTF-8 bytes, in which every table gives its rows. UTF-16 differs from it where surrogates are. */
export function compareByBytes(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index += 1) {
    const [left, right] = [a.charCodeAt(index), b.charCodeAt(index)];
    if (left !== right) return byCodePoint(left) - byCodePoint(right);
  }
  return a.length - b.length;
}

/** Surrogates stand for code points beyond all other units. */
function byCodePoint(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

export function isIndexKey(key: ObjectKey): boolean {
  return (indexFiles as readonly string[]).includes(splitKey(key).file);
}
