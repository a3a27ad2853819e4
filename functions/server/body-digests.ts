/**
 * The digests that a client sends with an upload: Content-MD5 (RFC 1864), Content-Digest and Repr-Digest (RFC 9530). An upload has
 * no Content-Encoding, so its content is its representation.
 */

import { createHash, type Hash } from 'node:crypto';
import { Refusal } from './answer.ts';
import type { RequestHeaders } from './site.ts';

/** The algorithms of RFC 9530 that we check: as Node calls them, with the bytes of a digest. Others are ignored. */
const algorithms: Readonly<Record<string, { readonly hash: string; readonly bytes: number }>> = {
  'sha-256': { hash: 'sha256', bytes: 32 },
  'sha-512': { hash: 'sha512', bytes: 64 },
  md5: { hash: 'md5', bytes: 16 },
};

interface Expected {
  /** For the refusal: `sha-256 in Content-Digest`. */
  readonly what: string;
  readonly digest: Buffer;
  readonly hash: Hash;
}

export class BodyDigests {
  readonly #expected: readonly Expected[];

  /** @throws {Refusal} 400 for a header that is malformed */
  constructor(headers: RequestHeaders) {
    const md5 = headers['content-md5'];
    this.#expected = [
      ...(md5 === undefined ? [] : expected('Content-MD5', 'md5', md5.trim())),
      ...digestsOf('Content-Digest', headers['content-digest']),
      ...digestsOf('Repr-Digest', headers['repr-digest']),
    ];
  }

  update(piece: Uint8Array): void {
    for (const { hash } of this.#expected) hash.update(piece);
  }

  /**
   * To be called once, after the last piece.
   * @throws {Refusal} 400 where a digest differs
   */
  verify(): void {
    for (const { what, digest, hash } of this.#expected) {
      const found = hash.digest();
      if (!found.equals(digest))
        throw new Refusal(
          400,
          `Digest mismatch: expected ${digest.toString('base64')} (${what}), found ${found.toString('base64')}. Nothing was changed.`,
        );
    }
  }
}

/** `sha-256=:BASE64:` (RFC 8941, byte sequence), and parameters, which have no meaning here. */
const member = /^([a-z*][a-z0-9_.*-]*)=:([A-Za-z0-9+/]*={0,2}):(?:;[a-z0-9_.*=-]+)*$/;

function digestsOf(header: string, value: string | undefined): Expected[] {
  if (value === undefined) return [];
  return value.split(',').flatMap((text) => {
    const [, algorithm, digest] = member.exec(text.trim()) ?? [];
    if (algorithm === undefined || digest === undefined) throw malformed(header, 'sha-256=:BASE64:');
    return expected(header, algorithm, digest);
  });
}

function expected(header: string, algorithm: string, base64: string): Expected[] {
  const known = Object.hasOwn(algorithms, algorithm) ? algorithms[algorithm] : undefined;
  if (known === undefined) return [];
  const digest = Buffer.from(base64, 'base64');
  if (digest.byteLength !== known.bytes || digest.toString('base64') !== base64)
    throw malformed(header, `${known.bytes} bytes of ${algorithm} in base64`);
  return [{ what: `${algorithm} in ${header}`, digest, hash: createHash(known.hash) }];
}

function malformed(header: string, form: string): Refusal {
  return new Refusal(400, `Malformed ${header}: expected ${form}.`);
}
