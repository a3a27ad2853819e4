/** The bucket of a simulation, and what users, other programs and operators do in it. */

import { hash } from 'node:crypto';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { metadataOf } from '../../functions/index/index-heads.ts';
import { joinKey, splitKey } from '../../functions/keys.ts';
import { pageFile } from '../../functions/page/page.ts';
import type { MemoryObject, MemoryObjects } from '../adapters/memory-objects.ts';
import { Dice } from '../dice.ts';
import type { Invariants } from './invariants.ts';
import type { MadePackage } from './made-packages.ts';
import type { DeedOf } from './plan.ts';
import { rebuilt } from './rebuild.ts';

export interface SimulatedBucketOptions {
  readonly objects: MemoryObjects;
  /** By ETag. */
  readonly uploaded: Map<string, MadePackage>;
  readonly invariants: Invariants;
  readonly seed: number;
  readonly blockBytes: number;
  readonly now: () => Date;
  /** A package changed: the bucket sends a hint. */
  readonly tell: (id: string, key: string) => void;
}

export class SimulatedBucket {
  readonly objects: MemoryObjects;
  readonly uploaded: Map<string, MadePackage>;
  /** Indexes and pages of ours, as they were published, by key. */
  readonly published = new Map<string, MemoryObject[]>();
  readonly #options: SimulatedBucketOptions;

  constructor(options: SimulatedBucketOptions) {
    this.objects = options.objects;
    this.uploaded = options.uploaded;
    this.#options = options;
  }

  /** Keeps what was just published under this key. */
  notePublished(key: string): void {
    const object = this.objects.objects.get(key);
    if (object !== undefined) this.published.set(key, [...(this.published.get(key) ?? []), object]);
  }

  rename({ id, key, to }: DeedOf<'rename'>): void {
    const made = this.uploaded.get(this.objects.objects.get(key)?.etag ?? '');
    if (made === undefined || to === key) return;
    this.upload(to, made);
    this.#options.tell(`${id} to`, to);
    this.delete(id, key);
  }

  vanish({ id, repository }: DeedOf<'vanish'>): void {
    for (const key of [...this.objects.objects.keys()]) {
      if (splitKey(key).repository !== repository) continue;
      if (key.endsWith('.tgz')) this.delete(`${id} ${key}`, key);
      else this.objects.objects.delete(key);
      this.#options.invariants.objectGone(key);
    }
  }

  /** A copy with all that the store knows; where it is one of the repository itself, of what was last published there. */
  comeBack({ id, repository, of }: DeedOf<'return'>): void {
    for (const [key, object] of [...this.objects.objects]) {
      const { repository: holder, file } = splitKey(key);
      const made = this.uploaded.get(object.etag);
      if (holder !== of || made === undefined || of === repository) continue;
      this.upload(joinKey(repository, file), made);
      this.#options.tell(`${id} ${file}`, joinKey(repository, file));
    }
    for (const file of ['pkg_summary.gz', 'pkg_summary.zst'])
      this.#copyIndex(joinKey(of, file), joinKey(repository, file));
  }

  #copyIndex(from: string, to: string): void {
    const original = this.objects.objects.get(from) ?? this.published.get(from)?.at(-1);
    if (original === undefined) return;
    this.objects.upload(to, original.body, this.#options.now());
    const now = this.objects.objects.get(to);
    if (now !== undefined) this.objects.objects.set(to, { ...now, metadata: original.metadata });
    // What was copied may have been a copy.
    const { repository } = splitKey(to);
    const isOfThis = original.metadata['repository-sha256'] === hash('sha256', repository);
    this.#options.invariants.foreignIndexPut(to, isOfThis ? repository : splitKey(from).repository);
  }

  putForeignIndex({ id, repository, file, by }: DeedOf<'foreign-index'>): void {
    const key = joinKey(repository, file);
    if (by === 'another repository of ours') {
      const other = [...this.published.keys()].find((each) => each.endsWith(`/${file}`) && each !== key);
      this.#copyIndex(other ?? key, key);
      return;
    }
    const published = this.published.get(key) ?? [];
    const older = new Dice(this.#options.seed, id).integer(0, published.length);
    const old = by === 'a copy of ours' ? published.at(-1) : published[older];
    const before = this.objects.objects.get(key)?.etag;
    this.objects.upload(
      key,
      by === 'others' || old === undefined ? Buffer.from('not ours') : old.body,
      this.#options.now(),
    );
    const now = this.objects.objects.get(key);
    const isVersion = by === 'a version of ours' && old !== undefined && now !== undefined;
    if (isVersion) this.objects.objects.set(key, { ...now, metadata: old.metadata });
    // An ETag of the content does not tell equal bytes from those that were there.
    const isOfThis = isVersion || now?.etag === before;
    this.#options.invariants.foreignIndexPut(key, isOfThis ? repository : undefined);
  }

  putForeignPage({ id, repository, by }: DeedOf<'foreign-page'>): void {
    const key = joinKey(repository, pageFile);
    const published = this.published.get(key) ?? [];
    const old = published[new Dice(this.#options.seed, id).integer(0, published.length)];
    if (by === 'nobody') this.objects.objects.delete(key);
    else if (by === 'others' || old === undefined)
      this.objects.upload(key, Buffer.from('not ours'), this.#options.now());
    else if (by === 'another version of ours')
      this.objects.upload(key, ofAnotherVersion(old.body), this.#options.now());
    else this.objects.upload(key, old.body, this.#options.now());
    const now = this.objects.objects.get(key);
    if (by === 'a version of ours' && old !== undefined && now !== undefined)
      this.objects.objects.set(key, { ...now, metadata: old.metadata });
    const isForeign = by === 'others' || (by !== 'nobody' && old === undefined);
    this.#options.invariants.pagePut(key, isForeign ? now?.body : undefined);
  }

  upload(key: string, made: MadePackage): void {
    this.uploaded.set(this.objects.upload(key, made.bytes, this.#options.now()), made);
    this.#options.invariants.packageChanged(key);
  }

  delete(id: string, key: string): void {
    if (!this.objects.objects.delete(key)) return;
    this.#options.invariants.packageChanged(key);
    this.#options.tell(id, key);
  }

  async putOldIndex({ repository, file, by }: DeedOf<'old-index'>): Promise<void> {
    const records = this.#options.invariants.recordsOf(repository);
    const key = joinKey(repository, file);
    const date = new Date(this.#options.now().getTime() - 60_000);
    if (by === 'us') {
      const format = file === 'pkg_summary.gz' ? 'gz' : 'zst';
      const { index, summary } = await rebuilt(records, format, this.#options.blockBytes, date);
      this.objects.upload(key, index, date);
      const object = this.objects.objects.get(key);
      const metadata = metadataOf(summary, repository, date, undefined, undefined);
      this.#options.invariants.indexWasThere(repository, records.keys());
      if (object !== undefined) this.objects.objects.set(key, { ...object, metadata });
    } else {
      const text = Buffer.from([...records.values()].join('') || '\n');
      this.objects.upload(key, file.endsWith('.zst') ? zstdCompressSync(text) : gzipSync(text), date);
    }
    this.#options.invariants.foreignIndexPut(key);
  }
}

function ofAnotherVersion(page: Uint8Array): Uint8Array {
  return Buffer.from(Buffer.from(page).toString().replace('<title>', '<title>Old '));
}
