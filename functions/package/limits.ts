const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;

/** Limits for reading one package. */
export const packageLimits = {
  /** The first range. The compressed metadata takes 8 KB (median) to 12 KB (90th percentile) in 389 real packages. */
  firstRangeBytes: 16 * kibibyte,
  /** A package up to this size is read in one request; otherwise checking its end would take a second one. */
  wholeBytesMax: 22 * kibibyte,
  /** Each window is this many times the one before, so that a package of any size takes few requests. */
  rangeGrowthFactor: 4,
  /** Windows that are decompressed synchronously before streams take over: 64 KiB, a few milliseconds at most. */
  windowsAtOnceMax: 2,
  /**
   * Bytes of these windows that are inflated before the metadata in them are parsed. Inflating is most of the work, and half of all
   * packages have their metadata in the first 8 KiB.
   */
  inflatedAtOnceBytes: 4 * kibibyte,
  /** The largest range: limits the memory that one request takes. */
  rangeBytesMax: 4 * mebibyte,
  /**
   * Compressed bytes until all metadata has been read. Compressed data can be of any length without any output (a name in a gzip
   * header, a skippable zstd frame, empty blocks).
   */
  compressedBytesMax: 32 * mebibyte,
  /** All metadata files with their headers. The largest real +CONTENTS is 304 KB, the largest made one 1.4 MB. */
  metadataBytesMax: 16 * mebibyte,
  /** One metadata file. A +CONTENTS of 8 MB lists about 100,000 files. */
  metadataFileBytesMax: 8 * mebibyte,
  /**
   * +COMMENT, +DESC, +BUILD_INFO or +SIZE_PKG. Their lines become lines of the record, which is limited to 350 KiB: rendering 8 MB
   * of empty lines took a gigabyte of memory. The largest real one has 8 KB.
   */
  textFileBytesMax: 1 * mebibyte,
  /** Entries before the first payload file. There are 15 metadata names; those that we do not read may come more than once. */
  metadataEntriesMax: 64,
  /** A pax header, or a long name of GNU tar. libarchive has the same limit. */
  extendedHeaderBytesMax: 1 * mebibyte,
  /** Layers of compression around an archive. libarchive has the same limit. */
  layersMax: 25,
  /** Streams or frames in one layer, most of which need a new decoder. pbzip2 writes one per 900 KB. */
  streamsMax: 1_000,
  /**
   * Members of gzip, which need a new decoder too. bgzip writes one per 64 KB. More than fit into the windows that are inflated
   * synchronously, where they are not counted.
   */
  gzipMembersMax: 4_000,
  /** Blocks in an xz stream, each of which takes some steps. xz writes one per 24 MB, or any number on request. */
  xzBlocksMax: 10_000,
  /** Inflated bytes per compressed byte, checked after `ratioFreeBytes`. Text reaches about 30, a bomb 1,000. */
  compressionRatioMax: 256,
  ratioFreeBytes: 1 * mebibyte,
  /**
   * pkg_info inflates 64 KiB at a time (libarchive), so it refuses a package that is truncated within this distance after its
   * metadata. We read this far too where the end of the package is near.
   */
  lookAheadBytes: 64 * kibibyte,
  /** The name of a member in the ar archive of a signed package: a file name. */
  arNameBytesMax: 1_024,
} as const;
