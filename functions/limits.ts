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
  /** A package that is hardly larger is read whole at once: otherwise its end would be looked at by a request of its own. */
  wholeBytesMax: 22 * kibibyte,
  /** The window read so far grows by this factor, so that a package of any size costs a handful of requests. */
  rangeGrowthFactor: 4,
  /** Windows that are decompressed at once, without streams, if the metadata is in them: 64 KiB, some milliseconds at worst. */
  windowsAtOnceMax: 2,
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
  /** Streams or frames that a file is put together from, where each takes a decoder (bzip2, zstd): pbzip2 makes one for 900 KB. */
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

/** The list of links in a repository's page. */
export const pageLimits = {
  /** Lines that are text at a time before they become bytes: all 100,000 of a large list would take some 50 MB of small strings. */
  linesAtOnce: 1_000,
} as const;

/** The functions on AWS. */
export const lambdaLimits = {
  /** Packages that one invocation reads at the same time: each holds a window of its package in memory. */
  extractConcurrentMax: 16,
  /** Repositories that one invocation summarizes at the same time: each holds its indexes in memory. */
  summarizeConcurrentMax: 2,
  /** A reindex that has less time left goes on in a fresh invocation: one batch of hints takes about 3 s. */
  reindexReserveMilliseconds: 60_000,
  /**
   * Invocations of one reindex, each by the one before. Lambda takes 16 in a row for a loop, and stops it (Lambda guide, "recursive
   * loop detection"); these, of 14 minutes each, are enough for millions of packages.
   */
  reindexRoundsMax: 15,
  /** An upload that was seen later than this after it was made was not waiting for us: a bucket is being adopted. */
  uploadAgeMillisecondsMax: 86_400_000,
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
  /** The longest wait between tries of a publication: a disk that was full may have room again. */
  retryMillisecondsMax: 10_000,
  /** `serve` tries dead letters again this often: what is in their way is gone soon, or stays for days. */
  deadLetterMilliseconds: 15_000,
  /** `serve` looks this often whether its directory, its table and its lock are still those that it opened. */
  lossMilliseconds: 1_000,
  /** A signal to stop that comes this soon after another is the same Ctrl-C, by way of npm; nobody presses it twice as fast. */
  sameSignalMilliseconds: 250,
  /** A file that was written to less than this ago is probably still being copied. */
  settleMilliseconds: 500,
  /** The watch tells of a change after this, at the latest: its batches are half a second apart. */
  watchMilliseconds: 1_000,
  /** The watch loses events. So everything is listed once it has told nothing for this long: 30,000 packages take half a second … */
  unseenQuietMilliseconds: 2_000,
  /** … and after this long where something happens all the time. */
  unseenMilliseconds: 30_000,
  /** A repository is summarized once its rows have been quiet for this long … */
  debounceQuietMilliseconds: 1_000,
  /** … but at the latest this long after its first change. */
  debounceMilliseconds: 10_000,
  /** Files whose changes a publication is told of one by one; of more, only that anything may have changed: all rows are read then. */
  changedFilesMax: 5_000,
  /** `serve` compares the directory with the table this often: events get lost on some file systems, and on none for long. */
  reindexMilliseconds: 600_000,
} as const;

/** Indexing many packages at once on one machine. */
export const bulkLimits = {
  /** Fewer hints are followed without threads: one of those takes 0.1 s to begin, in which 300 packages are read. */
  hintsWithoutThreadsMax: 500,
  /** Threads: the table has one writer at a time, and each takes 60 MB. */
  threadsMax: 4,
  /** Hints that a thread is given at a time, whose rows are written together: some 30 ms of work. */
  hintsPerThreadMax: 100,
  /** What a thread collects before it looks for what is done with: with V8's own choice, twice as much memory and no less time. */
  youngMebibytesMax: 4,
} as const;

/** The table on one machine. */
export const tableLimits = {
  /** Rows in memory at a time while a repository's rows are read: 100 of the largest records are 34 MiB. */
  rowsPageMax: 100,
  /** Rows that are written together: each by itself costs ten times as much. A few milliseconds for whoever waits to write, too. */
  batchRowsMax: 200,
  /** Bytes of the records that wait to be written together, before the last one. */
  batchBytesMax: 1 * mebibyte,
  /** How long to wait for another process's write to the table: theirs take milliseconds. */
  busyMillisecondsMax: 5_000,
} as const;

