/**
 * How many records of an index have which MACHINE_ARCH. The index has it in its metadata, as it has the sum of its files: after a change,
 * the counts of the next index need no other record than those that changed.
 */

import { latin1 } from '../package/formats.ts';

/** By the values of MACHINE_ARCH, which are bytes in Latin-1. `too-many`: they are not counted. */
export type ArchitectureCounts = ReadonlyMap<string, number> | 'too-many';

export const architecturesMetadata = 'architectures';

export const architectureLimits = {
  /** As text in the metadata, of which S3 takes 2 KB; all others take less than 400 bytes. A repository should have one architecture. */
  textCharactersMax: 512,
} as const;

const variable = Buffer.from('MACHINE_ARCH=');

/** All values, as pkgin compares each line. Decodes only these lines, because this runs for every record. */
function architecturesOf(record: Uint8Array): string[] {
  const bytes = Buffer.from(record.buffer, record.byteOffset, record.byteLength);
  const values: string[] = [];
  for (let at = bytes.indexOf(variable); at !== -1; at = bytes.indexOf(variable, at + variable.length)) {
    if (at > 0 && bytes[at - 1] !== 0x0a) continue;
    const end = bytes.indexOf('\n', at);
    values.push(latin1(bytes.subarray(at + variable.length, end === -1 ? bytes.length : end)));
  }
  return values;
}

/** Counts while records are added and removed. */
export class ArchitectureCounter {
  /** Undefined where they were too many. */
  readonly #counts: Map<string, number> | undefined;

  constructor(counts: ArchitectureCounts = new Map()) {
    this.#counts = counts === 'too-many' ? undefined : new Map(counts);
  }

  add(record: Uint8Array): void {
    this.#count(record, 1);
  }

  remove(record: Uint8Array): void {
    this.#count(record, -1);
  }

  get counts(): ArchitectureCounts {
    if (this.#counts === undefined) return 'too-many';
    return textOf(this.#counts).length > architectureLimits.textCharactersMax ? 'too-many' : this.#counts;
  }

  #count(record: Uint8Array, change: 1 | -1): void {
    if (this.#counts === undefined) return;
    for (const value of architecturesOf(record)) {
      const number = (this.#counts.get(value) ?? 0) + change;
      if (number === 0) this.#counts.delete(value);
      else this.#counts.set(value, number);
    }
  }
}

/** `aarch64:3,x86_64:27696`, the same for the same counts. */
export function encodeCounts(counts: ArchitectureCounts): string {
  if (counts === 'too-many') return counts;
  return counts.size === 0 ? 'none' : textOf(counts);
}

/** @returns undefined where it is not such a text. */
export function decodeCounts(text: string | undefined): ArchitectureCounts | undefined {
  if (text === 'too-many') return text;
  if (text === 'none') return new Map();
  const entries = text?.split(',').map((entry) => /^([\w.~!*'()%-]*):([1-9]\d{0,14})$/.exec(entry));
  try {
    const counts = entries?.map((entry) => [decodeURIComponent(entry?.[1] ?? '%'), Number(entry?.[2])] as const);
    return counts && new Map(counts);
  } catch {
    return undefined;
  }
}

function textOf(counts: ReadonlyMap<string, number>): string {
  const sorted = [...counts].sort(([left], [right]) => (left < right ? -1 : 1));
  return sorted.map(([value, number]) => `${encodeURIComponent(value)}:${number}`).join(',');
}
