/** Holds what programs are given against docs/json.md. */

import { readFileSync } from 'node:fs';

const text = readFileSync(new URL('../../docs/json.md', import.meta.url), 'utf8');

/** Properties whose own properties are data: codes of warnings. */
const maps = ['warnings'];

/**
 * The properties of a value, at any depth, that the sections do not name.
 * @param sections words of their headings
 */
export function undescribed(sections: readonly string[], value: unknown): string[] {
  const described = text
    .split(/^## /m)
    .filter((section) => sections.some((words) => section.split('\n')[0]?.includes(words)));
  if (described.length !== sections.length)
    throw new Error(`expected ${sections.length} sections of docs/json.md, found ${described.length}`);
  return [...propertiesOf(value)].filter((name) => !described.some((section) => section.includes(`\`${name}\``)));
}

function propertiesOf(value: unknown): Set<string> {
  if (typeof value !== 'object' || value === null) return new Set();
  if (Array.isArray(value)) return new Set(value.flatMap((each) => [...propertiesOf(each)]));
  return new Set(
    Object.entries(value).flatMap(([name, each]) => (maps.includes(name) ? [name] : [name, ...propertiesOf(each)])),
  );
}