/** Reading events from outside. */
export const eventLimits = {
  /** Lists and messages around one event. An S3 event in SNS in SQS has 4; more than twice that is nobody's pipeline. */
  wrappingsMax: 8,
  /** How much of an unknown event its log line quotes: enough to tell where it comes from. */
  quotedCharactersMax: 60,
  namedPropertiesMax: 12,
} as const;

/** Sending hints to SQS. */
export const queueLimits = {
  /** SendMessageBatch takes this many messages … */
  batchMessagesMax: 10,
  /** … and this many bytes, in one message or in all of them (1 MiB since 2025-08; emulators and older queues: 256 KiB). */
  batchBytesMax: 256 * kibibyte,
  /** Requests under way at once: a reindex of 27,000 packages sends 2,700 batches, each some 10 ms away. */
  batchesConcurrentMax: 8,
  /** Tries of a message that SQS keeps refusing, the waits doubling: 1.5 s in all. The SDK's own retries come on top. */
  sendTriesMax: 5,
  sendRetryMillisecondsMin: 100,
} as const;

/** Dependency patterns: they come from packages, so from anybody, and are resolved in browsers too. */
export const patternLimits = {
  /** pkg_install rewrites a pattern with braces in a buffer of MAXPATHLEN bytes, 1,024 on BSD. The longest of 26,711 real ones has 69. */
  patternCharactersMax: 1_023,
  /** Braces multiply: `{a,b}` twenty times is a million patterns. The most alternatives in 26,711 real patterns are 6. */
  alternativesMax: 1_024,
} as const;

/** Whether the packages of a repository fit together. */
export const consistencyLimits = {
  /**
   * What is kept of all records of a repository at a time: characters, and `factsTextCharacters` for each text that is not there
   * yet, `factsReferenceCharacters` for one that is. 27,699 real packages come to 5 million; past this there is no report, rather
   * than a function that runs out of memory.
   */
  factsCharactersMax: 32 * mebibyte,
  factsTextCharacters: 32,
  factsReferenceCharacters: 8,
} as const;

