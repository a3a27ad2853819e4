/** What verifying a signature has as its result. */

/** Why a package is not verified. */
export type SignatureProblem = 'unsigned' | 'untrusted-key' | 'bad-signature' | 'expired-certificate';

/** A good signature that some clients cannot verify. */
export type SignatureFinding =
  | 'signature-sha512'
  | 'signature-without-version'
  | 'signature-layout'
  | 'signature-by-subkey';

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

/** The signature does not say that somebody trusted made the package. */
export class Unverified extends Error {
  override readonly name = 'Unverified';
  readonly code: SignatureProblem;

  constructor(code: SignatureProblem, message: string) {
    super(message);
    this.code = code;
  }
}
