const kibibyte = 1024;

/** One record in the table and in the index. */
export const recordLimits = {
  /** A DynamoDB item holds 400 KB; the rest is for the other attributes. The largest real record is 54 KB. */
  recordBytesMax: 350 * kibibyte,
  /** pkgin reads its database of installed packages in lines of 8,192 bytes: one longer breaks every later command. */
  lineBytesMax: 8_190,
  /** A row keeps this much of a reason. */
  reasonCharactersMax: 1_000,
} as const;
