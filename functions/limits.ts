/**
 * Every limit, with its reason. A limit is reached without harm and refused one past it; both are tested.
 * Units come last in the names.
 */

const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;
const gibibyte = 1024 * mebibyte;

/** Reading one package. */
export const packageLimits = {
  /** The first range read. The compressed bytes before the first payload file: median 8 KB, p90 12 KB (389 real packages). */
  firstRangeBytes: 16 * kibibyte,
  /** The window read so far grows by this factor, so that a package of any size costs a handful of requests. */
  rangeGrowthFactor: 4,
  /** The largest single range read: bounds the memory of one read. */
  rangeBytesMax: 4 * mebibyte,
  /** All metadata files with their headers. The largest real +CONTENTS is 304 KB, the largest made one 1.4 MB. */
  metadataBytesMax: 16 * mebibyte,
  /** One metadata file. A +CONTENTS of 8 MB lists about 100,000 files. */
  metadataFileBytesMax: 8 * mebibyte,
  /** Entries before the first payload file. There are 15 metadata names; a payload may repeat the ones that are not read. */
  metadataEntriesMax: 64,
  /** Inflated bytes per compressed byte, once more than `ratioFreeBytes` have been inflated. Text reaches about 30; bombs 1,000. */
  compressionRatioMax: 256,
  ratioFreeBytes: 1 * mebibyte,
  /**
   * pkg_info reads 64 KiB of inflated data at a time (libarchive's filters), so a package that is cut within the block that
   * holds its last metadata file is refused by it. We inflate this far beyond the metadata where the package ends nearby.
   */
  lookAheadBytes: 64 * kibibyte,
  /** Members of a signed package's ar archive: +PKG_HASH, a signature, the package. */
  arMembersMax: 3,
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

/** The HTTP server that serves a directory on one machine. */
export const serverLimits = {
  /**
   * Open connections; one more is closed at once. A thousand idle ones leave room for another thousand (20 KB each), and
   * an idle one is gone after `headersMilliseconds` or `idleMilliseconds`.
   */
  connectionsMax: 2_048,
  /** Requests on one connection before it is closed: bounds what a client can pipeline. A large pkgin upgrade needs a few hundred. */
  connectionRequestsMax: 1_000,
  /** From the connection to the end of a request's header. */
  headersMilliseconds: 10_000,
  /** A connection without a request is kept this long for the next one. */
  idleMilliseconds: 10_000,
  /** Request line and header together. Clients send less than 1 KiB; browsers with cookies a few. */
  headerBytesMax: 16 * kibibyte,
  /** Header fields of a request. Browsers send about 20. */
  headerFieldsMax: 100,
  /** A request's path and query: room for the longest key with every byte percent-encoded. */
  targetBytesMax: 4 * kibibyte,
  /** A key, as on S3, so that a directory can become a bucket. */
  keyBytesMax: 1_024,
  /** One part of a key: NAME_MAX of every file system in use. */
  keyPartBytesMax: 255,
  /** One upload. The largest pkgsrc packages (TeX, games, LLVM) are 1 to 2 GiB. */
  uploadBytesMax: 4 * gibibyte,
  /** Uploads at the same time: each holds a file open and 64 KiB. One more is told to come back. */
  uploadsMax: 64,
  /**
   * A client that takes longer than `progressMilliseconds` to send, or to take, `progressBytes` is cut off: 1 KiB/s, a
   * modem. There is no limit on the time in all, so a large package over a slow line gets through.
   */
  progressBytes: 64 * kibibyte,
  progressMilliseconds: 60_000,
  /** A refused upload's bytes are read and dropped this long, so that the client gets to read why (else it sees a reset). */
  lingerMilliseconds: 2_000,
  /** Shutting down, transfers that are under way may take this long to finish. */
  closeMilliseconds: 10_000,
  /** Directory pages being made or sent at the same time: one of 20,000 files takes 4 MB. One more is told to come back. */
  pagesMax: 16,
  /** Entries of one directory page. The largest pkgsrc repositories have about 30,000 packages. */
  pageEntriesMax: 200_000,
  /** Entries whose size and date are looked up at the same time: keeps four threads busy and the event loop free in between. */
  pageBatchEntries: 64,
  /** What a directory page shows of a README.txt. */
  readmeBytesMax: 64 * kibibyte,
} as const;
