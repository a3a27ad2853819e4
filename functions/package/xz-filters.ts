/**
 * Filters that an xz file may apply before it compresses: they replace relative addresses in machine code by absolute ones, or bytes by
 * differences. Undone here; source: liblzma, src/liblzma/simple and delta.
 */

export interface XzFilter {
  /** @returns as much as is final; the rest comes with the next bytes, or at the end. May change the bytes in place. */
  push(bytes: Uint8Array): Uint8Array;
  end(): Uint8Array;
}

/**
 * @param properties of the filter, as the header of the block has them.
 * @throws {Error} for a filter that is not supported.
 */
export function createFilter(id: number, properties: Uint8Array): XzFilter {
  if (id === deltaId && properties.length === 1) return new Delta((properties[0] ?? 0) + 1);
  const branch = branches.get(id);
  const hasOffset = properties.length === 4;
  if (branch === undefined || (properties.length > 0 && !hasOffset))
    throw new Error('an xz filter that is not supported');
  return new BranchFilter(branch(), hasOffset ? viewOf(properties).getUint32(0, true) : 0);
}

const deltaId = 3;

class Delta implements XzFilter {
  readonly #history: Uint8Array;
  #position = 0;

  constructor(distance: number) {
    this.#history = new Uint8Array(distance);
  }

  push(bytes: Uint8Array): Uint8Array {
    for (const [index, byte] of bytes.entries()) {
      const place = this.#position % this.#history.length;
      const sum = byte + (this.#history[place] ?? 0);
      this.#history[place] = sum;
      bytes[index] = sum;
      this.#position += 1;
    }
    return bytes;
  }

  end(): Uint8Array {
    return new Uint8Array();
  }
}

/** Converts the instructions of `code`, whose first byte is at `position`; returns the bytes that are final. */
type Branch = (code: DataView, position: number) => number;

class BranchFilter implements XzFilter {
  readonly #convert: Branch;
  #position: number;
  #held: Uint8Array = new Uint8Array();

  constructor(convert: Branch, position: number) {
    this.#convert = convert;
    this.#position = position;
  }

  push(bytes: Uint8Array): Uint8Array {
    const code = Buffer.concat([this.#held, bytes]);
    const converted = this.#convert(viewOf(code), this.#position);
    this.#position += converted;
    this.#held = code.subarray(converted);
    return code.subarray(0, converted);
  }

  end(): Uint8Array {
    return this.#held;
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** Instructions of four bytes, at every fourth byte (of Thumb at every second). */
function instructions(
  bytesEach: number,
  convert: (code: DataView, at: number, position: number) => number,
): () => Branch {
  return () => (code, position) => {
    let at = 0;
    while (at + 4 <= code.byteLength) at += convert(code, at, position + at) || bytesEach;
    return at;
  };
}

const branches: ReadonlyMap<number, () => Branch> = new Map([
  [4, x86],
  [
    5,
    // PowerPC
    instructions(4, (code, at, position) => {
      const instruction = code.getUint32(at);
      if (instruction >>> 26 !== 0x12 || (instruction & 3) !== 1) return 0;
      code.setUint32(at, 0x48000001 | ((instruction - position) & 0x03fffffc));
      return 0;
    }),
  ],
  [
    7,
    // ARM
    instructions(4, (code, at, position) => {
      if (code.getUint8(at + 3) !== 0xeb) return 0;
      const target = ((code.getUint32(at, true) & 0x00ffffff) << 2) - (position + 8);
      code.setUint32(at, 0xeb000000 | ((target >>> 2) & 0x00ffffff), true);
      return 0;
    }),
  ],
  [
    8,
    // ARM Thumb
    instructions(2, (code, at, position) => {
      const [first, second] = [code.getUint16(at, true), code.getUint16(at + 2, true)];
      if ((first & 0xf800) !== 0xf000 || (second & 0xf800) !== 0xf800) return 0;
      const target = ((((first & 0x7ff) << 11) | (second & 0x7ff)) << 1) - (position + 4);
      code.setUint16(at, 0xf000 | ((target >>> 12) & 0x7ff), true);
      code.setUint16(at + 2, 0xf800 | ((target >>> 1) & 0x7ff), true);
      return 4;
    }),
  ],
  [
    9,
    // SPARC
    instructions(4, (code, at, position) => {
      const instruction = code.getUint32(at);
      const isCall = instruction >>> 22 === 0x100 || instruction >>> 22 === 0x1ff;
      if (!isCall) return 0;
      const target = ((instruction << 2) - position) >>> 2;
      const sign = (-((target >>> 22) & 1) << 22) & 0x3fffffff;
      code.setUint32(at, sign | (target & 0x3fffff) | 0x40000000);
      return 0;
    }),
  ],
  [
    10,
    // ARM64
    instructions(4, (code, at, position) => {
      const instruction = code.getUint32(at, true);
      if (instruction >>> 26 === 0x25) {
        code.setUint32(at, 0x94000000 | ((instruction - (position >>> 2)) & 0x03ffffff), true);
      } else if ((instruction & 0x9f000000) >>> 0 === 0x90000000) {
        const source = ((instruction >>> 29) & 3) | ((instruction >>> 3) & 0x001ffffc);
        if (((source + 0x00020000) & 0x001c0000) !== 0) return 0;
        const target = source - (position >>> 12);
        const fields = ((target & 3) << 29) | ((target & 0x0003fffc) << 3) | (-(target & 0x00020000) & 0x00e00000);
        code.setUint32(at, (instruction & 0x9000001f) | fields, true);
      }
      return 0;
    }),
  ],
]);

/** x86 instructions have any length, so what looks like a call is converted only where the bytes before it allow it. */
function x86(): Branch {
  const isAllowed = [true, true, true, false, true, false, false, false];
  const bitNumber = [0, 1, 2, 2, 3, 3, 3, 3];
  const isHighByte = (byte: number) => byte === 0 || byte === 0xff;
  let mask = 0;
  let before = -5;
  return (code, position) => {
    if (position - before > 5) before = position - 5;
    let at = 0;
    while (at + 5 <= code.byteLength) {
      if ((code.getUint8(at) & 0xfe) !== 0xe8) {
        at += 1;
        continue;
      }
      const distance = position + at - before;
      before = position + at;
      mask = distance > 5 ? 0 : shifted(mask, distance);
      const high = code.getUint8(at + 4);
      if (isHighByte(high) && isAllowed[(mask >>> 1) & 7] && mask >>> 1 < 0x10) {
        let source = code.getUint32(at + 1, true);
        let target = 0;
        for (;;) {
          target = (source - (position + at + 5)) >>> 0;
          if (mask === 0) break;
          const bits = 8 * (bitNumber[mask >>> 1] ?? 0);
          if (!isHighByte((target >>> (24 - bits)) & 0xff)) break;
          source = (target ^ (2 ** (32 - bits) - 1)) >>> 0;
        }
        code.setUint32(at + 1, (target & 0x01ffffff) | ((target & 0x01000000) === 0 ? 0 : 0xff000000), true);
        at += 5;
        mask = 0;
      } else {
        at += 1;
        mask |= isHighByte(high) ? 0x11 : 1;
      }
    }
    return at;
  };
}

function shifted(mask: number, distance: number): number {
  let result = mask;
  for (let step = 0; step < distance; step += 1) result = (result & 0x77) << 1;
  return result;
}
