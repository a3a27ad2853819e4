/** A summary that arrives in pieces, cut into its records. */

const lineFeed = 0x0a;

export class RecordSplitter {
  /** What has arrived of a record whose end has not. */
  #rest: Uint8Array[] = [];
  #endsInLineFeed = false;

  /** @returns the records that are whole now, each with the line feed of its last line, without the empty line. */
  push(bytes: Uint8Array): Uint8Array[] {
    const records: Uint8Array[] = [];
    let start = 0;
    // An empty line may lie across two pieces.
    if (this.#endsInLineFeed && bytes[0] === lineFeed) {
      this.#take(records, bytes.subarray(0, 0));
      start = 1;
    }
    for (let at = bytes.indexOf(lineFeed, start); at !== -1; at = bytes.indexOf(lineFeed, at + 1)) {
      if (bytes[at + 1] !== lineFeed) continue;
      this.#take(records, bytes.subarray(start, at + 1));
      at += 1;
      start = at + 1;
    }
    if (start < bytes.length) this.#rest.push(bytes.subarray(start));
    if (bytes.length > 0) this.#endsInLineFeed = start < bytes.length && bytes.at(-1) === lineFeed;
    return records;
  }

  /** @returns what came behind the last empty line: nothing of a sound summary. */
  end(): Uint8Array[] {
    const records: Uint8Array[] = [];
    this.#take(records, new Uint8Array());
    return records;
  }

  #take(records: Uint8Array[], last: Uint8Array): void {
    const record = this.#rest.length === 0 ? last : joined([...this.#rest, last]);
    this.#rest = [];
    // The summary of an empty repository is one line feed.
    if (record.some((byte) => byte !== lineFeed)) records.push(record);
  }
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const piece of pieces) {
    whole.set(piece, offset);
    offset += piece.length;
  }
  return whole;
}
