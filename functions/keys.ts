/** What a key says by itself: its repository, its file, and whether it names a package or an index. */

import type { ObjectKey, Repository } from './ports.ts';

/**
 * Suffixes that pkgsrc gives to packages (PKG_SUFX: .tgz, .tbz, .txz, .tzst; plain .tar by pkg_create -F none). They only keep
 * other files out of the queue: the format of a package is detected from its bytes.
 */
export const packageSuffixes = ['.tgz', '.tbz', '.txz', '.tzst', '.tar'] as const;

/** Every index that pkgin asks for, in its order (pkgin 26). All four names are reserved for our indexes. */
export const indexFiles = ['pkg_summary.zst', 'pkg_summary.xz', 'pkg_summary.bz2', 'pkg_summary.gz'] as const;

/** The directory of a repository in which the operator's decisions are kept. Hidden, as every name with a leading dot. */
export const operatorDirectory = '.indexer-state';

export const keyLimits = {
  /**
   * Directories in the path of a package on one machine. Each is watched and read by itself; pkgsrc's own trees have seven
   * (`packages/NetBSD/x86_64/10.0_2026Q3/All`), and a path of 4,096 bytes could have 2,000.
   */
  directoriesMax: 32,
} as const;

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
 * The key under which S3 looks for a package whose file name has a `+`: pkgin does not encode the `+`, and S3 decodes it to a
 * blank. Undefined where the name has no `+`.
 */
export function plusAliasOf(key: ObjectKey): ObjectKey | undefined {
  const { repository, file } = splitKey(key);
  return file.includes('+') ? joinKey(repository, file.replaceAll('+', ' ')) : undefined;
}

/** Compares by UTF-8 bytes, the order of every table's rows. JavaScript's own order differs for surrogates. */
export function compareByBytes(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index += 1) {
    const [left, right] = [a.charCodeAt(index), b.charCodeAt(index)];
    if (left !== right) return byCodePoint(left) - byCodePoint(right);
  }
  return a.length - b.length;
}

/** Surrogates encode code points above all other units. */
function byCodePoint(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

export function isIndexKey(key: ObjectKey): boolean {
  return (indexFiles as readonly string[]).includes(splitKey(key).file);
}

/**
 * Decodes a key as S3 writes it in notifications and in listings with `encoding-type=url`: `application/x-www-form-urlencoded`, a
 * blank as `+`, every other special byte of its UTF-8 as `%XX`. Undefined where the text is not such an encoding (`%ZZ`).
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
 */
export function decodeFormKey(encoded: string): ObjectKey | undefined {
  try {
    return decodeURIComponent(encoded.replaceAll('+', ' '));
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}
