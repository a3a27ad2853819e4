/** Changed keyrings, certificates and signatures. */

import { readFileSync } from 'node:fs';
import { MalformedPackage } from '../../functions/package/malformed-package.ts';
import { UnreadableRing } from '../../functions/trust/ring.ts';
import { checkSignature, readTrust, type Trust } from '../../functions/trust/trust.ts';
import type { Dice } from '../dice.ts';
import { makeSigned } from '../package-maker.ts';
import { changeBytes, changeText } from './byte-changes.ts';
import { Finding, type FuzzTarget } from './target.ts';

const options = { isRequired: true, allowsSha1: true, isDeep: true };
const now = new Date('2026-12-24');
const rings = ['gnupg1.ring', 'gnupg1.asc', 'gnupg2.ring', 'gnupg2-revoked.ring', 'root.pem', 'middle.pem'];
const packages = [
  'gnupg1-sha256',
  'gnupg1-dsa',
  'gnupg1-sha1',
  'gnupg2-subkey',
  'x509',
  'x509-chain',
  'x509-attributes',
];

export const ringTarget: FuzzTarget = {
  name: 'ring',
  weight: 1,
  async run(dice) {
    const bytes = changed(dice, fixture(dice.pick(rings)));
    try {
      const { keys, certificates } = readTrust([{ name: 'ring', bytes }], options);
      return keys.length + certificates.length > 0 ? 'read' : 'nothing';
    } catch (error) {
      if (error instanceof UnreadableRing) return 'refused';
      throw new Finding('a ring is read or refused', bytes, error);
    }
  },
};

export const signatureTarget: FuzzTarget = {
  name: 'signature',
  weight: 1,
  async run(dice) {
    const original = fixture(`${dice.pick(packages)}.tgz`);
    const bytes = dice.chance(0.2) ? changed(dice, original) : makeSigned(changedMember(dice, original));
    try {
      const source = {
        size: bytes.length,
        read: async (offset: number, length: number) => bytes.subarray(offset, offset + length),
      };
      const check = await checkSignature(source, 'hello-1.0', trust(), now);
      if (check.state === 'problem') return check.code;
      if (!Buffer.from(bytes).includes(signedPartOf(original))) throw new Error('other hashes have a good signature');
      return 'good';
    } catch (error) {
      if (error instanceof MalformedPackage) return 'malformed';
      throw new Finding('a signature is good only of what was signed', bytes, error);
    }
  },
};

/** As bytes, as text, or inside its base64. */
function changed(dice: Dice, bytes: Buffer): Uint8Array {
  const text = bytes.toString('latin1');
  const blocks = [...text.matchAll(/(?<=\n\n|KCS7-----\n|CATE-----\n)[A-Za-z0-9+/=\n]+(?=\n-----END|\n=)/g)];
  const block = blocks.length > 0 && dice.chance(0.6) ? dice.pick(blocks) : undefined;
  if (block === undefined)
    return dice.chance(0.5) ? changeBytes(dice, bytes) : Buffer.from(changeText(dice, text), 'latin1');
  const inside = Buffer.from(changeBytes(dice, Buffer.from(block[0], 'base64'))).toString('base64');
  const lines = inside.replace(/.{64}/g, '$&\n').trimEnd();
  return Buffer.from(text.slice(0, block.index) + lines + text.slice(block.index + block[0].length), 'latin1');
}

/** The archive around it is whole. */
function changedMember(dice: Dice, bytes: Buffer): (readonly [name: string, content: Uint8Array])[] {
  const at = bytes.indexOf('-----BEGIN ');
  const end = bytes.indexOf('-----\n', bytes.indexOf('-----END ')) + '-----\n'.length;
  const name = bytes.includes('-----BEGIN PKCS7') ? '+PKG_SIGNATURE' : '+PKG_GPG_SIGNATURE';
  const [hashes, signature] = [signedPartOf(bytes), bytes.subarray(at, end)];
  const isOfHashes = dice.chance(0.2);
  return [
    ['+PKG_HASH', isOfHashes ? changed(dice, hashes) : hashes],
    [name, isOfHashes ? signature : changed(dice, signature)],
    ['hello-1.0.tgz', bytes.subarray(bytes.indexOf(Buffer.from([0x1f, 0x8b]), end))],
  ];
}

function signedPartOf(bytes: Buffer): Buffer {
  const end = 'end pkgsrc signature\n';
  return bytes.subarray(bytes.indexOf('pkgsrc signature\n'), bytes.indexOf(end) + end.length);
}

const read = new Map<string, Buffer>();

function fixture(name: string): Buffer {
  const bytes = read.get(name) ?? readFileSync(new URL(`../fixtures/trust/${name}`, import.meta.url));
  read.set(name, bytes);
  return bytes;
}

let made: Trust | undefined;

function trust(): Trust {
  const files = ['gnupg1.ring', 'gnupg2.ring', 'root.pem'].map((name) => ({ name, bytes: fixture(name) }));
  made ??= readTrust(files, options);
  return made;
}
