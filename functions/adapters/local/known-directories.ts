/** The directories below the root that are watched or polled. */

import type { BigIntStats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { keyLimits } from '../../keys.ts';
import { lstatUnlessGone, type WatchedDirectory } from './watched-directory.ts';
import type { WhyPolled } from './why-polled.ts';

/** Directories that are compared every few seconds. */
export interface Polled extends WhyPolled {
  readonly directories: number;
}

export class KnownDirectories {
  readonly root: string;
  readonly #byPrefix = new Map<string, WatchedDirectory>();
  readonly #byIdentity = new Map<string, WatchedDirectory>();

  constructor(root: string) {
    this.root = root;
  }

  /** A copy: it does not change while they do. */
  get all(): readonly WatchedDirectory[] {
    return [...this.#byPrefix.values()];
  }

  /** What is compared every few seconds, by reason. */
  get polled(): readonly Polled[] {
    const byKind = new Map<WhyPolled['kind'], Polled>();
    for (const { whyPolled } of this.#byPrefix.values()) {
      if (whyPolled === undefined) continue;
      const directories = (byKind.get(whyPolled.kind)?.directories ?? 0) + 1;
      byKind.set(whyPolled.kind, { ...whyPolled, directories });
    }
    return [...byKind.values()];
  }

  at(prefix: string): WatchedDirectory | undefined {
    return this.#byPrefix.get(prefix);
  }

  /** The same directory, perhaps under another name. */
  withIdentity(identity: string): WatchedDirectory | undefined {
    return this.#byIdentity.get(identity);
  }

  /** False once it was dropped, or another one took its place. */
  has(directory: WatchedDirectory): boolean {
    return this.#byPrefix.get(directory.prefix) === directory;
  }

  add(directory: WatchedDirectory): void {
    const { prefix, identity } = directory;
    if (prefix !== '') this.#byPrefix.get(parentOf(prefix))?.children.add(nameOf(prefix));
    this.#byPrefix.set(prefix, directory);
    this.#byIdentity.set(identity, directory);
  }

  /** Closes and removes it and everything below it. */
  drop(directory: WatchedDirectory): void {
    const { prefix, children, identity } = directory;
    directory.close();
    if (this.#byIdentity.get(identity) === directory) this.#byIdentity.delete(identity);
    if (!this.has(directory)) return;
    this.#byPrefix.delete(prefix);
    this.#byPrefix.get(parentOf(prefix))?.children.delete(nameOf(prefix));
    for (const name of children) {
      const child = this.#byPrefix.get(`${prefix}${name}/`);
      if (child !== undefined) this.drop(child);
    }
  }

  closeAll(): void {
    for (const directory of this.#byPrefix.values()) directory.close();
    this.#byPrefix.clear();
  }

  /** Without a slash at the end. */
  pathOf(prefix: string): string {
    return prefix === '' ? this.root : `${this.root}/${prefix.slice(0, -1)}`;
  }

  /** Undefined where nothing is there. A link is followed only where it is the root. */
  async statsOf(prefix: string): Promise<BigIntStats | undefined> {
    if (prefix !== '') return await lstatUnlessGone(this.pathOf(prefix));
    return await stat(this.root, { bigint: true }).catch(() => undefined);
  }
}

/** More directories than a key may have. */
export function isTooDeep(prefix: string): boolean {
  return prefix.split('/').length - 1 > keyLimits.directoriesMax;
}

/** `a/b/` → `a/` */
export function parentOf(prefix: string): string {
  return prefix.replace(/[^/]*\/$/, '');
}

/** `a/b/` → `b` */
export function nameOf(prefix: string): string {
  return prefix.slice(parentOf(prefix).length, -1);
}
