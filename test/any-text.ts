import fc from 'fast-check';

/** Any code point but halves of surrogate pairs, ASCII most often. (fast-check's own `unit: 'binary'` takes seconds to be made.) */
const codePoint = fc
  .oneof(fc.nat(0x7f), fc.nat(0xf7ff), fc.nat(0x10_f7ff))
  .map((index) => String.fromCodePoint(index < 0xd800 ? index : index + 0x800));

/** Any text that UTF-8 can hold. */
export function anyText(constraints: { readonly minLength?: number; readonly maxLength?: number } = {}) {
  return fc.string({ ...constraints, unit: codePoint });
}
