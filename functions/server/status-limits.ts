const kibibyte = 1024;

export const statusLimits = {
  /** A request to retry is one key in a few words of JSON. */
  retryBytesMax: 4 * kibibyte,
} as const;
