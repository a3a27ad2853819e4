/** Text around base64: ASCII armor of OpenPGP (RFC 4880, section 6), and PEM (RFC 7468). */

import { latin1 } from '../package/formats.ts';

export interface Armored {
  /** `PGP SIGNATURE` */
  readonly label: string;
  /** `Version: GnuPG v2` */
  readonly headers: readonly string[];
  readonly bytes: Buffer;
}

/** The text cannot be decoded. Its message says what was expected and found. */
export class BadArmor extends Error {
  override readonly name = 'BadArmor';
}

const begin = '-----BEGIN ';
const dashes = '-----';

/**
 * All blocks of a text, in order; what is between them is ignored.
 * @throws {BadArmor}
 */
export function armoredBlocks(text: Uint8Array): Armored[] {
  const lines = latin1(text).split(/\r?\n/);
  const blocks: Armored[] = [];
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? '';
    if (!line.startsWith(begin) || !line.endsWith(dashes)) continue;
    const label = line.slice(begin.length, -dashes.length);
    const end = lines.findIndex((other, index) => index > at && other === `-----END ${label}-----`);
    if (end === -1) throw new BadArmor(`expected the line "-----END ${label}-----", found none`);
    blocks.push({ label, ...decode(lines.slice(at + 1, end)) });
    at = end;
  }
  return blocks;
}

/** Headers end at an empty line; a checksum, which many writers leave out, follows the base64. */
function decode(lines: readonly string[]): Pick<Armored, 'headers' | 'bytes'> {
  const headers = lines.slice(0, Math.max(lines.indexOf(''), 0));
  const body = lines.slice(headers.length).filter((line) => line !== '');
  const checksum = body.at(-1)?.startsWith('=') ? body.pop() : undefined;
  const base64 = body.join('');
  const bytes = Buffer.from(base64, 'base64');
  // Decoding ignores what is not base64.
  if (bytes.length === 0 || bytes.toString('base64') !== base64)
    throw new BadArmor('expected base64, found other characters, or a part of it');
  if (checksum !== undefined && checksum.slice(1) !== crc24(bytes).toString('base64'))
    throw new BadArmor(`expected the checksum ${crc24(bytes).toString('base64')}, found ${checksum.slice(1, 9)}`);
  return { headers, bytes };
}

/** RFC 4880, section 6.1. */
function crc24(bytes: Uint8Array): Buffer {
  let crc = 0xb704ce;
  for (const byte of bytes) {
    crc ^= byte << 16;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 0x800000 ? ((crc << 1) ^ 0x1864cfb) & 0xffffff : crc << 1;
  }
  return Buffer.from([crc >> 16, (crc >> 8) & 0xff, crc & 0xff]);
}
