/** Clients that upload, replace and remove packages, repeat what was not answered, and know what must be there. */

import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pageFile } from '../../functions/page/page.ts';
import { makePackage } from '../package-maker.ts';
import type { pseudoRandom } from './pseudo-random.ts';

/** Undefined is a removal. */
interface Change {
  readonly file: string;
  readonly content: Buffer | undefined;
}

interface Client {
  readonly name: string;
  made: number;
  readonly files: string[];
  /** Was sent, and not answered. */
  unanswered: Change | undefined;
}

export class UploadingClients {
  readonly #random: ReturnType<typeof pseudoRandom>;
  readonly #clients: readonly Client[];
  /** By file: what it may hold. After an answer that is one thing, after a broken connection one of two. */
  readonly #possible = new Map<string, readonly (Buffer | undefined)[]>();
  /** Changes that were answered. */
  acknowledged = 0;

  constructor(count: number, random: ReturnType<typeof pseudoRandom>) {
    this.#random = random;
    this.#clients = Array.from({ length: count }, (_, index) => ({
      name: `client${index}`,
      made: 0,
      files: [],
      unanswered: undefined,
    }));
  }

  /** All of them at once, one change behind the other each, until so many were made in all or the server is gone. */
  work(url: string, changes: number): Promise<void> {
    const working = this.#work(url, changes);
    // Whoever awaits it later hears of a failure; until then, it is not an unhandled one.
    working.catch(() => {});
    return working;
  }

  async #work(url: string, changes: number): Promise<void> {
    let left = changes;
    const work = async (client: Client): Promise<void> => {
      while (left > 0) {
        left -= 1;
        if (!(await this.#send(url, client, client.unanswered ?? this.#nextChange(client)))) return;
      }
    };
    await Promise.all(this.#clients.map(work));
  }

  /** Until everything is answered that was ever sent. */
  async finish(url: string): Promise<void> {
    for (const client of this.#clients) {
      if (client.unanswered !== undefined) assert.ok(await this.#send(url, client, client.unanswered));
    }
  }

  /** Every package is there that must be, as it was sent, and nothing else but what the indexer puts beside them. */
  async check(directory: string): Promise<void> {
    const isPublished = (file: string) => file.startsWith('pkg_summary.') || file === pageFile;
    const found = (await readdir(join(directory, 'All'))).filter((file) => !isPublished(file));
    const strangers = found.filter((file) => !file.startsWith('.') && !this.#possible.has(file));
    assert.deepEqual(strangers, []);
    for (const [file, possible] of this.#possible) {
      const content = found.includes(file) ? await readFile(join(directory, 'All', file)) : undefined;
      const isOneOfThem = possible.some((one) => (one === undefined ? content === undefined : content?.equals(one)));
      assert.ok(isOneOfThem, `${file}: expected one of ${possible.map(describe)}, found ${describe(content)}`);
    }
  }

  #nextChange(client: Client): Change {
    const { files } = client;
    const kind = this.#random(10);
    const known = files[this.#random(Math.max(files.length, 1))];
    if (known !== undefined && kind === 0) return { file: known, content: undefined };
    const isReplaced = known !== undefined && kind < 3;
    const file = isReplaced ? known : `${client.name}-${client.made}.tgz`;
    if (!isReplaced) {
      files.push(file);
      client.made += 1;
    }
    const name = file.slice(0, -'.tgz'.length);
    const payload = { 'bin/made': this.#random(10) === 0 ? 300_000 : this.#random(5_000) };
    return { file, content: makePackage({ name, comment: `Made ${this.#random(1e9)}\n`, payload }) };
  }

  /** @returns whether there was an answer. */
  async #send(url: string, client: Client, change: Change): Promise<boolean> {
    const { file, content } = change;
    const before = this.#possible.get(file) ?? [undefined];
    this.#possible.set(file, [...before, content]);
    client.unanswered = change;
    const request = content === undefined ? { method: 'DELETE' } : { method: 'PUT', body: content };
    const status = await fetch(`${url}/All/${file}`, request).then(
      async (answer) => ({ code: answer.status, text: await answer.text() }),
      () => undefined,
    );
    if (status === undefined) return false;
    // A removal that is repeated may have taken effect before.
    const expected = content === undefined ? [204, 404] : [201, 204];
    assert.ok(expected.includes(status.code), `${file}: ${status.code}: ${status.text}`);
    this.#possible.set(file, [content]);
    client.unanswered = undefined;
    this.acknowledged += 1;
    return true;
  }
}

function describe(content: Buffer | undefined): string {
  return content === undefined ? 'nothing' : `${content.length} bytes`;
}
