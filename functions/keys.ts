/** What a key says by its form alone: its repository, its file, and whether it names a package or an index. */

import type { ObjectKey, Repository } from './ports.ts';

/**
 * Suffixes that pkgsrc gives to packages (PKG_SUFX: .tgz, .tbz, .txz, .tzst; plain .tar by pkg_create -F none). What is inside
 * is told by content, never by suffix; this only keeps the other files of a bucket out of the queue.
 */
export const packageSuffixes = ['.tgz', '.tbz', '.txz', '.tzst', '.tar'] as const;

/** The name of every index that some pkgin asks for, in the order in which it asks (pkgin 26). All four are ours. */
export const indexFiles = ['pkg_summary.zst', 'pkg_summary.xz', 'pkg_summary.bz2', 'pkg_summary.gz'] as const;

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

/** Whether events for this key concern us: a package's suffix, and no hidden part (`.x`) in the path. */
export function isPackageKey(key: ObjectKey): boolean {
  return (
    packageSuffixes.some((suffix) => key.endsWith(suffix)) &&
    !key.split('/').some((part) => part === '' || part.startsWith('.'))
  );
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
