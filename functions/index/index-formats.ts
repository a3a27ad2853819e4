/** The compressed forms in which a summary is published: each is put together from blocks that were compressed by themselves. */

import type { PackedBlock } from './blocks.ts';
import { deflateBlock, joinGzip } from './gzip-index.ts';
import { zstdBlock } from './zstd-index.ts';

export const indexFormatNames = ['gz', 'zst'] as const;
export type IndexFormatName = (typeof indexFormatNames)[number];

export interface IndexFormat {
  readonly name: IndexFormatName;
  readonly file: string;
  readonly contentType: string;
  /** @param text a block's. */
  compress(text: Uint8Array): Promise<Uint8Array>;
  /**
   * An index, in pieces that come one behind the other.
   *
   * @param publishedAt whole seconds.
   * @param blockBytes how the blocks were cut.
   */
  join(packed: readonly PackedBlock[], publishedAt: Date, blockBytes: number): readonly Uint8Array[];
}

/** In the order of publication: gz first, which every client can read. */
export const indexFormats: readonly IndexFormat[] = [
  {
    name: 'gz',
    file: 'pkg_summary.gz',
    contentType: 'application/gzip',
    compress: deflateBlock,
    join: joinGzip,
  },
  {
    name: 'zst',
    file: 'pkg_summary.zst',
    contentType: 'application/zstd',
    compress: zstdBlock,
    join: (packed) => packed.map(({ piece }) => piece),
  },
];
