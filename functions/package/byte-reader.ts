/** Reads a stream of chunks by numbers of bytes. */

export class ByteReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #held: Uint8Array = new Uint8Array();

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** The bytes that are there, or the next chunk; undefined at the end. Never empty. */
  async some(): Promise<Uint8Array | undefined> {
    while (this.#held.length === 0) {
      const next = await this.#chunks.next();
      if (next.done === true) return undefined;
      this.#held = next.value;
    }
    const bytes = this.#held;
    this.#held = new Uint8Array();
    return bytes;
  }

  /** Puts bytes back that were read last. */
  unread(bytes: Uint8Array): void {
    this.#held = this.#held.length === 0 ? bytes : Buffer.concat([bytes, this.#held]);
  }

  /** Fewer at the end. */
  async take(count: number): Promise<Uint8Array> {
    const pieces: Uint8Array[] = [];
    let length = 0;
    while (length < count) {
      const bytes = await this.some();
      if (bytes === undefined) break;
      pieces.push(bytes);
      length += bytes.length;
    }
    const [first = new Uint8Array(), ...others] = pieces;
    const all = others.length === 0 ? first : Buffer.concat(pieces);
    this.unread(all.subarray(count));
    return all.subarray(0, count);
  }

  /** Fewer at the end. They stay to be read. */
  async peek(count: number): Promise<Uint8Array> {
    const bytes = await this.take(count);
    this.unread(bytes);
    return bytes;
  }

  /** What was not read yet. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    try {
      for (let bytes = await this.some(); bytes !== undefined; bytes = await this.some()) yield bytes;
    } finally {
      await this.close();
    }
  }

  /** Nothing more will be read: lets the source of the chunks release what it holds. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }
}
