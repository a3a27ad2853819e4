import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { judgePackage } from '../functions/judge-package.ts';
import { defaultRules } from '../functions/record/rules.ts';
import { makePackage } from './package-maker.ts';

const sourceOf = (bytes: Buffer) => ({
  size: bytes.length,
  read: async (offset: number, length: number) => bytes.subarray(offset, offset + length),
});
const now = new Date('2026-12-24');
const good = makePackage({ name: 'x-1.0', payload: { 'bin/x': 100_000 } });
const withArch = (value: string) => makePackage({ name: 'x-1.0', buildInfo: `MACHINE_ARCH=${value}\n` });

describe('the verdict on a package', () => {
  const cases: readonly [what: string, bytes: Buffer, code: string | undefined][] = [
    ['that is good', good, undefined],
    ['that only gets a warning', makePackage({ name: 'x-alpha' }), undefined],
    ['that is none', Buffer.from('no package\n'), 'not-a-package'],
    ['that is cut short', good.subarray(0, 100), 'truncated'],
    ['of an architecture that the rules accept', withArch('x86_64v3'), undefined],
    ['of another architecture', withArch('aarch64'), 'foreign-architecture'],
    ['with an empty comment', makePackage({ name: 'x-1.0', comment: '' }), 'empty-comment'],
  ];
  for (const [what, bytes, code] of cases)
    it(`${what}: ${code ?? 'none'}`, async () => {
      const judgement = await judgePackage(sourceOf(bytes), 'x-1.0.tgz', { architectures: ['x86_64'] }, now);
      const reason = judgement.state === 'rejected' ? judgement.reason : undefined;
      assert.equal(reason?.code, code);
      assert.ok(reason === undefined || reason.message.length > 20);
    });

  it('is none where it cannot be read', async () => {
    const failing = { size: good.length, read: () => Promise.reject(new Error('EIO')) };
    await assert.rejects(judgePackage(failing, 'x-1.0.tgz', defaultRules, now), /EIO/);
  });
});
