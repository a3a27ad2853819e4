/** What verifying a signature has as its result. */

/** Why a package is not verified. */
export type SignatureProblem = 'unsigned' | 'untrusted-key' | 'bad-signature' | 'expired-certificate';

/** A good signature that some clients cannot verify. */
export type SignatureFinding =
  | 'signature-sha512'
  | 'signature-without-version'
  | 'signature-layout'
  | 'signature-by-subkey';

/** How to fix each; `explain` prints this. */
export const signatureRemedies: Readonly<Record<SignatureProblem | SignatureFinding, string>> = {
  unsigned: 'Sign it with `pkg_admin gpg-sign-package`, or let pbulk do so with SIGN_PACKAGES=gpg in mk.conf.',
  'untrusted-key':
    'If its signer is to be trusted, give the key or the certificate with --trust; or sign it with one that is trusted.',
  'bad-signature':
    'It was changed after it was signed, or signed in a way that clients refuse: sign it again, and upload it again.',
  'expired-certificate': 'Clients refuse it from now on: sign it again with a key or a certificate that is valid.',
  'signature-sha512':
    'pkg_add from before 2016 knows no SHA-512 in signatures. For such clients, sign with `--digest-algo SHA256`.',
  'signature-without-version':
    'pkg_add from before 2016 finds no signature without the line "Version:". For such clients, sign with `--emit-version`.',
  'signature-layout':
    'With several keys in its keyring, pkg_add from before 2016 does not find the key of a signature that GnuPG 2.1.16 or later made. For such clients, sign with GnuPG 1.4.',
  'signature-by-subkey': 'pkg_add from before 2016 knows no subkeys. For such clients, sign with the primary key.',
};

/** Who signed a package. */
export interface SignedBy {
  /** OpenPGP: 16 hexadecimal digits; X.509: the serial number of the certificate. */
  readonly keyId: string;
  /** OpenPGP: SHA-1, 40 hexadecimal digits; X.509: SHA-256, 64 of them. */
  readonly fingerprint: string;
  /** The user id, or the subject. */
  readonly name: string;
  readonly findings: readonly SignatureFinding[];
}

/** What signatures are verified by, beside keys. */
export interface Signer {
  readonly now: Date;
  readonly allowsSha1: boolean;
}

/** The signature does not prove that a trusted key signed the package. */
export class Unverified extends Error {
  override readonly name = 'Unverified';
  readonly code: SignatureProblem;

  constructor(code: SignatureProblem, message: string) {
    super(message);
    this.code = code;
  }
}

/** @param hash in the words of node:crypto. @throws {Unverified} for SHA-1, unless it is allowed. */
export function expectSoundHash(hash: string, { allowsSha1 }: Signer): void {
  if (hash === 'sha1' && !allowsSha1)
    throw new Unverified('bad-signature', 'expected a SHA-2 hash, found SHA-1, which is broken and not allowed here');
}

/** @param time milliseconds since 1970 */
export function day(time: Date | number): string {
  return new Date(time).toISOString().slice(0, 10);
}
