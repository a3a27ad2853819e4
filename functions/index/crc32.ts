/**
 * The CRC-32 of two concatenated texts, from the CRCs of both: so a gzip member can be joined from pieces without their text. A CRC is
 * a polynomial over GF(2) modulo the CRC's polynomial; appending n bytes multiplies it by x^8n.
 * Source: RFC 1952, section 8; zlib's crc32_combine.
 */

/** x^32 + x^26 + …, without its highest term; the lowest bit is x^31. */
const polynomial = 0xedb88320;
/** The polynomial 1. */
const one = 0x80000000;

/** @param secondBytes the length of the second text. */
export function combineCrc32(first: number, second: number, secondBytes: number): number {
  return (multiply(first, powerOfByte(secondBytes)) ^ second) >>> 0;
}

/** x^(8 × exponent), by squaring. */
function powerOfByte(exponent: number): number {
  let power = one;
  for (let square = one >>> 8, rest = exponent; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) power = multiply(power, square);
    square = multiply(square, square);
  }
  return power;
}

function multiply(left: number, right: number): number {
  let product = 0;
  let shifted = right;
  for (let bit = one; bit !== 0; bit >>>= 1) {
    if ((left & bit) !== 0) product ^= shifted;
    shifted = (shifted & 1) === 0 ? shifted >>> 1 : (shifted >>> 1) ^ polynomial;
  }
  return product >>> 0;
}
