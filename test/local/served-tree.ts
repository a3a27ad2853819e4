/** A tree of repositories that `serve` watches, and whether it serves each of them right. */

import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { readPackage } from '../../functions/package/read-package.ts';
import { renderRecord } from '../../functions/record/record.ts';
import { makePackage } from '../package-maker.ts';
import { readIndex } from '../pkgin-reader.ts';

/** Puts a made package at each of these keys: `a/b/All/x-1.0.tgz`. */
export async function addPackages(top: string, ...keys: string[]): Promise<void> {
  for (const key of keys) {
    const path = join(top, key);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, packageOf(key));
  }
}

/** Different bytes for each key. */
export function packageOf(key: string): Buffer {
  const name = key.slice(key.lastIndexOf('/') + 1).replace(/\.tgz$/, '');
  return makePackage({ name, comment: `It came as ${key}\n` });
}

/** What the index of each repository below `top` must hold. One that only has an index is there, too. */
async function expectedSummaries(top: string, below = ''): Promise<Map<string, string>> {
  const summaries = new Map<string, string>();
  const records: Uint8Array[] = [];
  let isRepository = false;
  const entries = await readdir(join(top, below), { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name.startsWith('.')) continue;
    if (entry.isDirectory()) {
      for (const [repository, summary] of await expectedSummaries(top, join(below, entry.name)))
        summaries.set(repository, summary);
    } else if (entry.name.endsWith('.tgz')) {
      const bytes = await readFile(join(top, below, entry.name));
      const read = async (offset: number, length: number) => bytes.subarray(offset, offset + length);
      records.push(renderRecord(await readPackage({ size: bytes.length, read }), entry.name, bytes.length));
      isRepository = true;
    } else if (entry.name === 'pkg_summary.gz') isRepository = true;
  }
  if (isRepository) summaries.set(below, records.length === 0 ? '\n' : Buffer.concat(records).toString());
  return summaries;
}

/** Undefined where everything is served right; otherwise the first repository that is not. */
async function firstWrong(url: string, expected: ReadonlyMap<string, string>): Promise<string | undefined> {
  for (const [repository, summary] of expected) {
    for (const format of ['gz', 'zst'] as const) {
      // While it restarts, it may answer nothing.
      const answer = await fetch(`${url}/${repository}/pkg_summary.${format}`).catch(() => Response.error());
      const bytes = new Uint8Array(await answer.arrayBuffer().catch(() => new ArrayBuffer(0)));
      if (answer.status !== 200) return `${repository}/pkg_summary.${format} (${answer.status})`;
      if (Buffer.from(readIndex(bytes, format).summary).toString() !== summary)
        return `${repository}/pkg_summary.${format}`;
    }
  }
  return undefined;
}

/** @returns after how many milliseconds everything was right. @throws where it is not right in time. */
export async function untilRight(url: string, top: string, milliseconds: number): Promise<number> {
  const begin = performance.now();
  const expected = await expectedSummaries(top);
  assert.ok(expected.size > 0, 'there is a repository');
  for (;;) {
    const wrong = await firstWrong(url, expected);
    const took = performance.now() - begin;
    if (wrong === undefined) return took;
    if (took > milliseconds) throw new Error(`expected everything right within ${milliseconds} ms, but not ${wrong}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
