/**
 * What a record says: its variables and their values, in the order of its lines. Runs in a browser too.
 *
 * A record's encoding is declared nowhere. Where bytes must stay what they are, pass them as Latin-1 (`latin1` of functions/package/formats.ts);
 * where people read the values, pass decoded text.
 */

export type RecordFields = ReadonlyMap<string, readonly string[]>;

/** @param record its lines, with or without the empty line that ends it. A line without `=` says nothing. */
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

/** The value of a variable that has one: as pkgin has it, the last that is not empty. The empty string where there is none. */
export function lastValue(fields: RecordFields, variable: string): string {
  return allValues(fields, variable).findLast((value) => value !== '') ?? '';
}

/** Every value of a variable that may have several, empty ones too. */
export function allValues(fields: RecordFields, variable: string): readonly string[] {
  return fields.get(variable) ?? [];
}
