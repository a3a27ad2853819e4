/** Compresses archives in every supported form, correctly and almost correctly. For xz, which Node cannot write, it changes headers. */

import { constants, crc32, deflateRawSync, gzipSync, zstdCompressSync } from 'node:zlib';
import type { Dice } from '../dice.ts';
import { boundaries, randomBytes } from './byte-changes.ts';

export function compressSomehow(dice: Dice, archive: Uint8Array): Uint8Array {
  const parts = dice.chance(0.25) ? cutSomewhere(dice, archive) : [archive];
  const form = dice.weighted({ gzip: 3, oddGzip: 3, zstd: 2, oddZstd: 2, none: 2, mixed: 1 });
  switch (form) {
    case 'gzip':
      return Buffer.concat(parts.map((part) => gzipSync(part, { level: dice.integer(0, 9) })));
    case 'oddGzip':
      return Buffer.concat(parts.flatMap((part) => [oddGzip(dice, part), remainder(dice)]));
    case 'zstd':
      return Buffer.concat(parts.map((part) => zstdCompressSync(part)));
    case 'oddZstd':
      return Buffer.concat(parts.flatMap((part) => [oddZstd(dice, part), remainder(dice)]));
    case 'mixed':
      return Buffer.concat(parts.map((part, index) => (index % 2 === 0 ? gzipSync(part) : zstdCompressSync(part))));
    case 'none':
      return archive;
  }
}

/** Compresses what is compressed already (gzip in gzip, xz in gzip), up to a few times, sometimes with bytes behind it. */
export function compressAgain(dice: Dice, bytes: Uint8Array): Uint8Array {
  let compressed = bytes;
  for (let count = dice.pick([1, 1, 1, 2, 3]); count > 0; count -= 1) {
    const member = dice.chance(0.7) ? gzipSync(compressed) : oddZstd(dice, compressed);
    compressed = Buffer.concat([member, remainder(dice)]);
  }
  return compressed;
}

function cutSomewhere(dice: Dice, bytes: Uint8Array): Uint8Array[] {
  const cuts = Array.from({ length: dice.integer(1, 3) }, () => dice.integer(0, bytes.length)).sort((a, b) => a - b);
  return [...cuts, bytes.length].map((end, index) => bytes.subarray(cuts[index - 1] ?? 0, end));
}

/** Bytes between and after members. */
function remainder(dice: Dice): Uint8Array {
  if (dice.chance(0.7)) return Buffer.alloc(0);
  return dice.chance(0.5) ? Buffer.alloc(dice.pick(boundaries)) : randomBytes(dice, dice.integer(1, 40));
}

/** RFC 1952: FHCRC, FEXTRA, FNAME, FCOMMENT. */
const flags = { headerCrc: 2, extra: 4, name: 8, comment: 16 } as const;

function oddGzip(dice: Dice, bytes: Uint8Array): Uint8Array {
  const chosen = dice.integer(0, 31) & ~1;
  const text = () => Buffer.from(`${'n'.repeat(dice.pick([0, 1, 10, 10, 500, 20_000, 300_000]))}\0`);
  const extraBytes = dice.pick([0, 4, 4, 200, 65_535]);
  const header = Buffer.concat([
    Buffer.from([0x1f, 0x8b, 8, dice.chance(0.05) ? 0xe0 : chosen, 1, 2, 3, 4, 0, 3]),
    ...(chosen & flags.extra
      ? [uint16(extraBytes), randomBytes(dice, Math.min(extraBytes, 300)), Buffer.alloc(Math.max(0, extraBytes - 300))]
      : []),
    ...(chosen & flags.name ? [text()] : []),
    ...(chosen & flags.comment ? [text()] : []),
  ]);
  const headerCrc = chosen & flags.headerCrc ? [uint16(dice.chance(0.9) ? crc32(header) & 0xffff : 7)] : [];
  const body = deflateRawSync(bytes, {
    level: dice.integer(0, 9),
    strategy: dice.pick([0, constants.Z_HUFFMAN_ONLY, constants.Z_FIXED]),
  });
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(dice.chance(0.85) ? crc32(bytes) : dice.integer(0, 2 ** 32 - 1));
  trailer.writeUInt32LE(dice.chance(0.85) ? bytes.length : dice.pick(boundaries), 4);
  return Buffer.concat([header, ...headerCrc, body, trailer.subarray(0, dice.chance(0.95) ? 8 : dice.integer(0, 7))]);
}

/** RFC 8878, 3.1.2: a frame that decoders skip. */
function skippableFrame(dice: Dice): Uint8Array {
  const content = randomBytes(dice, dice.integer(0, 20));
  const claimed = dice.chance(0.9) ? content.length : dice.pick([...boundaries, 2 ** 31, 2 ** 32 - 1]);
  const header = Buffer.alloc(8);
  header.writeUInt32LE(0x184d2a50 + dice.integer(0, 15));
  header.writeUInt32LE(claimed, 4);
  return Buffer.concat([header, content]);
}

function oddZstd(dice: Dice, bytes: Uint8Array): Uint8Array {
  const frame = zstdCompressSync(bytes, {
    params: {
      [constants.ZSTD_c_checksumFlag]: dice.integer(0, 1),
      [constants.ZSTD_c_contentSizeFlag]: dice.integer(0, 1),
      [constants.ZSTD_c_compressionLevel]: dice.integer(1, 6),
    },
  });
  // The window descriptor of a frame without a content size: up to 2^41 bytes, which the decoder must refuse.
  const claimsMuch = dice.chance(0.2);
  if (claimsMuch && ((frame[4] ?? 0) & 0xe0) === 0) frame[5] = dice.integer(0, 31) << 3;
  return Buffer.concat([
    ...(dice.chance(0.2) ? [skippableFrame(dice)] : []),
    frame,
    ...(dice.chance(0.2) ? [skippableFrame(dice)] : []),
  ]);
}

function uint16(value: number): Uint8Array {
  return Buffer.from([value & 0xff, value >> 8]);
}

/** The .xz file format, 2.1.1 and 3.1: stream flags, then a block header; each is followed by its CRC32. */
const xz = { flagsAt: 6, flagsBytes: 2, blockAt: 12 } as const;

/** Other flags, filters and dictionary sizes, with right checksums. */
export function changeXzHeader(dice: Dice, bytes: Uint8Array): Uint8Array {
  const changed = Buffer.from(bytes);
  const blockBytes = 4 * (changed[xz.blockAt] ?? 0);
  const isFlags = dice.chance(0.2);
  const [start, length] = isFlags ? [xz.flagsAt, xz.flagsBytes] : [xz.blockAt, blockBytes];
  if (length === 0 || start + length + 4 > changed.length) return changed;
  const header = changed.subarray(start, start + length);
  // Of the smallest block header the last byte before the padding is the dictionary's size: up to 4 GiB.
  const at = isFlags ? 1 : dice.pick([1, 2, 3, 4, 4, 4, dice.integer(1, length - 1)]);
  header[Math.min(at, length - 1)] = dice.integer(0, dice.pick([40, 255]));
  changed.writeUInt32LE(crc32(header), start + length);
  return changed;
}
