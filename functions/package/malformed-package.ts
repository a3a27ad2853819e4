/** What is wrong with a package, in one word each: the codes are shown by `explain` and kept in rejected rows. */
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

/** Which bytes an offset counts: the file's own, or those of the tar archive once it is decompressed. */
export type Layer = 'file' | 'archive';

/**
 * The package itself is bad. Reading it again gives the same answer, so this is never retried: the package gets a
 * rejected row. Every other error means that the reading failed, and is thrown on.
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
