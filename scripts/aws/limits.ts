/** The commands for a stack. */
export const commandLimits = {
  /** Between two checks of something in progress: soon at first, then less often. */
  pollMillisecondsMin: 1_000,
  pollMillisecondsMax: 5_000,
  /** CloudFormation needs seconds to compare two templates. */
  changeSetMillisecondsMax: 300_000,
  /** The largest template in a request to CloudFormation; it fetches larger ones from S3. */
  templateBytesMax: 51_200,
  /** Checks without any news after which the status of a stack counts as its last one. */
  quietRoundsMax: 10,
  /** S3 tests the queue of a new rule, and the queue's policy may need a minute to take effect. */
  destinationTriesMax: 7,
  destinationRetryMilliseconds: 10_000,
  /** An invocation lasts at most 15 minutes; one more for the request itself. */
  invocationMillisecondsMax: 960_000,
  /** How much of a property's old and new value is shown. */
  shownCharactersMax: 60,
  /** A queue's counts are approximate and late: it counts as empty after this many empty checks in a row. */
  emptyChecksMin: 3,
  /** Messages in one request (SQS). */
  messagesPerRequestMax: 10,
  /** How long `redrive` hides the messages that it works on from other readers. */
  redriveSeconds: 300,
  /** How many dead hints `explain` reads at most, and for how long it hides them from others. */
  deadHintsReadMax: 200,
  peekSeconds: 5,
  /** A queue whose counts do not change for this long is stuck: a hint that failed returns after 421 s. */
  stuckMillisecondsMax: 900_000,
  /** One way of a smoke test, there or back: S3 may need 5 minutes until it sends events. */
  smokeSecondsDefault: 360,
  smokeSecondsMax: 3_600,
  /** Between two checks of a smoke test: the resolution of the latencies that it prints. */
  smokePollMilliseconds: 500,
  /** One HTTP request of a smoke test. */
  smokeRequestMillisecondsMax: 10_000,
  /** One attempt of a request to AWS: the code of the functions, 2 MB, over a slow line. */
  requestMillisecondsMax: 60_000,
} as const;
