import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ByteReader } from '../../functions/package/byte-reader.ts';
import { unxz } from '../../functions/package/xz.ts';
import { isThorough } from '../thoroughness.ts';
import { code } from './made-code.ts';

const expected = code(1_500);

function fixture(file: string): Buffer {
  return readFileSync(join(import.meta.dirname, '../fixtures/compressed', file));
}

async function decoded(bytes: Uint8Array, pieceBytes = bytes.length): Promise<Buffer> {
  const pieces = (async function* () {
    for (let start = 0; start < bytes.length; start += pieceBytes) yield bytes.subarray(start, start + pieceBytes);
  })();
  const output: Uint8Array[] = [];
  for await (const piece of unxz(new ByteReader(pieces))) output.push(piece);
  return Buffer.concat(output);
}

/** By xz 5.4.1: the name is the filter, all with different checks and block sizes. */
const files = ['x86', 'x86-offset', 'arm', 'armthumb', 'arm64', 'powerpc', 'sparc', 'delta', 'x86-delta', 'blocks'];

describe('xz', () => {
  for (const [index, name] of files.entries()) {
    const bytes = fixture(`code.${name}.xz`);
    /** In a quick run, other bytes of each file: all of them have the same container. */
    const [changedStep, endStep] = isThorough ? [5, 13] : [61, 101];

    it(`is decoded with its filters and checks, however its bytes arrive: ${name}`, async () => {
      for (const pieceBytes of [bytes.length, 1, 7, 500]) {
        assert.ok((await decoded(bytes, pieceBytes)).equals(expected), `${pieceBytes}`);
      }
    });

    it(`with any bit changed is refused, except where it has no meaning: ${name}`, async () => {
      for (let at = index; at < bytes.length; at += changedStep) {
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
        // The first byte of a compressed chunk is ignored.
        const output = await decoded(changed).catch((error: Error) => error.message);
        assert.ok(typeof output === 'string' ? output !== '' : output.equals(expected), `${at}`);
      }
    });

    it(`is refused where it ends early: ${name}`, async () => {
      for (let end = index; end < bytes.length; end += endStep) {
        await assert.rejects(decoded(bytes.subarray(0, end)), /^Error: unexpected end of xz data$/);
      }
    });
  }

  it('without a check, or with an unknown one, is decoded', async () => {
    const unknown = Buffer.from(fixture('code.unknown.xz'));
    assert.ok((await decoded(fixture('code.none.xz'))).equals(expected));
    assert.ok((await decoded(unknown)).equals(expected));
  });

  it('says which filter it does not support', async () => {
    await assert.rejects(decoded(fixture('code.ia64.xz')), /filter that is not supported/);
  });

  it('decodes several files at the same time', async () => {
    const all = await Promise.all(files.map((name) => decoded(fixture(`code.${name}.xz`), 100)));
    assert.ok(all.every((output) => output.equals(expected)));
  });
});
