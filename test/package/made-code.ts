/** Instructions that call or jump, in hexadecimal, of the processors for which xz has filters. */
const calls = [
  'e8',
  'e9',
  'e8e8',
  'e8000000ff',
  '000000eb',
  '00f000f8',
  '00000094',
  '000000b0',
  '00000090',
  '48000001',
  '4b000001',
  '40000000',
  '7fc00000',
  'ff',
  '00',
];

/** Bytes with many calls and jumps of several processors, always the same. The zeros of an instruction become any bytes. */
export function code(bytes: number): Buffer {
  const made = Buffer.alloc(bytes);
  let state = 12_345;
  const random = () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state >>> 16;
  };
  for (let at = 0; at < bytes; ) {
    const call = Buffer.from(calls[random() % calls.length] ?? '', 'hex');
    const piece = random() % 3 === 0 ? Buffer.alloc(1, random()) : call;
    if (piece === call)
      for (const [index, byte] of call.entries()) if (byte === 0 && random() % 4 > 0) call[index] = random();
    at += piece.copy(made, at);
  }
  return made;
}
