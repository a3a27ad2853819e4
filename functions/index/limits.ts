const kibibyte = 1024;

/** Publishing one repository's index. */
export const summaryLimits = {
  /** Passes of one summarize before it gives its place in the queue back: each pass means that somebody else published. */
  passesMax: 20,
  /** The next second begins within this on every clock, however far it is off ours. */
  waitMillisecondsMax: 1_200,
  /** How far the store's clock, which dates the last publication, may be off ours. */
  clockSkewMilliseconds: 200,
  /**
   * Text of a block that is compressed by itself, on average. Smaller ones make a change cheaper and the index larger: of 27,699
   * records (25.8 MB) these make 81 blocks, gz larger by 1.3 % and zst by 43 %; 192 KiB would make them larger by 2.3 % and 48 %.
   */
  blockBytes: 320 * kibibyte,
  /** The extra field of a gzip header, which tells of an index's blocks, has a length of 16 bits (RFC 1952): about 800 blocks. */
  extraFieldBytesMax: 65_535,
  /** Changed rows that are read at the same time. */
  rowsConcurrentMax: 16,
} as const;
