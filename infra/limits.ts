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
  /** More than `extractLimits.readMillisecondsMax`, so that a slow store is reported and not merely cut off. */
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
