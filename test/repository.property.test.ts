import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { extract } from '../functions/extract.ts';
import { isPackageKey } from '../functions/keys.ts';
import type { Hint } from '../functions/ports.ts';
import { reindex } from '../functions/reindex.ts';
import { summarize } from '../functions/summarize.ts';
import { ManualClock } from './adapters/manual-clock.ts';
import { MemoryObjects } from './adapters/memory-objects.ts';
import { MemoryRecords } from './adapters/memory-records.ts';
import { corpusPackage } from './corpus.ts';
import { makePackage } from './package-maker.ts';
import { readIndex } from './pkgin-reader.ts';
import { runs } from './thoroughness.ts';

/** Something that somebody uploads, and the record that is to come of it: in Latin-1, undefined where none is. */
interface Upload {
  readonly what: string;
  readonly bytes: Buffer;
  readonly record: ((file: string) => string) | undefined;
}

const indexedCorpus = [
  'full-1.2.3nb4.tgz',
  'pkgsrc-style-2.0nb12.tgz',
  'latin1-1.0.tgz',
  'utf8-1.0.tgz',
  'crlf-desc-1.0.tgz',
  'ctrl-1.0.tgz',
  'deps-spacing-1.0.tgz',
  'noversion.tgz',
  'gtk2+-2.24.32nb5.tgz',
  'tar-pax-1.0.tgz',
  'tar-gnu-1.0.tgz',
  'hand-nul-desc-1.0.tgz',
  'signed-gpg-full-1.2.3nb4.tgz',
  'signed-x509-full-1.2.3nb4.tgz',
];
const rejectedCorpus = [
  'bad-trunc-0.tgz',
  'bad-trunc-200.tgz',
  'bad-dup-contents.tgz',
  'bad-gzip-flip.tgz',
  'bad-random.tgz',
  'bad-signed-trunc.tgz',
  'cpio-1.0.tgz',
  'emptycomment-1.0.tgz',
  'hand-emptyname-1.0.tgz',
  'hand-pkgnames-path-1.0.tgz',
  'longcomment-1.0.tgz',
  'twonames-1.0.tgz',
];

/** What pkg_info printed for it, under another file name. */
function fromCorpus(file: string): Upload {
  const entry = corpusPackage(file);
  const text = entry.expected()?.toString('latin1') ?? '';
  const record = (name: string) => text.replace(/^FILE_NAME=.*$/m, () => `FILE_NAME=${asBytes(name)}`);
  return { what: file, bytes: entry.bytes(), record: indexedCorpus.includes(file) ? record : undefined };
}

const anyCorpusPackage = fc.constantFrom(...[...indexedCorpus, ...rejectedCorpus].map(fromCorpus));

/** Bytes of one line, as characters. */
const line = fc
  .uint8Array({ maxLength: 30 })
  .map((bytes) => Buffer.from(bytes.filter((byte) => byte !== 0 && byte !== 10)).toString('latin1'));

const madePackage = fc
  .record({
    name: fc.constantFrom('made-1.0', 'made-1.1nb2', 'x+-2.0', 'a~b-1', 'no version', 'made-1.0-alpha'),
    dependencies: fc.array(fc.constantFrom('y>=1', 'z-[0-9]*', '{a,b}>1<2'), { maxLength: 3 }),
    comment: line,
    description: fc.array(line, { minLength: 1, maxLength: 4 }),
    isLong: fc.nat(9).map((number) => number === 0),
    headers: fc.constantFrom('ustar', 'gnu', 'pax'),
    compression: fc.constantFrom('gzip', 'zstd', 'none'),
    signature: fc.constantFrom(undefined, 'gpg', 'x509'),
    payload: fc.constantFrom(0, 10, 40_000),
  })
  .map(({ name, dependencies, comment, description, isLong, payload, signature, ...how }): Upload => {
    const comments = isLong ? 'x'.repeat(8_200) : comment;
    const bytes = makePackage({
      name,
      packingList: dependencies.map((pattern) => `@pkgdep ${pattern}`),
      comment: Buffer.from(`${comments}\n`, 'latin1'),
      description: Buffer.from(`${description.join('\n')}\n`, 'latin1'),
      payload: { bin: payload },
      ...(signature && { signature }),
      ...how,
    });
    const isRejected = isLong || comment === '';
    const record = (file: string) =>
      [
        `PKGNAME=${name}`,
        ...dependencies.map((pattern) => `DEPENDS=${pattern}`),
        `COMMENT=${comments}`,
        `FILE_NAME=${asBytes(file)}`,
        `FILE_SIZE=${bytes.length}`,
        ...description.map((text) => `DESCRIPTION=${text}`),
        '\n',
      ].join('\n');
    return { what: `${name} (${bytes.length} bytes)`, bytes, record: isRejected ? undefined : record };
  });

const anyUpload = fc.oneof(anyCorpusPackage, madePackage);
const anyKey = fc.constantFrom(
  'All/made-1.0.tgz',
  'All/a.tgz',
  'All/B.tgz',
  'All/\u{1f600}-1.0.tbz',
  'All/\uffff-1.0.txz',
  'All/x+-2.0.tgz',
  'All/.hidden-1.0.tgz',
  'All/notes.txt',
  'All/sub/a.tgz',
);

type Step =
  | { readonly do: 'put'; readonly key: string; readonly upload: Upload }
  | { readonly do: 'delete'; readonly key: string }
  /** The events since the last time are delivered, in any order, some of them twice; or are lost, and a reindex makes it good. */
  | { readonly do: 'publish'; readonly order: number; readonly areLost: boolean };

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('put' as const), key: anyKey, upload: anyUpload }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('delete' as const), key: anyKey }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('publish' as const), order: fc.nat(), areLost: fc.boolean() }),
  },
);

