/** The deployment on AWS: limits of queues, functions, streams and caches. */
export const deploymentLimits = {
  /** The stack's name begins the names of functions (64 characters at most) and, by default, of the bucket (63: `-ACCOUNT-REGION`). */
  stackNameCharactersMax: 32,
  /** S3 allows 100 notification rules a bucket (user guide, "Amazon S3 service quotas"). */
  notificationRulesMax: 100,
  /** All inline policies of a role together, without white space (IAM user guide, "IAM and AWS STS quotas"). */
  rolePolicyCharactersMax: 10_240,
  /** The longest batching window of Lambda. */
  debounceSecondsMax: 300,
  /** How long a change of a row waits for others, by default. */
  debounceSecondsDefault: 10,

  /** Hints in a batch: few enough to read the largest packages within the function's time. */
  hintBatchSize: 10,
  /** How long extract waits for a full batch; less where the debounce is less. */
  hintBatchWindowSeconds: 1,
  /** Batches at the same time. A new account may run ten functions at the same time: this leaves room for summarize. */
  extractConcurrentMax: 5,
  /** More than `extractLimits.readMillisecondsMax`, so that extract can report a slow store. */
  extractTimeoutSeconds: 70,
  /** Ten packages at the same time, each with its metadata (at most 16 MB) and ranges. */
  extractMemoryMegabytes: 1024,
  /** A queue's visibility timeout, in timeouts of its function: Lambda's advice, for retries of a throttled batch. */
  visibilityTimeoutsMin: 6,
  /** Deliveries of one hint before it becomes a dead letter: with fewer, a throttled function would look like a bad hint (Lambda guide). */
  hintDeliveriesMax: 5,
  /** SQS's longest retention, so that a dead letter can still be sent back after a holiday. */
  deadLetterDays: 14,

  /** Changes in a batch, so that a burst of any size is one publication: keys only, about 0.3 KB each; Lambda takes 6 MB. */
  changeBatchSize: 10_000,
  /** The same without a debounce, for which Lambda demands small batches. */
  changeBatchSizeUnbuffered: 100,
  /** Attempts for one batch of changes. By default they never end, and one bad batch would block all later ones. */
  changeTriesMax: 20,
  /** … and its age at most (the stream keeps 24 h); the daily reindex repairs what was lost. */
  changeAgeSecondsMax: 3_600,
  /** 20 passes over all of 27,000 packages: about 8 s each to query, compress and put. */
  summarizeTimeoutSeconds: 300,
  /** One virtual processor (Lambda guide: at 1,769 MB): compression takes most of the time of a summary of all rows. */
  summarizeMemoryMegabytes: 1769,

  /** Lambda's longest timeout. A reindex that needs more continues in another invocation. */
  reindexTimeoutSeconds: 900,
  reindexMemoryMegabytes: 1024,

  /** Twice as long as any queue keeps a message. */
  logDays: 30,
  /** Parts of an upload that was never completed cost storage, and no listing shows them. */
  incompleteUploadDays: 7,
  /** In a new bucket whose owner turns versioning on: a publication leaves a version of each index, up to 8,640 times a day. */
  noncurrentVersionDays: 30,

  /** A hint of this age has failed at least twice, or extract is too slow. */
  hintAgeAlarmSeconds: 900,
  /** Changes of this age mean that summarize keeps failing. */
  changeAgeAlarmSeconds: 900,

  /**
   * How long CloudFront serves a package without asking S3 whether it changed. Longer would save little (S3 answers 304, without the
   * bytes), and would serve a replaced package beside the new index.
   */
  packageCacheSeconds: 60,
  /** The longest Cache-Control of an uploader that counts: a year. */
  packageCacheSecondsMax: 31_536_000,
  /** CloudFront asks for the index at every request, whatever its Cache-Control (0 would switch the cache off). */
  indexCacheSecondsMax: 1,
} as const;
