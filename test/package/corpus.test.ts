import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type CorpusPackage, corpora, publishedPackages } from '../corpus.ts';
import { assertMalformed, recordOf } from './byte-source.ts';

/**
 * The outcome of each package whose verdict is not `record`: our choice for `either`, so that a change is noticed; the code for
 * `reject`.
 */
const outcomes: ReadonlyMap<string, string> = new Map([
  ['bad-ar-badhashfile.tgz', 'record'],
  ['bad-ar-badsig.tgz', 'record'],
  ['bad-ar-empty.tgz', 'truncated'],
  ['bad-ar-inner-first.tgz', 'corrupt-signed-package'],
  ['bad-bomb.tgz', 'too-large'],
  ['bad-checksum.tgz', 'not-a-package'],
  ['bad-checksum2.tgz', 'corrupt-archive'],
  ['bad-dup-comment.tgz', 'repeated-metadata'],
  ['bad-dup-contents.tgz', 'repeated-metadata'],
  ['bad-dup-install.tgz', 'record'],
  ['bad-gzip-crc.tgz', 'corrupt-compression'],
  ['bad-gzip-empty.tgz', 'not-a-package'],
  ['bad-gzip-flip.tgz', 'corrupt-compression'],
  ['bad-gzip-text.tgz', 'not-a-package'],
  ['bad-gzip-zeros.tgz', 'not-a-package'],
  ['bad-hugesize-base256.tgz', 'too-large'],
  ['bad-negsize.tgz', 'corrupt-archive'],
  ['bad-no-comment.tgz', 'missing-metadata'],
  ['bad-no-contents.tgz', 'missing-metadata'],
  ['bad-no-desc.tgz', 'missing-metadata'],
  ['bad-random.tgz', 'not-a-package'],
  ['bad-signed-pkgname.tgz', 'record'],
  ['bad-signed-size.tgz', 'record'],
  ['bad-signed-tamper-early.tgz', 'corrupt-compression'],
  ['bad-signed-tamper-hash.tgz', 'record'],
  ['bad-signed-trunc.tgz', 'truncated'],
  ['bad-signed-x509-tamper.tgz', 'corrupt-compression'],
  ['bad-tar-trailing.tar', 'record'],
  ['bad-trunc-0.tgz', 'empty'],
  ['bad-trunc-100.tgz', 'truncated'],
  ['bad-trunc-1035.tgz', 'truncated'],
  ['bad-trunc-18.tgz', 'truncated'],
  ['bad-trunc-200.tgz', 'truncated'],
  ['bad-trunc-40.tgz', 'truncated'],
  ['bad-trunc-400.tgz', 'truncated'],
  ['bad-trunc-521.tgz', 'truncated'],
  ['bad-trunc-medium-65536.tgz', 'truncated'],
  ['bad-trunc-medium-700.tgz', 'truncated'],
  ['bad-trunc-payload.tgz', 'truncated'],
  ['bad-trunc-tar.tar', 'truncated'],
  ['bad-trunc-xz.tgz', 'truncated'],
  ['bad-trunc-zstd.tgz', 'truncated'],
  ['comp-double-1.0.tgz', 'record'],
  ['cpio-1.0.tgz', 'not-a-package'],
  ['hand-dir-meta-1.0.tgz', 'missing-metadata'],
  ['hand-dotslash-1.0.tgz', 'missing-metadata'],
  ['hand-emptyname-1.0.tgz', 'no-name'],
  ['hand-file-middle-1.0.tgz', 'missing-metadata'],
  ['hand-hardlink-meta-1.0.tgz', 'record'],
  ['hand-name-newline-1.0.tgz', 'record'],
  ['hand-nul-contents-1.0.tgz', 'record'],
  ['hand-nul-desc-1.0.tgz', 'record'],
  ['hand-symlink-meta-1.0.tgz', 'record'],
  ['hand-utf8file-pax-1.0.tgz', 'record'],
  ['hand-utf8file-ustar-1.0.tgz', 'record'],
  ['latin1file-1.0.tgz', 'record'],
  ['noversion.tgz', 'record'],
  ['twonames-1.0.tgz', 'record'],
  ['utf8file-1.0.tgz', 'record'],
  ['zip-1.0.tgz', 'not-a-package'],
]);

for (const { directory, absent, packages } of corpora) {
  describe(`the packages in ${directory}`, { skip: absent }, () => {
    it('are all there', () => {
      assert.ok(packages.length >= 141, `found ${packages.length}`);
    });
    for (const entry of packages) {
      it(`${entry.verdict}: ${entry.file}, ${entry.exercises}`, async () => {
        await (entry.verdict === 'record' ? assertRecord(entry) : assertOutcome(entry));
      });
    }
  });
}

describe('packages that others published', { skip: publishedPackages.absent }, () => {
  it('have the records that the publisher printed', async () => {
    assert.equal(publishedPackages.packages.length, 25);
    for (const { file, record, bytes } of publishedPackages.packages) {
      assertSameBytes(await recordOf(bytes(), file), record);
    }
  });
});

async function assertRecord({ file, bytes, expected }: CorpusPackage): Promise<void> {
  const record = expected();
  assert.ok(record !== undefined, `there is no ${file}.summary`);
  assertSameBytes(await recordOf(bytes(), file), record);
}

async function assertOutcome({ file, verdict, bytes, expected }: CorpusPackage): Promise<void> {
  const outcome = outcomes.get(file);
  assert.ok(outcome !== undefined, `decide the outcome of ${file}`);
  if (outcome === 'record') {
    assert.equal(verdict, 'either');
    const record = await recordOf(bytes(), file);
    assertSameBytes(record, expected() ?? record);
    return;
  }
  await assertMalformed(recordOf(bytes(), file), outcome);
}

function assertSameBytes(actual: Uint8Array, expected: Uint8Array): void {
  assert.equal(Buffer.from(actual).toString('latin1'), Buffer.from(expected).toString('latin1'));
}
