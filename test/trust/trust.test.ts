import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import type { PackageSource } from '../../functions/package/package-source.ts';
import type { SignatureCheck } from '../../functions/ports.ts';
import { UnreadableRing } from '../../functions/trust/ring.ts';
import { checkSignature, readTrust, type TrustOptions } from '../../functions/trust/trust.ts';

import { isThorough } from '../thoroughness.ts';

/** See the README there. */
const fixture = (file: string) => readFileSync(new URL(`../fixtures/trust/${file}`, import.meta.url));
const now = new Date('2026-12-24');

function sourceOf(bytes: Uint8Array): PackageSource {
  return { size: bytes.length, read: async (offset, length) => bytes.subarray(offset, offset + length) };
}

async function check(
  bytes: Uint8Array,
  rings: readonly string[],
  options: Partial<TrustOptions & { at: Date; name: string }> = {},
): Promise<SignatureCheck> {
  const files = rings.map((name) => ({ name, bytes: fixture(name) }));
  const trust = readTrust(files, { isRequired: true, allowsSha1: false, isDeep: false, ...options });
  return checkSignature(sourceOf(bytes), options.name ?? 'hello-1.0', trust, options.at ?? now);
}

/** `good One`, with its findings; or the code of the problem. */
function wording(found: SignatureCheck): string {
  return found.state === 'problem' ? found.code : ['good', found.name, ...found.findings].join(' ');
}

const gnupg1 = ['gnupg1.ring'];

describe('a signature of GnuPG', () => {
  const layout = 'signature-without-version signature-layout';
  for (const [file, rings, expected, options] of [
    ['gnupg1-sha256.tgz', gnupg1, 'good One'],
    ['gnupg1-sha256.tgz', ['gnupg1.asc'], 'good One'],
    ['gnupg1-sha256.tgz', ['gnupg2.ring', 'root.pem', 'gnupg1.ring'], 'good One'],
    ['gnupg1-text.tgz', gnupg1, 'good One'],
    ['gnupg1-dsa.tgz', gnupg1, 'good Two'],
    ['gnupg1-no-version.tgz', gnupg1, 'good One signature-without-version'],
    ['gnupg1-sha1.tgz', gnupg1, 'bad-signature'],
    ['gnupg1-sha1.tgz', gnupg1, 'good One', { allowsSha1: true }],
    ['gnupg1-md5.tgz', gnupg1, 'bad-signature', { allowsSha1: true }],
    ['gnupg1-other-key.tgz', gnupg1, 'untrusted-key'],
    ['gnupg1-sha256.tgz', ['root.pem'], 'untrusted-key'],
    ['gnupg1-other-name.tgz', gnupg1, 'bad-signature'],
    ['gnupg1-other-name.tgz', gnupg1, 'good One', { name: 'hello-2.0' }],
    ['gnupg1-other-size.tgz', gnupg1, 'bad-signature'],
    ['gnupg1-other-block.tgz', gnupg1, 'good One'],
    ['gnupg1-other-block.tgz', gnupg1, 'bad-signature', { isDeep: true }],
    ['gnupg1-sha256.tgz', gnupg1, 'good One', { isDeep: true }],
    ['gnupg1-signature-expires.tgz', gnupg1, 'bad-signature'],
    ['gnupg1-sha256.tgz', gnupg1, 'bad-signature', { at: new Date('2026-11-01') }],
    ['gnupg2-sha512.tgz', ['gnupg2-four.ring'], `good Four signature-sha512 ${layout}`],
    ['gnupg2-sha256.tgz', ['gnupg2-four.ring'], `good Four ${layout}`],
    ['gnupg2-subkey.tgz', ['gnupg2.ring'], `good Three ${layout} signature-by-subkey`],
    ['gnupg2-expired.tgz', ['gnupg2-expires.ring'], 'expired-certificate'],
    ['gnupg2-expired.tgz', ['gnupg2-expires.ring'], `good Five ${layout}`, { at: new Date('2026-11-27T12:00Z') }],
    ['gnupg2-revoked.tgz', ['gnupg2-revoked.ring'], 'untrusted-key'],
    ['hello-1.0.tgz', gnupg1, 'unsigned'],
  ] as const)
    it(`${file} by ${rings.join(' and ')}: ${expected}${options === undefined ? '' : ` with ${JSON.stringify(options)}`}`, async () => {
      assert.equal(wording(await check(fixture(file), rings, options)), expected);
    });

  it('names the key', async () => {
    const found = await check(fixture('gnupg1-sha256.tgz'), gnupg1);
    assert.ok(found.state === 'good');
    assert.match(found.keyId, /^[0-9A-F]{16}$/);
    assert.match(found.fingerprint, /^[0-9A-F]{40}$/);
    assert.ok(found.fingerprint.endsWith(found.keyId));
  });
});

