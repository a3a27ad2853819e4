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
  /** One HTTP request of it, as a client of the repository. */
  smokeRequestMillisecondsMax: 10_000,
  /** One attempt of a request to AWS. The functions' code, 2 MB, may go up over a slow line. */
  requestMillisecondsMax: 60_000,
} as const;
