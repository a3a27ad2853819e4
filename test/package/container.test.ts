import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findPackage } from '../../functions/package/container.ts';
import { type Content, makePackage, makeSigned } from '../package-maker.ts';
import { assertMalformed, ByteSource, recordOf } from './byte-source.ts';

const inner = makePackage();
const hashes = ['+PKG_HASH', 'hashes'] as const;
const signature = ['+PKG_SIGNATURE', 'signature'] as const;
const whole = makeSigned([hashes, signature, ['made-1.0.tgz', inner]]);

function find(bytes: Uint8Array) {
  return findPackage(new ByteSource(bytes));
}

/** The archive with the text at this offset replaced. */
function changed(offset: number, text: string): Buffer {
  const bytes = Buffer.from(whole);
  bytes.write(text, offset, 'latin1');
  return bytes;
}

describe('the container of a package', () => {
  it('is none: the file is the package', async () => {
    for (const bytes of [inner, Buffer.from('!<arch>'), Buffer.from('x')]) {
      assert.deepEqual(await find(bytes), { start: 0, end: bytes.length, signature: undefined });
    }
  });

  it('is an ar archive of hashes, a signature of either kind, and the package', async () => {
    for (const [name, kind] of [
      ['+PKG_GPG_SIGNATURE', 'gpg'],
      ['+PKG_SIGNATURE', 'x509'],
    ] as const) {
      const bytes = makeSigned([hashes, [name, 'signature'], ['made-1.0.tgz', inner]]);
      const extent = await find(bytes);
      assert.equal(extent.signature, kind);
      assert.ok(bytes.subarray(extent.start, extent.end).equals(inner));
    }
  });

  it('may have names and contents of any length, odd and even', async () => {
    for (let bytes = 1; bytes < 40; bytes += 1) {
      const name = 'n'.repeat(bytes);
      const archive = makeSigned([
        ['+PKG_HASH', name],
        ['+PKG_SIGNATURE', `${name}s`],
        [name, inner],
      ]);
      const { start, end } = await find(archive);
      assert.ok(archive.subarray(start, end).equals(inner), `${bytes}`);
    }
  });

  it('may fill up its names with NULs as BSD does', async () => {
    const archive = makeSigned([hashes, ['+PKG_GPG_SIGNATURE\0\0', 'x'], ['made-1.0.tgz', inner]]);
    assert.equal((await find(archive)).signature, 'gpg');
  });

  it('may end its names as System V does', async () => {
    const archive = makeSigned([
      ['+PKG_HASH/', 'x'],
      ['+PKG_SIGNATURE/', 'x'],
      ['made-1.0.tgz/', inner],
    ]);
    assert.equal((await find(archive)).signature, 'x509');
  });

  it('gives the record of the whole file: its size is that of the signed package', async () => {
    const record = Buffer.from(await recordOf(whole)).toString();
    assert.match(record, new RegExp(`^FILE_SIZE=${whole.length}$`, 'm'));
  });

  const empty = new Uint8Array();
  const refused: readonly (readonly [what: string, bytes: Uint8Array, code: string, sentence: RegExp])[] = [
    ['nothing at all', empty, 'empty', /empty file/],
    ['no member', makeSigned([]), 'truncated', /at byte 8 /],
    ['the package first', makeSigned([['made.tgz', inner]]), 'corrupt-signed-package', /\+PKG_HASH, found "made.tgz"/],
    [
      'no signature',
      makeSigned([hashes, ['made.tgz', inner]]),
      'corrupt-signed-package',
      /or \+PKG_SIGNATURE, found "made.tgz"/,
    ],
    ['hashes twice', makeSigned([hashes, hashes, signature]), 'corrupt-signed-package', /found "\+PKG_HASH"/],
    ['no package', makeSigned([hashes, signature]), 'truncated', /60 bytes/],
    [
      'an empty package',
      makeSigned([hashes, signature, ['made.tgz', '']]),
      'corrupt-signed-package',
      /empty ar member/,
    ],
    ['a size of letters', changed(8 + 48, 'abc'), 'corrupt-signed-package', /decimal number .* "abc/],
    ['a negative size', changed(8 + 48, '-6 '), 'corrupt-signed-package', /"-6"/],
    ['no size', changed(8 + 48, '          '), 'corrupt-signed-package', /found ""/],
    ['a size beyond the file', changed(8 + 48, '9999999999'), 'truncated', /9999999999 bytes/],
    ['a wrong end of a header', changed(8 + 58, 'xx'), 'corrupt-signed-package', /at byte 8 /],
    ['a long name longer than its member', changed(8, '#1/99     '), 'corrupt-signed-package', /99 bytes/],
    ['a long name of no length', changed(8, '#1/       '), 'corrupt-signed-package', /decimal/],
    [
      'the signature of something else',
      signed('not a package'),
      'not-a-package',
      /found data that starts with "not a pa"/,
    ],
    ['an ar archive in an ar archive', signed(whole), 'not-a-package', /found an ar archive/],
  ];
  for (const [what, bytes, code, sentence] of refused) {
    it(`is refused: ${what}`, async () => {
      await assertMalformed(recordOf(bytes), code, sentence);
    });
  }

  function signed(content: Content): Buffer {
    return makeSigned([hashes, signature, ['made-1.0.tgz', content]]);
  }
});
