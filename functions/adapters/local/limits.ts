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
