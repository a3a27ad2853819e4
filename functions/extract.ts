import { splitKey } from './keys.ts';
import { packageLimits } from './package/limits.ts';
import { MalformedPackage } from './package/malformed-package.ts';
import type { PackageSource } from './package/package-source.ts';
import { readPackage } from './package/read-package.ts';
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
import { findRejection, findWarnings } from './record/hazards.ts';
import { recordLimits } from './record/limits.ts';
import { renderRecord } from './record/record.ts';

export interface ExtractPorts {
  readonly objects: ObjectStore;
  readonly records: RecordTable;
  readonly clock: Clock;
  /** Where clients cannot ask for every package by its own key. */
  readonly aliases?: AliasKeeper;
}

export interface ExtractOptions {
  /** Read the package again though its row has its ETag: the reader may have changed since. */
  readonly force?: boolean;
  /** Aborted when the time is up: requests to the store end, and extract throws. */
  readonly signal?: AbortSignal;
}

/** What became of the row. `unchanged`: it said what is there already; without a row there is no such package, and was none. */
export type Extraction =
  | { readonly outcome: 'written'; readonly row: Row }
  | { readonly outcome: 'removed' }
  | { readonly outcome: 'unchanged'; readonly row: Row | undefined };

/** The object kept changing while it was being read. The hint goes back to the queue. */
class ObjectKeepsChanging extends Error {
  override readonly name = 'ObjectKeepsChanging';
}

/**
 * A key changed in the bucket: make its row agree with the object that is there now.
 *
 * Look, write the row, look again; done when nothing changed in between. Whoever writes a row last has thus looked afterwards,
 * and an object that changes after that look brings a hint of its own. Nothing depends on the order of hints.
 *
 * A malformed package gives a rejected row.
 * @throws {ObjectKeepsChanging} and whatever the ports throw: the hint is to be tried again.
 */
export async function extract(ports: ExtractPorts, key: ObjectKey, options: ExtractOptions = {}): Promise<Extraction> {
  const { signal } = options;
  const deadline = ports.clock.now().getTime() + packageLimits.readMillisecondsMax;
  for (let look = 0; look < packageLimits.looksMax; look += 1) {
    const seen = await headPackage(ports.objects, key, signal);
    const extraction = await reconcile(ports, key, seen, { ...options, deadline });
    await ports.aliases?.reconcile(key, seen, signal);
    const now = await headPackage(ports.objects, key, signal);
    if (extraction === 'object-changed' || now?.etag !== seen?.etag) continue;
    if (extraction.outcome === 'unchanged') await askForFirstSummary(ports.records, key);
    return extraction;
  }
  throw new ObjectKeepsChanging(
    `${key} changed ${packageLimits.looksMax} times while it was being read: it is tried again later`,
  );
}

/**
 * A first publication may have waited for this very hint: for a package that went before it had a row, or became again what its
 * row says. No row changes then, so nothing else would tell summarize that it need not wait any more.
 */
async function askForFirstSummary(records: RecordTable, key: ObjectKey): Promise<void> {
  const { repository } = splitKey(key);
  if (!(await records.isAdopted(repository))) await records.requestSummary(repository);
}

/** An alias of a package is none itself: so the hint that its own making brings about ends here. */
async function headPackage(
  objects: ObjectStore,
  key: ObjectKey,
  signal: AbortSignal | undefined,
): Promise<ObjectFacts | undefined> {
  const facts = await objects.head(key, signal);
  return facts !== undefined && aliasMetadata in facts.metadata ? undefined : facts;
}

/** The time at which reading has to be done, for all attempts together (milliseconds since 1970). */
interface Reading extends ExtractOptions {
  readonly deadline: number;
}

/** Makes the row say what `seen` is. `object-changed`: it is another one, or gone, already. */
async function reconcile(
  { objects, records, clock }: ExtractPorts,
  key: ObjectKey,
  seen: ObjectFacts | undefined,
  reading: Reading,
): Promise<Extraction | 'object-changed'> {
  const { force = false } = reading;
  const { repository, file } = splitKey(key);
  const old = await records.row(repository, file);
  if (seen === undefined) {
    if (old === undefined) return { outcome: 'unchanged', row: undefined };
    await records.deleteRow(repository, file);
    return { outcome: 'removed' };
  }
  if (old?.etag === seen.etag && !force) return { outcome: 'unchanged', row: old };
  try {
    const row = await readRow({ objects, clock }, key, seen, reading);
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
  seen: ObjectFacts,
  reading: Reading,
): Promise<Row> {
  const { repository, file } = splitKey(key);
  const { etag, size, lastModified } = seen;
  const facts = { repository, file, etag, size, lastModified, indexedAt: clock.now() };
  try {
    const metadata = await readPackage(objectSource({ objects, clock }, key, seen, reading));
    const record = renderRecord(metadata, file, size);
    const rejection = findRejection(record, file);
    if (rejection !== undefined) return { ...facts, state: 'rejected', reason: short(rejection) };
    return { ...facts, state: 'indexed', record, warnings: findWarnings(record, file) };
  } catch (error) {
    if (!(error instanceof MalformedPackage)) throw error;
    return { ...facts, state: 'rejected', reason: short(error) };
  }
}

/** Every range is of the object that was seen, and all of them together end by the deadline. */
function objectSource(
  { objects, clock }: Pick<ExtractPorts, 'objects' | 'clock'>,
  key: ObjectKey,
  seen: ObjectFacts,
  { deadline, signal }: Reading,
): PackageSource {
  return {
    size: seen.size,
    async read(offset, length) {
      if (clock.now().getTime() > deadline)
        throw new Error(
          `reading ${key} took more than ${packageLimits.readMillisecondsMax} ms: it is tried again later`,
        );
      const bytes = await objects.readRange(key, seen.etag, offset, length, signal);
      if (bytes.length !== length)
        throw new Error(
          `expected ${length} bytes of ${key} at byte ${offset}, found ${bytes.length}: it is tried again later`,
        );
      return bytes;
    },
  };
}

function short({ code, message }: { readonly code: string; readonly message: string }): {
  code: string;
  message: string;
} {
  return { code, message: message.slice(0, recordLimits.reasonCharactersMax) };
}

/** A row that would not change is not written: it would set off a summarize for nothing. */
function isSameRow(old: Row, row: Row): boolean {
  if (old.etag !== row.etag) return false;
  if (old.state === 'indexed' && row.state === 'indexed')
    return Buffer.compare(old.record, row.record) === 0 && old.warnings.join() === row.warnings.join();
  if (old.state !== 'rejected' || row.state !== 'rejected') return false;
  return old.reason.code === row.reason.code && old.reason.message === row.reason.message;
}
