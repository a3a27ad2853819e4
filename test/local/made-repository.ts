/** A repository of made packages, and what its index must hold. */

import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readPackage } from '../../functions/package/read-package.ts';
import { renderRecord } from '../../functions/record/record.ts';
import { makePackage } from '../package-maker.ts';
import { readIndex } from '../pkgin-reader.ts';
import { until } from './indexer-process.ts';

const formats = ['gz', 'zst'] as const;
type Format = (typeof formats)[number];

export function madeName(number: number): string {
  return `made${String(number).padStart(4, '0')}-1.0`;
}

/** `count` packages in All. */
export async function makeRepository(directory: string, count: number, from = 0): Promise<void> {
  await mkdir(join(directory, 'All'), { recursive: true });
  for (let number = from; number < from + count; number += 1) {
    const name = madeName(number);
    await writeFile(join(directory, 'All', `${name}.tgz`), makePackage({ name, payload: { 'bin/made': 2_000 } }));
  }
}

export async function packagesIn(directory: string): Promise<string[]> {
  return (await readdir(join(directory, 'All'))).filter((file) => file.endsWith('.tgz')).sort();
}

/** What an index of All must hold: what `record` prints of each package, one behind the other. */
export async function expectedSummary(directory: string): Promise<string> {
  const records: Uint8Array[] = [];
  for (const file of await packagesIn(directory)) {
    const bytes = await readFile(join(directory, 'All', file));
    const read = async (offset: number, length: number) => bytes.subarray(offset, offset + length);
    records.push(renderRecord(await readPackage({ size: bytes.length, read }), file, bytes.length));
  }
  return records.length === 0 ? '\n' : Buffer.concat(records).toString();
}

/** @throws BrokenIndex where it is not one that pkgin would read whole. */
export async function servedSummary(url: string, format: Format): Promise<string | undefined> {
  const answer = await fetch(`${url}/All/pkg_summary.${format}`);
  const bytes = new Uint8Array(await answer.arrayBuffer());
  return answer.status === 200 ? summaryIn(bytes, format) : undefined;
}

/** As it is in the directory, whether somebody serves it or not. */
export async function publishedSummary(directory: string, format: Format): Promise<string> {
  return summaryIn(await readFile(join(directory, 'All', `pkg_summary.${format}`)), format);
}

function summaryIn(bytes: Uint8Array, format: Format): string {
  return Buffer.from(readIndex(new Uint8Array(bytes), format).summary).toString();
}

export async function untilServed(url: string, expected: string, milliseconds = 20_000): Promise<void> {
  for (const format of formats) {
    await until(
      `${format} is right`,
      async () => (await servedSummary(url, format)) === expected || undefined,
      milliseconds,
    );
  }
}

export async function assertPublished(directory: string): Promise<void> {
  const expected = await expectedSummary(directory);
  for (const format of formats) assert.equal(await publishedSummary(directory, format), expected, format);
}

/** The status and the text of the answer. */
export async function upload(url: string, name: string, body = makePackage({ name })): Promise<[number, string]> {
  const answer = await fetch(`${url}/All/${encodeURIComponent(name)}.tgz`, { method: 'PUT', body });
  return [answer.status, await answer.text()];
}
