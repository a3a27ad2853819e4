/** Changes bytes and text without knowledge of their structure. */

import type { Dice } from '../dice.ts';

/** Numbers at which something may overflow or end. */
export const boundaries = [0, 1, 7, 8, 127, 128, 255, 256, 511, 512, 513, 4095, 16_383, 16_384, 16_385, 65_535, 65_536];

export function randomBytes(dice: Dice, bytes: number): Buffer {
  const random = Buffer.alloc(bytes);
  for (let index = 0; index < bytes; index += 1) random[index] = dice.integer(0, 255);
  return random;
}

/** One to four changes. */
export function changeBytes(dice: Dice, bytes: Uint8Array): Uint8Array {
  let changed = Buffer.from(bytes);
  for (let count = dice.pick([1, 1, 1, 2, 4]); count > 0; count -= 1) changed = changeOnce(dice, changed);
  return changed;
}

function changeOnce(dice: Dice, bytes: Buffer<ArrayBuffer>): Buffer<ArrayBuffer> {
  if (bytes.length === 0) return randomBytes(dice, dice.integer(1, 16)) as Buffer<ArrayBuffer>;
  const at = dice.integer(0, bytes.length - 1);
  const length = Math.min(dice.pick([1, 2, 4, 16, 512]), bytes.length - at);
  const [before, within, after] = [bytes.subarray(0, at), bytes.subarray(at, at + length), bytes.subarray(at + length)];
  switch (dice.integer(0, 6)) {
    case 0: {
      const flipped = Buffer.from(bytes);
      flipped[at] = (flipped[at] ?? 0) ^ (1 << dice.integer(0, 7));
      return flipped;
    }
    case 1:
      return Buffer.concat([before, randomBytes(dice, length), after]);
    case 2:
      return Buffer.concat([before, after]);
    case 3:
      return Buffer.concat([before, within, within, after]);
    case 4:
      return Buffer.concat([before, Buffer.alloc(length, dice.pick([0, 0x0a, 0x20, 0xff])), after]);
    case 5:
      return Buffer.concat([before]);
    default:
      return Buffer.concat([bytes, randomBytes(dice, length)]);
  }
}

/** Pieces that are special in some format. */
const pieces = [
  '',
  '\n',
  '\n\n',
  '\r\n',
  '\r',
  '\0',
  '=',
  ' ',
  '\t',
  '\v\f',
  '\x7f',
  '\x1b[31m',
  '\xff',
  '\xe9',
  '/',
  '..',
  '../',
  '.',
  '-',
  '+',
  '%2B',
  '(null)',
  'PKGNAME=',
  'PKGNAME=other-1.0\n',
  'FILE_SIZE=0\n',
  '@name ',
  '@name other-2.0\n',
  '@pkgdep ',
  '@pkgcfl x<1\n',
  '@comment MD5:0\n',
  '@ignore\n',
  'DESCRIPTION=',
  'x'.repeat(8_190),
  'x'.repeat(8_191),
  'y'.repeat(70_000),
];

/** Moves, repeats, removes and inserts lines of Latin-1 text and parts of them. */
export function changeText(dice: Dice, text: string): string {
  const lines = text.split(/(?<=\n)/);
  const at = dice.integer(0, Math.max(0, lines.length - 1));
  const line = lines[at] ?? '';
  const cut = dice.integer(0, line.length);
  switch (dice.integer(0, 6)) {
    case 0:
      lines[at] = line.slice(0, cut) + dice.pick(pieces) + line.slice(cut);
      break;
    case 1:
      lines[at] = dice.pick(pieces);
      break;
    case 2:
      lines.splice(at, 1);
      break;
    case 3:
      lines.splice(dice.integer(0, lines.length), 0, line);
      break;
    case 4:
      lines.splice(at, 0, `${dice.pick(pieces)}${dice.pick(pieces)}\n`);
      break;
    case 5:
      lines[at] = Buffer.from(changeBytes(dice, Buffer.from(line, 'latin1'))).toString('latin1');
      break;
    default:
      lines[at] = line.trimEnd();
  }
  return lines.join('');
}
