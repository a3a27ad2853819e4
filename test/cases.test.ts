import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { findRejection } from '../functions/record/hazards.ts';
import { recordOf } from './package/byte-source.ts';

async function recordOfCase(file: string): Promise<Uint8Array> {
  return recordOf(readFileSync(join(import.meta.dirname, 'fixtures/cases', file)), file);
}

describe('a package that stops the clients of its whole repository is rejected, and its record is still that of pkg_info', () => {
  const cases: readonly (readonly [file: string, line: RegExp, code: string | undefined])[] = [
    ['nocomment-1.0.tgz', /^COMMENT=$/m, 'empty-comment'],
    ['empty-1.0.tgz', /^MACHINE_ARCH=$/m, 'empty-architecture'],
    ['odd-1.0.tgz', /^SUPERSEDES=\{fine,b$/m, 'unbalanced-braces'],
    ['fine-1.0.tgz', /^COMMENT=A small package$/m, undefined],
  ];
  for (const [file, line, code] of cases) {
    it(`${file}: ${code ?? 'accepted'}`, async () => {
      const record = await recordOfCase(file);
      assert.match(Buffer.from(record).toString('latin1'), line);
      assert.equal(findRejection(record, file)?.code, code);
    });
  }
});

describe('a package that pkg_info reads has its record', () => {
  for (const [file, name] of [
    ['gzj-1.0.tgz', 'gzj-1.0'],
    ['zstdskip-1.0.tgz', 'zstdskip-1.0'],
  ] as const) {
    it(file, async () => {
      const record = Buffer.from(await recordOfCase(file)).toString('latin1');
      assert.match(record, new RegExp(`^PKGNAME=${name}\n.*FILE_NAME=${file}\nFILE_SIZE=\\d+\nDESCRIPTION=`, 's'));
    });
  }
});
