/**
 * The lease of a store: an object that says which process indexes it. Run numbers are in that process's own table, so two of them
 * would publish over each other.
 *
 *     take: absent or released ─▶ put ─▶ ours ── every interval: renew ──▶ release
 *           another's  ── watch it ─┬─ it is renewed: refused
 *                                   └─ it stands still: its process was killed, take it over
 *
 * No two clocks are compared: whether a lease is alive is seen by watching it. Its holder stops writing before another can have
 * watched it for long enough.
 */

import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { CannotRun, failureSentence } from '../../failures.ts';
import { type Clock, type ETag, ObjectChanged, type ObjectStore } from '../../ports.ts';
import { printable } from '../../wording.ts';
import { DirectoryInUse } from '../local/directory-lock.ts';

export const leaseLimits = {
  /** How often it is renewed: a second process is refused within this time. A busy store takes seconds for it. */
  intervalMilliseconds: 5_000,
  /** A holder that could not renew for so long writes nothing more … */
  heldMilliseconds: 12_000,
  /** … and one that has not renewed for so long counts as dead. */
  deadMilliseconds: 15_000,
  /** How often another process's lease is read. */
  watchMilliseconds: 1_000,
  /** How long after a renewal that failed the next one comes. */
  retryMilliseconds: 2_000,
  /** Without conditional puts, how long after its first put a lease is read again: two that start at once both put it. */
  doubtMilliseconds: 2_000,
  /** What is read of a lease, which any program may have written. */
  bytesMax: 4_096,
} as const;

export const leaseKey = '.indexer/lease';

export interface LeaseOptions {
  readonly objects: Pick<ObjectStore, 'head' | 'readRange' | 'put' | 'delete'>;
  /** `s3://bucket/prefix`, for messages. */
  readonly name: string;
  /** The same for each process that has this table: then an old lease of that name is one of a process that was killed. */
  readonly holder: string;
  /** False: a put may succeed although another one came first. */
  readonly isPutConditional: boolean;
  readonly clock: Clock;
  /** Milliseconds that only grow, whatever happens to the clock. */
  readonly monotonic?: () => number;
  readonly onNotice: (sentence: string) => void;
}

interface Written {
  readonly holder: string;
  readonly host: string;
  readonly pid: number;
  readonly since: string;
  readonly renewals: number;
}

/** The lease is not ours any more. */
class LeaseLost extends CannotRun {
  override readonly name = 'LeaseLost';
}

export class Lease {
  readonly #options: LeaseOptions;
  readonly #monotonic: () => number;
  readonly #written: { -readonly [Name in keyof Written]: Written[Name] };
  readonly #released = new AbortController();
  #etag: ETag | undefined;
  #renewedAt = 0;
  #isTaken = false;
  #renewing: Promise<void> = Promise.resolve();

  /** @throws {DirectoryInUse} where another process holds it. */
  static async take(options: LeaseOptions): Promise<Lease> {
    const lease = new Lease(options);
    await lease.#take();
    lease.#renewing = lease.#renewAgainAndAgain();
    return lease;
  }

  private constructor(options: LeaseOptions) {
    const { holder, clock, monotonic = () => performance.now() } = options;
    this.#options = options;
    this.#monotonic = monotonic;
    this.#written = { holder, host: hostname(), pid: process.pid, since: clock.now().toISOString(), renewals: 0 };
  }

  /** Another process took it over. */
  get isTaken(): boolean {
    return this.#isTaken;
  }

