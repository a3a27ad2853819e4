/**
 * The variables of a record and their values, in the order of its lines. Runs in a browser too.
 *
 * No record declares its encoding. Pass Latin-1 (`latin1` of functions/package/formats.ts) to keep the bytes, or decoded text to
 * show the values.
 */

export type RecordFields = ReadonlyMap<string, readonly string[]>;

/** @param record its lines, with or without the empty line at the end. Lines without `=` are ignored. */
export function readFields(record: string): RecordFields {
  const fields = new Map<string, string[]>();
  let lineStart = 0;
  while (lineStart < record.length) {
    const newline = record.indexOf('\n', lineStart);
    const lineEnd = newline === -1 ? record.length : newline;
    const equals = record.indexOf('=', lineStart);
    if (equals !== -1 && equals < lineEnd) {
      const variable = record.slice(lineStart, equals);
      const value = record.slice(equals + 1, lineEnd);
      const values = fields.get(variable);
      if (values === undefined) fields.set(variable, [value]);
      else values.push(value);
    }
    lineStart = lineEnd + 1;
  }
  return fields;
}

/** The value of a variable that should have one: like pkgin, the last that is not empty. Empty if there is none. */
export function lastValue(fields: RecordFields, variable: string): string {
  return allValues(fields, variable).findLast((value) => value !== '') ?? '';
}

/** All values of a variable that may have several, including empty ones. */
export function allValues(fields: RecordFields, variable: string): readonly string[] {
  return fields.get(variable) ?? [];
}
