const kibibyte = 1024;

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