/** The deployment on AWS: what infra/ gives to queues, functions and streams. */
export const deploymentLimits = {
  /** The stack's name begins the names of functions (64 characters at most) and, by default, of the bucket (63: `-ACCOUNT-REGION`). */
  stackNameCharactersMax: 32,
  /** S3 takes 100 notification rules a bucket (user guide, "Amazon S3 service quotas"); each prefix costs one per event and suffix. */
  notificationRulesMax: 100,
  /** A batching window of Lambda is 300 s at most. */
  debounceSecondsMax: 300,
  /** What a change of a row waits for its neighbours, unless told otherwise. */
  debounceSecondsDefault: 10,

  /** One batch of hints: few enough that a whole batch of the largest packages is read before the function's time runs out. */
  hintBatchSize: 10,
  /** A burst of uploads arrives as full batches for this price in latency; less where the debounce is less. */
  hintBatchWindowSeconds: 1,
  /** Batches read at once. A new account may run ten functions at once in all: summarize must find room beside these. */
  extractConcurrentMax: 5,
  /** More than `packageLimits.readMillisecondsMax`, so that a slow store is reported and not merely cut off. */
  extractTimeoutSeconds: 70,
  /** Ten packages at once with their metadata (16 MB at most each) and ranges. */
  extractMemoryMegabytes: 1024,
  /** Lambda's advice for a queue's visibility timeout, in timeouts of its function: room for throttled tries of one batch. */
  visibilityTimeoutsMin: 6,
  /** Deliveries of one hint before it becomes a dead letter: fewer would take a throttled function for a bad hint (Lambda guide). */
  hintDeliveriesMax: 5,
  /** Dead letters are kept as long as SQS can (14 days), so that one found after a holiday can still be sent back. */
  deadLetterDays: 14,

  /** Rows of one window in one batch, so that a burst of any size is one publication: keys only, about 0.3 KB each, 6 MB at most. */
  changeBatchSize: 10_000,
  /** The same without a window, where Lambda wants small batches. */
  changeBatchSizeUnbuffered: 100,
  /** Tries of one batch of changes; endless is the default, and one bad batch would then hold up all that come behind it. */
  changeTriesMax: 20,
  /** … and the age at which it is given up (the stream itself forgets after 24 h); the daily reindex repairs what was lost. */
  changeAgeSecondsMax: 3_600,
  /** 20 passes over all of 27,000 packages: about 8 s each to query, compress and put. */
  summarizeTimeoutSeconds: 300,
  /** One whole virtual processor (Lambda: at 1,769 MB): a summary of all rows takes its time in compressing. */
  summarizeMemoryMegabytes: 1769,

  /** The longest that Lambda gives: reindex lists as far as it gets and then continues itself. */
  reindexTimeoutSeconds: 900,
  reindexMemoryMegabytes: 1024,

  /** Logs older than this have outlived every queue here twice. */
  logDays: 30,
  /** Parts of an upload that was never completed cost storage and can be seen by nobody. */
  incompleteUploadDays: 7,

  /** A hint this old has failed at least twice, or extract does not keep up. */
  hintAgeAlarmSeconds: 900,
  /** Changes that have waited this long for summarize: it fails again and again. */
  changeAgeAlarmSeconds: 900,

  /**
   * How long an edge may serve a package without asking S3 whether it is still the same. Longer would save little (an unchanged
   * package is answered by 304, without its bytes) and would serve a replaced package after the index has moved on.
   */
  packageCacheSeconds: 60,
  /** … unless its uploader said so with a Cache-Control: at most a year. */
  packageCacheSecondsMax: 31_536_000,
  /** The index is asked for again at every request, whatever its Cache-Control says (0 here would switch CloudFront's cache off). */
  indexCacheSecondsMax: 1,
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

/** What `serve` remembers and tells of itself at `/-/status`. */
export const statusLimits = {
  /** Publications that are remembered: an hour of one a minute, and what a small chart can show. */
  publicationsMax: 60,
  /** Changes whose way into the index is timed at the same time: more is an adoption, which says nothing of uploads. */
  timedChangesMax: 10_000,
  /** Findings of each kind, and packages of each finding, that are told; `check` tells all. */
  findingsMax: 100,
  findingPackagesMax: 10,
  /** How long a repository is quiet after a publication before it is looked through: 2.4 s of one core for 27,699 packages … */
  surveyQuietMilliseconds: 2_000,
  /** … and how long after the first one where it is never quiet. */
  surveyMilliseconds: 60_000,
  /** The thread that does it ends after this much rest: nobody looks, and nothing changes. Beginning anew takes 0.1 s. */
  surveyRestMilliseconds: 10_000,
  /** Its memory, new and old. 27,699 packages take 150 MB; without bounds V8 would let 500 MB come together before it cleans up. */
  surveyYoungMegabytes: 8,
  surveyOldMegabytes: 384,
  /** A request for another try is one key in a few words of JSON. */
  retryBytesMax: 4 * kibibyte,
} as const;

/** The commands that deploy, ask and try out a stack. */
export const commandLimits = {
  /** Between two looks at something that is under way: soon at first, then less and less often. */
  pollMillisecondsMin: 1_000,
  pollMillisecondsMax: 5_000,
  /** CloudFormation takes seconds to compare two templates. */
  changeSetMillisecondsMax: 300_000,
  /** CloudFormation takes templates of so many bytes with the request; larger ones it fetches from S3. */
  templateBytesMax: 51_200,
  /** Looks at a stack that shows no news before its status is believed to be the one to wait for. */
  quietRoundsMax: 10,
  /** S3 tests the queue before it takes a rule for it, and the queue's policy may take a minute to be known everywhere. */
  destinationTriesMax: 7,
  destinationRetryMilliseconds: 10_000,
  /** An invocation lasts 15 minutes at most; a minute for the way. */
  invocationMillisecondsMax: 960_000,
  /** How much of a property's old and new value a line shows. */
  shownCharactersMax: 60,
  /** A queue's counts are approximate and late: it is empty when so many looks in a row found nothing. */
  emptyLooksMin: 3,
  /** A queue that has not moved for so long is stuck: a hint that failed comes back after 421 s. */
  stuckMillisecondsMax: 900_000,
  /** What one way of a smoke test, there or back, may take unless told otherwise: S3 may need 5 minutes to begin to send events. */
  smokeSecondsDefault: 360,
  smokeSecondsMax: 3_600,
  /** Between two looks of a smoke test: the latency that it tells is no finer than this. */
  smokePollMilliseconds: 500,
  /** One HTTP request of it. */
  requestMillisecondsMax: 10_000,
} as const;
