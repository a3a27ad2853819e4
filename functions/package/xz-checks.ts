/** The checks of xz blocks (the .xz file format, 3.4). */

import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';

export interface XzCheck {
  update(bytes: Uint8Array): void;
  digest(): Buffer;
}

/** Bytes of a check; the format defines them for unknown types too. */
export function xzCheckBytes(type: number): number {
  return [0, 4, 8, 16, 32, 64][Math.ceil(type / 3)] ?? 0;
}

/** @returns undefined for types without a check, and for unknown ones, which liblzma does not verify either. */
export function xzCheck(type: number): XzCheck | undefined {
  if (type === 1) return new Crc32();
  if (type === 4) return new Crc64();
  return type === 10 ? createHash('sha256') : undefined;
}

class Crc32 implements XzCheck {
  #sum = 0;

  update(bytes: Uint8Array): void {
    this.#sum = crc32(bytes, this.#sum);
  }

  digest(): Buffer {
    const digest = Buffer.alloc(4);
    digest.writeUInt32LE(this.#sum);
    return digest;
  }
}

/** CRC-64 of ECMA-182, reflected, in two halves: a BigInt for each byte takes ten times as long. */
class Crc64 implements XzCheck {
  #high = -1;
  #low = -1;

  update(bytes: Uint8Array): void {
    table ??= makeTable();
    const { high, low } = table;
    let [sumHigh, sumLow] = [this.#high, this.#low];
    for (const byte of bytes) {
      const index = (sumLow ^ byte) & 0xff;
      sumLow = ((sumLow >>> 8) | (sumHigh << 24)) ^ (low[index] ?? 0);
      sumHigh = (sumHigh >>> 8) ^ (high[index] ?? 0);
    }
    [this.#high, this.#low] = [sumHigh, sumLow];
  }

  digest(): Buffer {
    const digest = Buffer.alloc(8);
    digest.writeInt32LE(~this.#low);
    digest.writeInt32LE(~this.#high, 4);
    return digest;
  }
}

let table: { readonly high: Int32Array; readonly low: Int32Array } | undefined;

function makeTable(): { readonly high: Int32Array; readonly low: Int32Array } {
  const high = new Int32Array(256);
  const low = new Int32Array(256);
  for (let byte = 0; byte < 256; byte += 1) {
    let [sumHigh, sumLow] = [0, byte];
    for (let bit = 0; bit < 8; bit += 1) {
      const isOdd = (sumLow & 1) === 1;
      sumLow = (sumLow >>> 1) | (sumHigh << 31);
      sumHigh >>>= 1;
      if (isOdd) {
        sumHigh ^= 0xc96c5795;
        sumLow ^= 0xd7870f42;
      }
    }
    high[byte] = sumHigh;
    low[byte] = sumLow;
  }
  return { high, low };
}
