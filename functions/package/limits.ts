const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;

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
} as const;
