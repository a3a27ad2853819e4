/**
 * Every limit, with its reason. A limit is reached without harm and refused one past it; both are tested.
 * Units come last in the names.
 */

const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;

/** Reading one package. */
export const packageLimits = {
  /** The first range read. The compressed bytes before the first payload file: median 8 KB, p90 12 KB (389 real packages). */
  firstRangeBytes: 16 * kibibyte,
  /** The window read so far grows by this factor, so that a package of any size costs a handful of requests. */
  rangeGrowthFactor: 4,
  /** The largest single range read: bounds the memory of one read. */
  rangeBytesMax: 4 * mebibyte,
  /**
   * The compressed bytes that hold all metadata. Compressed data can go on without anything in it (a name in a gzip header, a
   * skippable zstd frame, empty blocks), to the end of a file of any size.
   */
  compressedBytesMax: 32 * mebibyte,
  /** All metadata files with their headers. The largest real +CONTENTS is 304 KB, the largest made one 1.4 MB. */
  metadataBytesMax: 16 * mebibyte,
  /** One metadata file. A +CONTENTS of 8 MB lists about 100,000 files. */
  metadataFileBytesMax: 8 * mebibyte,
  /**
   * +COMMENT, +DESC, +BUILD_INFO or +SIZE_PKG, whose lines become lines of the record, which may have 350 KiB: 8 MB of empty lines
   * took a gigabyte of memory to print. The largest real one has 8 KB.
   */
  textFileBytesMax: 1 * mebibyte,
  /** Entries before the first payload file. There are 15 metadata names; a payload may repeat the ones that are not read. */
  metadataEntriesMax: 64,
  /** A pax header, or a long name of GNU tar. libarchive refuses more, too. */
  extendedHeaderBytesMax: 1 * mebibyte,
  /** Streams or frames that a file is put together from (bzip2, xz, zstd): pbzip2 makes one for each 900 KB. */
  streamsMax: 1_000,
  /** Inflated bytes per compressed byte, once more than `ratioFreeBytes` have been inflated. Text reaches about 30; bombs 1,000. */
  compressionRatioMax: 256,
  ratioFreeBytes: 1 * mebibyte,
  /**
   * pkg_info reads 64 KiB of inflated data at a time (libarchive's filters), so a package that is cut within the block that
   * holds its last metadata file is refused by it. We inflate this far beyond the metadata where the package ends nearby.
   */
  lookAheadBytes: 64 * kibibyte,
  /** A member's name in a signed package's ar archive: a file name. */
  arNameBytesMax: 1_024,
  /** Reading one package, look to row. Longer is a store that does not answer: transient, tried again. */
  readMillisecondsMax: 60_000,
  /** An object that keeps changing under the reader: after so many looks the hint goes back to the queue. */
  looksMax: 10,
} as const;

/** One record in the table and in the index. */
export const recordLimits = {
  /** A DynamoDB item holds 400 KB; the rest is for the other attributes. The largest real record is 54 KB. */
  recordBytesMax: 350 * kibibyte,
  /** pkgin reads its database of installed packages in lines of 8,192 bytes: one longer breaks every later command. */
  lineBytesMax: 8_190,
  /** A row keeps this much of a reason. */
  reasonCharactersMax: 1_000,
} as const;

/** Publishing one repository's index. */
export const summaryLimits = {
  /** Passes of one summarize before it gives its place in the queue back: each pass means that somebody else published. */
  passesMax: 20,
  /** Publications are at least a second apart; a clock further behind than this is wrong, and waiting would not help. */
  waitMillisecondsMax: 2_500,
  /** How far the store's clock, which dates the last publication, may be off ours. */
  clockSkewMilliseconds: 200,
} as const;

/** Comparing a bucket with the table. */
export const reindexLimits = {
  /** Hints handed to the queue at a time: bounds what is in memory, and what is sent again if sending fails. */
  hintsPerSendMax: 500,
} as const;

/** The queue and the debounce of the indexer on one machine. */
export const localLimits = {
  /** Packages read at the same time: enough to hide the latency of a disk, few enough to bound memory. */
  hintsConcurrentMax: 8,
  /** Tries before a hint becomes a dead letter, the waits doubling from `retryMillisecondsMin`: about 6 s in all. */
  hintTriesMax: 6,
  retryMillisecondsMin: 200,
  /** A file that was written to less than this ago is probably still being copied. */
  settleMilliseconds: 500,
  /** A repository is summarized once its rows have been quiet for this long … */
  debounceQuietMilliseconds: 1_000,
  /** … but at the latest this long after its first change. */
  debounceMilliseconds: 10_000,
} as const;
