import { judgePackage } from './judge-package.ts';
import { splitKey } from './keys.ts';
import type { PackageSource } from './package/package-source.ts';
import {
  type AliasKeeper,
  aliasMetadata,
  type Clock,
  ObjectChanged,
  type ObjectFacts,
  type ObjectKey,
  type ObjectStore,
  type RecordTable,
  type Row,
} from './ports.ts';
import { defaultRules, fingerprintOf, judgeAgain, type Rules } from './record/rules.ts';

/** Reading one package. */
export const extractLimits = {
  /** All range reads of one package. A store that takes longer does not answer: the hint is retried. */
  readMillisecondsMax: 60_000,
  /** An object that changes while it is read is read again, so many times in all; then the hint is retried later. */
  checksMax: 10,
} as const;

/** What extract asks of store and table. */
type Objects = Pick<ObjectStore, 'head' | 'readRange'>;
type Records = Pick<RecordTable, 'row' | 'putRow' | 'deleteRow' | 'state' | 'requestSummary'>;

export interface ExtractPorts {
  readonly objects: Objects;
  readonly records: Records;
  readonly clock: Clock;
  /** For a store in which clients cannot request every package by its own key. */
  readonly aliases?: AliasKeeper;
}

export interface ExtractOptions {
  /** Read the package again even if its row has its ETag: the reader may have changed. */
  readonly force?: boolean;
  /** Which records are accepted. A row of other rules is judged again, without reading its package if it has a record. */
  readonly rules?: Rules;
  /** Aborted when the time is up: requests to the store end, and extract throws. */
  readonly signal?: AbortSignal;
}

/** What happened to the row. `unchanged` without a row: there is no package, and there was no row. */
export type Extraction =
  | { readonly outcome: 'written'; readonly row: Row }
  | { readonly outcome: 'removed' }
  | { readonly outcome: 'unchanged'; readonly row: Row | undefined };

/** The object changed each time it was read. The hint is retried. */
class ObjectKeepsChanging extends Error {
  override readonly name = 'ObjectKeepsChanging';
}

/**
 * A key changed in the bucket: make its row match the object that is there now.
 *
 * Read the object, write the row, check the object again; start again if it changed. So the last writer of a row checked the object
 * after writing, and a later change of the object sends its own hint. Nothing depends on the order of hints.
 *
 * A malformed package gets a rejected row.
 * @throws {ObjectKeepsChanging} and any error of the ports: the caller retries the hint.
 */
export async function extract(ports: ExtractPorts, key: ObjectKey, options: ExtractOptions = {}): Promise<Extraction> {
  const { signal } = options;
  const deadline = ports.clock.now().getTime() + extractLimits.readMillisecondsMax;
  for (let check = 0; check < extractLimits.checksMax; check += 1) {
    const object = await headPackage(ports.objects, key, signal);
    const extraction = await reconcile(ports, key, object, { ...options, deadline });
    await ports.aliases?.reconcile(key, object, signal);
    const now = await headPackage(ports.objects, key, signal);
    if (extraction === 'object-changed' || now?.etag !== object?.etag) continue;
    if (extraction.outcome === 'unchanged') await askForFirstSummary(ports.records, key);
    return extraction;
  }
  throw new ObjectKeepsChanging(`${key} changed ${extractLimits.checksMax} times while it was being read; will retry`);
}

/**
 * A first publication may wait for this hint: for a package that was deleted before it had a row, or that is again what its row
 * says. Then no row changes, and nothing else tells summarize that it need not wait any more.
 */
async function askForFirstSummary(records: Records, key: ObjectKey): Promise<void> {
  const { repository } = splitKey(key);
  if (!(await records.state(repository)).isAdopted) await records.requestSummary(repository);
}

/** An alias is not a package: the hint that its creation sends ends here. */
async function headPackage(
  objects: Objects,
  key: ObjectKey,
  signal: AbortSignal | undefined,
): Promise<ObjectFacts | undefined> {
  const facts = await objects.head(key, signal);
  return facts !== undefined && aliasMetadata in facts.metadata ? undefined : facts;
}

/** `deadline`: when all attempts together must be done (milliseconds since 1970). */
interface Reading extends ExtractOptions {
  readonly deadline: number;
}

/** Makes the row match `object`. `object-changed`: it was replaced or deleted meanwhile. */
async function reconcile(
  { objects, records, clock }: ExtractPorts,
  key: ObjectKey,
  object: ObjectFacts | undefined,
  reading: Reading,
): Promise<Extraction | 'object-changed'> {
  const { force = false, rules = defaultRules } = reading;
  const { repository, file } = splitKey(key);
  const old = await records.row(repository, file);
  if (object === undefined) {
    if (old === undefined) return { outcome: 'unchanged', row: undefined };
    await records.deleteRow(repository, file);
    return { outcome: 'removed' };
  }
  const known = old?.etag === object.etag && !force ? old : undefined;
  if (known?.rules === fingerprintOf(rules)) return { outcome: 'unchanged', row: known };
  try {
    const row = (known && judgeAgain(known, rules)) ?? (await readRow({ objects, clock }, key, object, reading));
    if (old !== undefined && isSameRow(old, row)) return { outcome: 'unchanged', row: old };
    await records.putRow(row);
    return { outcome: 'written', row };
  } catch (error) {
    if (error instanceof ObjectChanged) return 'object-changed';
    throw error;
  }
}

async function readRow(
  { objects, clock }: Pick<ExtractPorts, 'objects' | 'clock'>,
  key: ObjectKey,
  object: ObjectFacts,
  reading: Reading,
): Promise<Row> {
  const { repository, file } = splitKey(key);
  const { rules = defaultRules } = reading;
  const { etag, size, lastModified } = object;
  const indexedAt = clock.now();
  const facts = { repository, file, etag, size, lastModified, indexedAt, rules: fingerprintOf(rules) };
  const source = objectSource({ objects, clock }, key, object, reading);
  return { ...facts, ...(await judgePackage(source, file, rules, indexedAt)) };
}

/** Every range is of this version of the object, and all of them together have one deadline. */
function objectSource(
  { objects, clock }: Pick<ExtractPorts, 'objects' | 'clock'>,
  key: ObjectKey,
  object: ObjectFacts,
  { deadline, signal }: Reading,
): PackageSource {
  return {
    size: object.size,
    async read(offset, length) {
      if (clock.now().getTime() > deadline)
        throw new Error(`reading ${key} took more than ${extractLimits.readMillisecondsMax} ms; will retry`);
      const bytes = await objects.readRange(key, object.etag, offset, length, signal);
      if (bytes.length !== length)
        throw new Error(`expected ${length} bytes of ${key} at byte ${offset}, found ${bytes.length}; will retry`);
      return bytes;
    },
  };
}

/** A row that would not change is not written: writing it would start a summarize for nothing. */
function isSameRow(old: Row, row: Row): boolean {
  if (old.etag !== row.etag || old.rules !== row.rules) return false;
  if (JSON.stringify(old.signature) !== JSON.stringify(row.signature)) return false;
  if (old.state === 'indexed' && row.state === 'indexed')
    return Buffer.compare(old.record, row.record) === 0 && old.warnings.join() === row.warnings.join();
  if (old.state !== 'rejected' || row.state !== 'rejected') return false;
  return old.reason.code === row.reason.code && old.reason.message === row.reason.message;
}
