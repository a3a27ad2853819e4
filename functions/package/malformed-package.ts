/** What is wrong with a package. `explain` shows these codes, and rejected rows store them. */
export type MalformedCode =
  | 'empty'
  | 'not-a-package'
  | 'truncated'
  | 'corrupt-compression'
  | 'corrupt-archive'
  | 'corrupt-signed-package'
  | 'missing-metadata'
  | 'repeated-metadata'
  | 'no-name'
  | 'too-large';

/** What an offset counts: bytes of the file, or bytes of the decompressed tar archive. */
export type Layer = 'file' | 'archive';

/**
 * The package itself is bad. This is permanent and never retried: the package gets a rejected row. Every other error means
 * that reading failed; it is thrown on and retried.
 */
export class MalformedPackage extends Error {
  override readonly name = 'MalformedPackage';
  readonly code: MalformedCode;
  /** Bytes from the start of `layer`. */
  readonly offset: number;
  readonly layer: Layer;

  constructor(code: MalformedCode, what: string, offset: number, layer: Layer = 'file') {
    super(`${what}, at byte ${offset} of the ${layer === 'file' ? 'file' : 'decompressed archive'}`);
    this.code = code;
    this.offset = offset;
    this.layer = layer;
  }
}
