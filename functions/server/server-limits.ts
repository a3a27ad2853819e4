/** The limits of a running server: the command line and tests change some of them. */

export type ServerLimits = { readonly [Name in keyof typeof serverLimits]: number };

const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;
const gibibyte = 1024 * mebibyte;

/** Of the HTTP server that serves a directory on one machine. */
export const serverLimits = {
  /**
   * Open connections; one more is closed at once. A thousand idle ones leave room for another thousand (20 KB each), and
   * an idle one is closed after `headersMilliseconds` or `idleMilliseconds`.
   */
  connectionsMax: 2_048,
  /** Requests on one connection before it is closed: bounds what a client can pipeline. A large pkgin upgrade needs a few hundred. */
  connectionRequestsMax: 1_000,
  /** From the connection to the end of a request's header. */
  headersMilliseconds: 10_000,
  /** How long a connection without a request stays open for the next one. */
  idleMilliseconds: 10_000,
  /** Request line and header together. Clients send less than 1 KiB; browsers with cookies a few. */
  headerBytesMax: 16 * kibibyte,
  /** Header fields of a request. Browsers send about 20. */
  headerFieldsMax: 100,
  /** A request's path and query: room for the longest key with every byte percent-encoded. */
  targetBytesMax: 4 * kibibyte,
  /** A key, as on S3, so that a directory can become a bucket. */
  keyBytesMax: 1_024,
  /** One part of a key: NAME_MAX of every file system in use. */
  keyPartBytesMax: 255,
  /** One upload. The largest pkgsrc packages (TeX, games, LLVM) are 1 to 2 GiB. */
  uploadBytesMax: 4 * gibibyte,
  /** Uploads at the same time: each holds a file open and 64 KiB. One more gets a 503. */
  uploadsMax: 64,
  /**
   * Uploads whose metadata are read at the same time, before they are stored; the others wait. Those of a hostile package take tens of
   * megabytes of memory.
   */
  verdictsMax: 8,
  /**
   * A client that takes longer than `progressMilliseconds` to send, or to read, `progressBytes` is disconnected: 1 KiB/s, a
   * modem. The total time has no limit, so a large package gets through over a slow line.
   */
  progressBytes: 64 * kibibyte,
  progressMilliseconds: 60_000,
  /** How long a refused upload's bytes are read and dropped, so that the client can read why (otherwise it sees a reset). */
  lingerMilliseconds: 2_000,
  /** How long a shutdown waits for transfers that are under way. */
  closeMilliseconds: 10_000,
  /** Directory pages being made or sent at the same time: one of 20,000 files takes 4 MB. One more gets a 503. */
  pagesMax: 16,
  /** Entries of one directory page. The largest pkgsrc repositories have about 30,000 packages. */
  pageEntriesMax: 200_000,
  /** Entries whose size and date are read at the same time: keeps four threads busy and the event loop free in between. */
  pageBatchEntries: 64,
  /** What a directory page shows of a README.txt. */
  readmeBytesMax: 64 * kibibyte,
} as const;
