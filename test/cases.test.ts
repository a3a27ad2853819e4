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
