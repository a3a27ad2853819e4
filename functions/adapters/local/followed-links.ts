/** Which symbolic links below a directory are followed, where the operator asked for it. */

import type { BigIntStats } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { dirname, sep } from 'node:path';
import { codeOf, type FileCalls, isAbsence } from './file-calls.ts';

export class FollowedLinks {
  readonly #root: string;
  readonly #stateDirectory: string;
  readonly #calls: FileCalls;

  /** @param root absolute */
  constructor(root: string, stateDirectory: string, calls: FileCalls) {
    this.#root = root;
    this.#stateDirectory = stateDirectory;
    this.#calls = calls;
  }

  /**
   * Of what a link leads to; undefined where it leads to nothing, or is left out: to a hidden file, to the state directory, to a
   * directory that is indexed already, or to one above itself.
   */
  async statsOf(path: string): Promise<BigIntStats | undefined> {
    try {
      const [root, target] = [await realpath(this.#root), await realpath(path)];
      const stats = await this.#calls.stat(target);
      const isBelowRoot = contains(root, target);
      if (
        isBelowRoot &&
        target
          .slice(root.length)
          .split(sep)
          .some((part) => part.startsWith('.'))
      )
        return undefined;
      const state = await realpath(this.#stateDirectory).catch(() => this.#stateDirectory);
      if (contains(state, target)) return undefined;
      if (!stats.isDirectory()) return stats;
      return isBelowRoot || contains(target, state) || (await this.#isAbove(target, path)) ? undefined : stats;
    } catch (error) {
      if (isAbsence(error) || codeOf(error) === 'EACCES') return undefined;
      throw error;
    }
  }

  /** Also above a link by which this one was reached: two directories may link to each other. */
  async #isAbove(target: string, path: string): Promise<boolean> {
    for (let directory = dirname(path); directory.length >= this.#root.length; directory = dirname(directory)) {
      if (contains(target, await realpath(directory))) return true;
      if (directory === dirname(directory)) break;
    }
    return false;
  }
}

function contains(directory: string, path: string): boolean {
  return path === directory || path.startsWith(directory.endsWith(sep) ? directory : `${directory}${sep}`);
}
