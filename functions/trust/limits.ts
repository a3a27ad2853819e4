/** Limits for what says who signed: rings, signatures, hash files. */
export const trustLimits = {
  /** One file of --trust. The ring of all Debian developers has 35 MB, that of a package builder 2 KB. */
  ringBytesMax: 4 * 1024 * 1024,
  /** Keys and certificates of all files of --trust. */
  keysMax: 1_000,
  /** Files of --trust. */
  filesMax: 16,
  /** An armored signature, or one of X.509 with its certificates. The clients' reader decodes 8 KiB. */
  signatureBytesMax: 64 * 1024,
  /** +PKG_HASH: 129 bytes for each block of 64 KiB, so that this is enough for a package of 4 GiB. */
  hashFileBytesMax: 9 * 1024 * 1024,
  /** Shorter keys are broken: a 768 bit number was factored in 2009. */
  rsaBitsMin: 1_024,
  /** Longer ones only take time; netpgpverify reads up to 8,192. */
  rsaBitsMax: 16_384,
  /** Certificates from the signer to a trusted one. */
  chainMax: 8,
} as const;