  /** @throws {LeaseLost} once another process may write. */
  permitWrite(): void {
    const { name } = this.#options;
    if (this.#isTaken) throw new LeaseLost(`another indexer took over ${name}`);
    const age = this.#monotonic() - this.#renewedAt;
    if (age > leaseLimits.heldMilliseconds)
      throw new LeaseLost(`the lease of ${name} could not be renewed for ${Math.round(age / 1_000)} seconds`);
  }

  /** Lets the next process start at once. */
  async release(): Promise<void> {
    this.#released.abort();
    await this.#renewing;
    const { objects } = this.#options;
    if (this.#isTaken) return;
    try {
      if ((await objects.head(leaseKey))?.etag === this.#etag) await objects.delete(leaseKey);
    } catch {
      // The store is away: the next process finds that it is not renewed.
    }
  }

  async #take(): Promise<void> {
    const { objects, name, holder, clock, onNotice, isPutConditional } = this.#options;
    let watched: { readonly etag: ETag; readonly since: number } | undefined;
    for (;;) {
      const head = await objects.head(leaseKey);
      const found = head && (await this.#read(head.etag, head.size));
      if (head !== undefined && found?.holder !== holder) {
        if (watched !== undefined && watched.etag !== head.etag) throw new DirectoryInUse(name, whoOf(found));
        if (watched === undefined) {
          watched = { etag: head.etag, since: this.#monotonic() };
          onNotice(
            `${name} was indexed by process ${whoOf(found)}: waiting to see whether that process is still running`,
          );
        }
        if (this.#monotonic() - watched.since < leaseLimits.deadMilliseconds) {
          await clock.sleep(leaseLimits.watchMilliseconds);
          continue;
        }
      }
      if (!(await this.#put(head?.etag))) {
        // Another process put one: it is not the one that was watched.
        watched ??= { etag: '', since: this.#monotonic() };
        continue;
      }
      if (!isPutConditional) {
        await clock.sleep(leaseLimits.doubtMilliseconds);
        if ((await objects.head(leaseKey))?.etag !== this.#etag) throw new DirectoryInUse(name, whoOf(undefined));
      }
      return;
    }
  }

  async #renewAgainAndAgain(): Promise<void> {
    const { clock, onNotice, name } = this.#options;
    let wait: number = leaseLimits.intervalMilliseconds;
    let isReported = false;
    for (;;) {
      await clock.sleep(wait, this.#released.signal);
      if (this.#released.signal.aborted || this.#isTaken) return;
      try {
        await this.#renew();
        if (isReported) onNotice(`renewed the lease of ${name}`);
        [wait, isReported] = [leaseLimits.intervalMilliseconds, false];
      } catch (error) {
        const sentence = failureSentence(error) ?? String(error);
        if (!isReported) onNotice(`cannot renew the lease of ${name}, so nothing is written: ${sentence}; will retry`);
        [wait, isReported] = [leaseLimits.retryMilliseconds, true];
      }
    }
  }

  async #renew(): Promise<void> {
    if (await this.#put(this.#etag)) return;
    const head = await this.#options.objects.head(leaseKey);
    const found = head && (await this.#read(head.etag, head.size));
    // The answer to an earlier put of ours was lost, or another program removed the lease.
    if (head === undefined || found?.holder === this.#written.holder) await this.#put(head?.etag);
    else this.#isTaken = true;
  }

  /** @returns whether it took effect. */
  async #put(old: ETag | undefined): Promise<boolean> {
    const { objects, clock } = this.#options;
    // Before the request: its effect may be seen from then on.
    const startedAt = this.#monotonic();
    this.#written.renewals += 1;
    const text = `${JSON.stringify({ ...this.#written, renewedAt: clock.now().toISOString() }, undefined, 2)}\n`;
    const outcome = await objects.put(leaseKey, Buffer.from(text), {
      condition: old === undefined ? { ifNoneMatch: '*' } : { ifMatch: old },
      metadata: {},
      contentType: 'application/json',
      cacheControl: 'no-store',
      lastModified: clock.now(),
    });
    if (outcome.outcome === 'lost-race') return false;
    this.#etag = outcome.etag;
    this.#renewedAt = startedAt;
    return true;
  }

  async #read(etag: ETag, size: number): Promise<Partial<Written> | undefined> {
    try {
      const length = Math.min(size, leaseLimits.bytesMax);
      const bytes = await this.#options.objects.readRange(leaseKey, etag, 0, length);
      const value: unknown = JSON.parse(Buffer.from(bytes).toString());
      return typeof value === 'object' && value !== null ? value : undefined;
    } catch (error) {
      if (error instanceof SyntaxError || error instanceof ObjectChanged) return undefined;
      throw error;
    }
  }
}

/** Any program that may write to the bucket may have written it. */
function whoOf(found: Partial<Written> | undefined): string {
  const { host, pid, since } = found ?? {};
  const text = (value: unknown) => printable(String(value ?? 'unknown').slice(0, 100));
  return `${text(pid)} on ${text(host)}, since ${text(since)}`;
}

/** A name for the holder of leases that a table has. */
export function newHolder(): string {
  return randomUUID();
}
