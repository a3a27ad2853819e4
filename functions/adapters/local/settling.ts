/**
 * Whether a file is still being written. Nothing says so: a copy that stalls looks like one that has ended. So a file counts as
 * settled once its size and times have stood still for a while:
 *
 *     last change ──── settleMilliseconds ────▶ settled
 *     last change ──── settleMilliseconds ──▶ the tail shows that the copy is not at its end ──── tailMilliseconds ────▶ settled
 *
 * A whole gzip file ends in the length of what it holds, a multiple of 512 for a tar archive. Bytes behind the archive and several
 * gzip members break that rule, too: so the tail can only prolong the wait, and the reader decides in the end.
 */

import type { Clock, ETag, ObjectKey } from '../../ports.ts';

export const settlingLimits = {
  /** A copy over a network often pauses for a second, seldom for two. `--settle` changes it; 0: files are read at once. */
  settleMilliseconds: 2_000,
  /** How much longer the wait for a file with the tail of an unfinished copy is: a connection that stalls this long is cut. */
  tailMilliseconds: 60_000,
} as const;

/** A file as it is now. */
export interface SettlingFile {
  readonly etag: ETag;
  /** The change time (ctime): unlike the modification time, it cannot be set. */
  readonly changedAt: Date;
  /** False where the file's end shows that more of it is to come. It is read only when that decides. */
  isTailWhole(): Promise<boolean>;
}

interface Seen {
  /** Undefined after an event: what the file is now was not read yet. */
  readonly etag: ETag | undefined;
  /** Since when it stands still, in milliseconds since 1970. */
  readonly since: number;
  /** When it was last checked, or heard of. */
  readonly at: number;
}

export class Settling {
  readonly #clock: Clock;
  readonly #settleMilliseconds: number;
  /** Files that have not settled. */
  readonly #seen = new Map<ObjectKey, Seen>();
  /** Files that need not settle, and were not checked yet. */
  readonly #complete = new Map<ObjectKey, ETag>();

  constructor({ clock, settleMilliseconds }: { readonly clock: Clock; readonly settleMilliseconds: number }) {
    this.#clock = clock;
    this.#settleMilliseconds = settleMilliseconds;
  }

  /** This version of the file is complete: it needs no time to settle. */
  isComplete(key: ObjectKey, etag: ETag): void {
    this.#complete.set(key, etag);
  }

  /** Something happened to the file just now. */
  heard(key: ObjectKey): void {
    const now = this.#now();
    this.#seen.set(key, { etag: undefined, since: now, at: now });
  }

  /**
   * After how many milliseconds to check again. 0: it has settled, and is forgotten here; or it cannot be read, which extract reports.
   * @param read gives undefined where there is no file: that needs no time.
   */
  async millisecondsLeft(key: ObjectKey, read: () => Promise<SettlingFile | undefined>): Promise<number> {
    // Without a wait, every file is complete when it appears: the operator renames files into their place.
    if (this.#settleMilliseconds === 0) return this.#forget(key);
    try {
      return await this.#millisecondsLeft(key, await read());
    } catch {
      // Not forgotten: its retries need not wait for it to settle once more.
      return 0;
    }
  }

  async #millisecondsLeft(key: ObjectKey, file: SettlingFile | undefined): Promise<number> {
    if (file === undefined || file.etag === this.#complete.get(key)) return this.#forget(key);
    const now = this.#now();
    const since = stillSince(this.#seen.get(key), file, now);
    this.#seen.set(key, { etag: file.etag, since, at: now });

    const settledIn = since + this.#settleMilliseconds - now;
    if (settledIn > 0) return settledIn;
    const decidedIn = settledIn + settlingLimits.tailMilliseconds;
    if (decidedIn <= 0 || (await file.isTailWhole())) return this.#forget(key);
    // If the copy continues without an event, this check notices.
    return Math.min(decidedIn, Math.max(this.#settleMilliseconds, recheckMilliseconds));
  }

  #now(): number {
    return this.#clock.now().getTime();
  }

  #forget(key: ObjectKey): 0 {
    this.#seen.delete(key);
    this.#complete.delete(key);
    return 0;
  }
}

/** How often a file with an unfinished tail is checked at most, where `--settle` is short. */
const recheckMilliseconds = 500;

/**
 * Whether the end of a file can be that of a whole package, as far as gzip tells. An empty file has no end yet.
 * @param read as in ObjectStore; fewer bytes where the file became shorter.
 */
export async function hasWholeTail(
  size: number,
  read: (offset: number, length: number) => Promise<Uint8Array>,
): Promise<boolean> {
  if (size === 0) return false;
  const head = await read(0, gzipMagic.length);
  if (!gzipMagic.every((byte, index) => head[index] === byte)) return true;
  if (size < gzipBytesMin) return false;
  const length = Buffer.from(await read(size - 4, 4));
  return length.length === 4 && length.readUInt32LE() % tarBlockBytes === 0;
}

/** RFC 1952: a header of 10 bytes, an empty block of 2, and a trailer of 8. */
const gzipBytesMin = 20;
const gzipMagic = [0x1f, 0x8b];
const tarBlockBytes = 512;

/**
 * The file's own time says since when it stands still. But it may come from another machine's clock: it counts only where it lies
 * between the last check and now. Of a file that was never seen before, any time that has passed will do.
 */
function stillSince(seen: Seen | undefined, { etag, changedAt }: SettlingFile, now: number): number {
  if (seen?.etag === etag) return seen.since;
  const changed = changedAt.getTime();
  if (changed <= now && changed > (seen?.at ?? Number.NEGATIVE_INFINITY)) return changed;
  return seen !== undefined && seen.etag === undefined ? seen.since : now;
}