describe('a signature of X.509', () => {
  const root = ['root.pem'];
  for (const [file, rings, expected, options] of [
    ['x509.tgz', root, 'good CN=Signer'],
    ['x509.tgz', ['signer.pem'], 'good CN=Signer'],
    ['x509-attributes.tgz', root, 'good CN=Signer'],
    ['x509-chain.tgz', root, 'good CN=Deep'],
    ['x509-no-chain.tgz', root, 'untrusted-key'],
    ['x509-no-chain.tgz', ['middle.pem'], 'good CN=Deep'],
    ['x509-purpose.tgz', root, 'untrusted-key'],
    ['x509-short.tgz', root, 'expired-certificate'],
    ['x509-stranger.tgz', root, 'untrusted-key'],
    ['x509-sha1.tgz', root, 'bad-signature'],
    ['x509-sha1.tgz', root, 'good CN=Signer', { allowsSha1: true }],
    ['x509.tgz', gnupg1, 'untrusted-key'],
    ['x509.tgz', root, 'expired-certificate', { at: new Date('2020-01-01') }],
  ] as const)
    it(`${file} by ${rings.join(' and ')}: ${expected}${options === undefined ? '' : ` with ${JSON.stringify(options)}`}`, async () => {
      assert.equal(wording(await check(fixture(file), rings, options)), expected);
    });
});

describe('a changed byte', () => {
  for (const [file, rings, outside] of [
    ['gnupg1-sha256.tgz', gnupg1, /^Version:.*$/m],
    ['x509.tgz', ['root.pem'], /^$/],
  ] as const)
    it(`anywhere in +PKG_HASH or the signature of ${file} is a problem`, async () => {
      const bytes = fixture(file);
      const text = bytes.toString('latin1');
      const from = text.indexOf('pkgsrc signature');
      const to = text.indexOf('-----END ');
      const version = outside.exec(text);
      for (let at = from; at < to; at += isThorough ? 1 : 7) {
        // The comment of the armor, and what stands in ar headers for uid, gid and mode, is not signed.
        if (version !== null && at >= version.index - 1 && at <= version.index + version[0].length) continue;
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at] ?? 0) ^ 1;
        const found = await check(changed, rings).catch((error: Error) => error.name);
        if (found === 'MalformedPackage' || (typeof found !== 'string' && found.state === 'problem')) continue;
        const header = text.lastIndexOf('`\n', at) < text.lastIndexOf('end pkgsrc signature\n', at);
        assert.ok(header, `byte ${at}, ${JSON.stringify(text.slice(at - 5, at + 5))}: ${JSON.stringify(found)}`);
      }
    });
});

describe('a file of keys that cannot be used is refused', () => {
  for (const [name, bytes, message] of [
    ['empty', Buffer.alloc(0), /found none/],
    ['text', Buffer.from('hello'), /expected an OpenPGP packet/],
    ['a keybox', Buffer.concat([Buffer.alloc(8), Buffer.from('KBXf'), Buffer.alloc(20)]), /keybox/],
    ['half a ring', fixture('gnupg1.ring').subarray(0, 300), /expected \d+ bytes, found/],
    ['half an armored ring', fixture('gnupg1.asc').subarray(0, 300), /-----END PGP PUBLIC KEY BLOCK-----/],
    [
      'a wrong checksum',
      Buffer.from(
        fixture('gnupg1.asc')
          .toString()
          .replace(/^=..../m, '=AAAA'),
      ),
      /checksum/,
    ],
    [
      'a private key in PEM',
      Buffer.from('-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n'),
      /PRIVATE KEY/,
    ],
    [
      'a broken certificate',
      Buffer.from('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'),
      /certificate/,
    ],
    [
      'a signature',
      Buffer.from('-----BEGIN PGP SIGNATURE-----\n\nAAAA\n-----END PGP SIGNATURE-----\n'),
      /PGP SIGNATURE/,
    ],
    ['a package', fixture('hello-1.0.tgz'), /found/],
  ] as const)
    it(name, () => {
      const options = { isRequired: false, allowsSha1: false, isDeep: false };
      const read = () => readTrust([{ name: 'my.ring', bytes }], options);
      assert.throws(read, (error: Error) => error instanceof UnreadableRing && /^my\.ring: /.test(error.message));
      assert.throws(read, { message });
    });
});