function asBytes(text: string): string {
  return Buffer.from(text).toString('latin1');
}

/** The indexer over a bucket in memory, and what is in the bucket according to the test's own book. */
class World {
  readonly objects = new MemoryObjects();
  readonly records = new MemoryRecords();
  readonly clock = new ManualClock();
  readonly uploads = new Map<string, Upload>();
  readonly #hints: Hint[] = [];
  /** Dates of the publications. */
  readonly #published: number[] = [];

  put(key: string, upload: Upload): void {
    this.objects.upload(key, upload.bytes, this.clock.now());
    this.uploads.set(key, upload);
    this.#hints.push({ key });
  }

  async delete(key: string): Promise<void> {
    await this.objects.delete(key);
    this.uploads.delete(key);
    this.#hints.push({ key });
  }

  /** Who comes first is told by a number; every third hint comes twice. */
  async deliver(order: number): Promise<void> {
    const hints = this.#hints.splice(0).filter(({ key }) => isPackageKey(key));
    const delivered = hints.flatMap((hint, index) => ((order + index) % 3 === 0 ? [hint, hint] : [hint]));
    for (let left = order; delivered.length > 0; left = Math.floor(left / 2) + 7) {
      const [{ key } = assert.fail()] = delivered.splice(left % delivered.length, 1);
      await extract(this, key);
    }
  }

  async reindex(): Promise<void> {
    this.#hints.length = 0;
    await reindex({
      ...this,
      objects: this.objects,
      hints: { send: async (hints) => void this.#hints.push(...hints) },
    });
  }

  /** Time goes on wherever the step waits for it. */
  async summarize() {
    let isOver = false;
    const summarizing = summarize(this, 'All').finally(() => {
      isOver = true;
    });
    while (!isOver) if (!(await this.clock.advanceToNext())) await setImmediate();
    return summarizing;
  }

  /** What the index is to hold: the good packages directly in the repository, by the bytes of their file names. */
  expectedSummary(): Buffer {
    const files = [...this.uploads]
      .map(([key, { record }]) => ({ file: key.slice('All/'.length), record }))
      .filter(({ file }) => !file.includes('/') && !file.startsWith('.') && !file.endsWith('.txt'))
      .sort((a, b) => Buffer.compare(Buffer.from(a.file), Buffer.from(b.file)));
    const text = files.map(({ file, record }) => record?.(file) ?? '').join('');
    return Buffer.from(text === '' ? '\n' : text, 'latin1');
  }

  index(format: 'gz' | 'zst') {
    return this.objects.objects.get(`All/pkg_summary.${format}`);
  }

  assertPublished(): void {
    const expected = this.expectedSummary();
    for (const format of ['gz', 'zst'] as const) {
      const { summary, records } = readIndex(this.index(format)?.body ?? assert.fail(`no ${format}`), format);
      assert.equal(Buffer.from(summary).toString('latin1'), expected.toString('latin1'));
      assert.equal(records, (expected.toString('latin1').match(/^PKGNAME=/gm) ?? []).length);
    }
  }

  /** Every publication is in a later second than the one before. */
  assertLater(publishedAt: Date): void {
    const last = this.#published.at(-1) ?? 0;
    assert.ok(publishedAt.getTime() >= last + 1_000 || last === 0);
    assert.deepEqual(this.index('gz')?.lastModified, publishedAt);
    this.#published.push(publishedAt.getTime());
  }
}

async function run(world: World, steps: readonly Step[]): Promise<void> {
  for (const step of steps) {
    if (step.do === 'put') world.put(step.key, step.upload);
    if (step.do === 'delete') await world.delete(step.key);
    if (step.do !== 'publish') continue;
    if (step.areLost) await world.reindex();
    await world.deliver(step.order);
    const publication = await world.summarize();
    if (publication.outcome === 'published') world.assertLater(publication.publishedAt);
    const isEmpty = publication.outcome === 'absent';
    if (isEmpty) assert.equal(world.expectedSummary().toString(), '\n');
    else world.assertPublished();
  }
}

const lastStep: Step = { do: 'publish', order: 0, areLost: true };

describe('a repository', () => {
  it('has the index of what is in it, whatever happened before', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyStep, { maxLength: 25 }), async (steps) => {
        await run(new World(), [...steps, lastStep]);
      }),
      { numRuns: runs(100) },
    );
  });

  it('keeps an index that was there until all of its packages have been read', async () => {
    const first = fc.uniqueArray(fc.record({ key: anyKey, upload: anyUpload }), { selector: ({ key }) => key });
    await fc.assert(
      fc.asyncProperty(first, fc.nat(), fc.array(anyStep, { maxLength: 8 }), async (first, order, steps) => {
        const world = new World();
        const theirs = Buffer.from('an index that somebody else made');
        world.objects.upload('All/pkg_summary.gz', theirs, world.clock.now());
        for (const { key, upload } of first) world.put(key, upload);
        const packages = first.map(({ key }) => key).filter((key) => /^All\/[^./][^/]*[.]t[a-z]z$/u.test(key));
        for (const [index, key] of packages.entries()) {
          const waiting = await world.summarize();
          assert.deepEqual(waiting.outcome === 'waiting' && waiting.missing, packages.length - index);
          assert.ok(Buffer.from(world.index('gz')?.body ?? '').equals(theirs));
          await extract(world, key);
        }
        await run(world, [{ do: 'publish', order, areLost: false }, ...steps, lastStep]);
        world.assertPublished();
      }),
      { numRuns: runs(40) },
    );
  });
});
