const kibibyte = 1024;

/** Limits for one record in the table and in the index. */
export const recordLimits = {
  /** A DynamoDB item holds 400 KB; the rest is for the other attributes. The largest real record has 54 KB. */
  recordBytesMax: 350 * kibibyte,
  /** pkgin reads its database of installed packages in lines of 8,192 bytes; a longer one breaks every later command. */
  lineBytesMax: 8_190,
  /** The part of a reason that a row stores. */
  reasonCharactersMax: 1_000,
} as const;
