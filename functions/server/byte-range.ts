/** One byte range: RFC 9110, section 14. Several at once are answered with the whole, as the RFC permits. */

export type RangeRequest =
  | { readonly kind: 'whole' }
  | { readonly kind: 'part'; readonly start: number; readonly length: number }
  /** A 416. */
  | { readonly kind: 'unsatisfiable' };

/** @param size bytes of the file */
export function parseByteRange(header: string | undefined, size: number): RangeRequest {
  const match = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/i.exec(header ?? '');
  const [, first = '', last = ''] = match ?? [];
  if (first === '' && last === '') return { kind: 'whole' };

  // `-500`: the last 500 bytes, or all where there are fewer.
  if (first === '') return partOf(Math.max(size - Number(last), 0), size - 1, size);
  if (last !== '' && Number(last) < Number(first)) return { kind: 'whole' };
  return partOf(Number(first), last === '' ? size - 1 : Math.min(Number(last), size - 1), size);
}

function partOf(start: number, end: number, size: number): RangeRequest {
  return start < size ? { kind: 'part', start, length: end - start + 1 } : { kind: 'unsatisfiable' };
}
