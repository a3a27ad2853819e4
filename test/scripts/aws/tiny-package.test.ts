import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readPackage } from '../../../functions/package/read-package.ts';
import { renderRecord } from '../../../functions/record/record.ts';
import { judge } from '../../../functions/record/rules.ts';
import { tinyPackage } from '../../../scripts/aws/tiny-package.ts';

test('is a package whose record may enter an index, whatever --arch says', async () => {
  const bytes = await tinyPackage('smoke+test-0.1');
  const metadata = await readPackage({
    size: bytes.length,
    read: async (offset, length) => bytes.subarray(offset, offset + length),
  });
  const record = renderRecord(metadata, 'smoke+test-0.1.tgz', bytes.length);
  assert.match(Buffer.from(record).toString(), /^PKGNAME=smoke\+test-0\.1$/m);
  const judgement = judge(record, 'smoke+test-0.1.tgz', { architectures: ['x86_64'] });
  assert.deepEqual(judgement, { state: 'indexed', record, warnings: [] });
  assert.ok(bytes.length < 1024);
});
