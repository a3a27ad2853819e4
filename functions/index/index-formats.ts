/** The formats in which a summary is published. Each joins blocks that were compressed separately. */

import type { PackedBlock } from './blocks.ts';
import { deflateBlock, isDeflated, joinGzip } from './gzip-index.ts';
import { isZstdOf, zstdBlock } from './zstd-index.ts';

export const indexFormatNames = ['gz', 'zst'] as const;
export type IndexFormatName = (typeof indexFormatNames)[number];

export interface IndexFormat {
  readonly name: IndexFormatName;
  readonly file: string;
  readonly contentType: string;
  /** @param text of a block. */
  compress(text: Uint8Array): Promise<Uint8Array>;
  /** Whether the piece, which may be damaged, is this text. */
  isPieceOf(piece: Uint8Array, text: Uint8Array): boolean;
  /**
   * Joins an index; its pieces come in order.
   *
   * @param publishedAt whole seconds.
   * @param blockBytes the average size of the blocks.
   */
  join(packed: readonly PackedBlock[], publishedAt: Date, blockBytes: number): readonly Uint8Array[];
}

/** In the order of publication: gz first, since every client reads it. */
export const indexFormats: readonly IndexFormat[] = [
  {
    name: 'gz',
    file: 'pkg_summary.gz',
    contentType: 'application/gzip',
    compress: deflateBlock,
    isPieceOf: isDeflated,
    join: joinGzip,
  },
  {
    name: 'zst',
    file: 'pkg_summary.zst',
    contentType: 'application/zstd',
    compress: zstdBlock,
    isPieceOf: isZstdOf,
    join: (packed) => packed.map(({ piece }) => piece),
  },
];
