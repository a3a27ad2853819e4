/**
 * Bytes as a string whose code units are the bytes, for searching and cutting. Nothing is decoded: `Buffer.from(text, 'latin1')`
 * gives the very same bytes back, whatever encoding they are in.
 */
export function latin1(bytes: Uint8Array): string {
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return buffer.toString('latin1');
}
