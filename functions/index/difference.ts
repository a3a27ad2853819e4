/** What a publication changed: the files whose records differ between the index that it replaced and its own. */

import { recordsOf } from './blocks.ts';
import { inflateBlock } from './gzip-index.ts';
import type { CompressedBlock } from './summary.ts';

/** File names, by their bytes. */
export interface Difference {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** In both, with another record. */
  readonly changed: readonly string[];
}

/**
 * Only blocks that differ are decompressed.
 * @param before none: everything is added.
 * @returns undefined where a block that differs is not at hand in gz, or is damaged.
 */
export function differenceOf(
  before: readonly CompressedBlock[],
  after: readonly CompressedBlock[],
): Difference | undefined {
  const old = new Map<string, Uint8Array>();
  const [added, changed]: [string[], string[]] = [[], []];
  for (const block of missingIn(after, before)) {
    const records = recordsIn(block);
    if (records === undefined) return undefined;
    for (const { file, record } of records) old.set(file, record);
  }
  for (const block of missingIn(before, after)) {
    const records = recordsIn(block);
    if (records === undefined) return undefined;
    for (const { file, record } of records) {
      const replaced = old.get(file);
      if (replaced === undefined) added.push(file);
      else if (!Buffer.from(replaced).equals(record)) changed.push(file);
      old.delete(file);
    }
  }
  return { added, removed: [...old.keys()], changed };
}

/** The blocks that the other summary does not have. */
function missingIn(other: readonly CompressedBlock[], blocks: readonly CompressedBlock[]): CompressedBlock[] {
  const digests = new Set(other.map(({ block }) => block.sha256));
  return blocks.filter(({ block }) => !digests.has(block.sha256));
}

function recordsIn({ block, pieces }: CompressedBlock) {
  const piece = pieces.get('gz');
  const text = piece && inflateBlock({ block, piece });
  return text && recordsOf(text);
}
