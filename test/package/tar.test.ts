import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { extract, pack } from 'tar-stream';
import { type Reading, TarReader } from '../../functions/package/tar.ts';
import { type Entry, type Headers, makeArchive } from '../package-maker.ts';
import { runs } from '../thoroughness.ts';

interface ReadEntry {
  readonly name: string;
  readonly type: string;
  readonly content: string;
}

/** The names that tar-stream has for the type flags. */
const typeNames = { '0': 'file', '1': 'link', '2': 'symlink', '5': 'directory' } as const;
type Type = keyof typeof typeNames;
interface AnyEntry extends Entry {
  readonly type: Type;
  readonly body: string;
}

/** Reads the archive in pieces that end at the cuts. */
function readByUs(archive: Buffer, cuts: readonly number[]): ReadEntry[] {
  const ends = [...cuts.map((cut) => cut % archive.length), archive.length].sort((a, b) => a - b);
  const pieces = ends.map((end, index) => archive.subarray(ends[index - 1] ?? 0, end));
  const reading = allEntries(new TarReader());
  let step = reading.next();
  while (step.done !== true) step = reading.next(pieces.shift());
  return step.value;
}

function* allEntries(tar: TarReader): Reading<ReadEntry[]> {
  const entries: ReadEntry[] = [];
  for (;;) {
    const entry = yield* tar.nextEntry();
    if (entry === undefined) return entries;
    const content = Buffer.from(yield* tar.content(entry)).toString('latin1');
    entries.push({ name: Buffer.from(entry.name, 'latin1').toString(), type: entry.type, content });
  }
}

async function readByTarStream(archive: Buffer): Promise<ReadEntry[]> {
  const reader = extract();
  reader.end(archive);
  const entries: ReadEntry[] = [];
  for await (const entry of reader) {
    const { name, type: typeName } = entry.header;
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(chunk as Buffer);
    const type = (Object.keys(typeNames) as Type[]).find((flag) => typeNames[flag] === typeName) ?? '?';
    entries.push({ name, type, content: Buffer.concat(chunks).toString('latin1') });
  }
  return entries;
}

async function writtenByTarStream(entries: readonly AnyEntry[]): Promise<Buffer> {
  const writer = pack();
  for (const { name, type, body } of entries) {
    const link = type === '1' || type === '2' ? { linkname: 'elsewhere' } : {};
    writer.entry({ name, type: typeNames[type], ...link }, body);
  }
  writer.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of writer) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

const part = fc.string({ unit: fc.constantFrom(...'abc+-_.,= 0129~', 'é', '☃'), minLength: 1, maxLength: 40 });
const name = fc.array(part, { minLength: 1, maxLength: 6 }).map((parts) => parts.join('/'));
const entry = fc
  .record({
    name: fc.oneof(name, fc.constantFrom('+CONTENTS', '+DESC', 'x'.repeat(100), 'y'.repeat(101), 'z'.repeat(300))),
    type: fc.constantFrom<Type>('0', '0', '0', '1', '2', '5'),
    body: fc.oneof(
      fc.string({ unit: 'binary-ascii', maxLength: 40 }),
      fc.nat(1_600).map((length) => 'b'.repeat(length)),
    ),
  })
  .map((any) => (any.type === '0' ? any : { ...any, body: '' }));
const entries = fc.array(entry, { minLength: 1, maxLength: 8 });
const cuts = fc.array(fc.nat(), { maxLength: 20 });

describe('a tar archive has the entries that tar-stream finds in it', () => {
  it('where tar-stream wrote it', async () => {
    await fc.assert(
      fc.asyncProperty(entries, cuts, async (all, cuts) => {
        const archive = await writtenByTarStream(all);
        assert.deepEqual(readByUs(archive, cuts), await readByTarStream(archive));
      }),
      { numRuns: runs(300) },
    );
  });

  for (const headers of ['ustar', 'gnu', 'pax'] satisfies Headers[]) {
    it(`where it has ${headers} headers`, async () => {
      await fc.assert(
        fc.asyncProperty(entries, cuts, async (all, cuts) => {
          const archive = makeArchive(all, headers);
          const found = readByUs(archive, cuts);
          assert.deepEqual(found, await readByTarStream(archive));
          assert.deepEqual(
            found.map(({ type, content }) => ({ type, content })),
            all.map(({ type, body }) => ({ type, content: body })),
          );
        }),
        { numRuns: runs(200) },
      );
    });
  }

  it('also after numbers of every form in its headers', async () => {
    const fields = [
      '00000000005\0',
      '         5 \0',
      '5\0\0\0\0\0\0\0\0\0\0\0',
      '\x80\0\0\0\0\0\0\0\0\0\0\x05',
      '000000000005',
    ];
    for (const sizeField of fields) {
      const archive = makeArchive([
        { name: 'a', body: '12345', header: { 124: sizeField } },
        { name: 'b', body: 'x' },
      ]);
      assert.deepEqual(readByUs(archive, []), await readByTarStream(archive));
    }
  });
});
