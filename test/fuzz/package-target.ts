/** Arbitrary bytes as a package: ar, compression, tar, metadata, record. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { decompress } from '../../functions/package/decompression.ts';
import { MalformedPackage } from '../../functions/package/malformed-package.ts';
import { type PackageMetadata, readPackage, streamPackage } from '../../functions/package/read-package.ts';
import { findRejection, findWarnings } from '../../functions/record/hazards.ts';
import { renderRecord } from '../../functions/record/record.ts';
import { fixtureCorpus } from '../corpus.ts';
import type { Dice } from '../dice.ts';
import { ByteSource } from '../package/byte-source.ts';
import { type Entry, makePackage } from '../package-maker.ts';
import { readSummary } from '../pkgin-reader.ts';
import { changeArchive, entriesIn, signSomehow } from './archive-changes.ts';
import { boundaries, changeBytes } from './byte-changes.ts';
import { changeXzHeader, compressAgain, compressSomehow } from './compressed-forms.ts';
import { Finding, type FuzzTarget } from './target.ts';

/** Requests per package: each takes a round trip. At 4 MiB each, these are more than the limit of 32 MiB. */
const rangesMax = 16;

export const packageTarget: FuzzTarget = {
  name: 'package',
  weight: 6,
  async run(dice) {
    const bytes = drawPackage(dice);
    const outcome = await checkPackage(bytes, dice.pick(['made-1.0.tgz', 'a b.tgz', 'caf\u00e9-1.tgz', 'x\n.tgz']));
    if (dice.chance(0.2)) await checkChunking(dice, bytes);
    return outcome;
  },
};

/**
 * Asserts that both ways of reading have the same outcome, and that pkgin can read a record that is not rejected.
 * @returns the outcome.
 */
export async function checkPackage(bytes: Uint8Array, file: string): Promise<string> {
  const source = new ByteSource(bytes);
  const [found, streamed] = [
    await outcomeOf(readPackage, source, bytes),
    await outcomeOf(streamPackage, new ByteSource(bytes), bytes),
  ];
  if (found.what !== streamed.what)
    throw new Finding(`read synchronously it is ${found.what}, with streams ${streamed.what}`, bytes);
  if (source.ranges.length > rangesMax)
    throw new Finding(`it took ${source.ranges.length} ranges: ${JSON.stringify(source.ranges)}`, bytes);
  if (found.metadata === undefined) return found.what;
  return checkRecord(found.metadata, file, bytes);
}

interface PackageOutcome {
  readonly what: string;
  readonly metadata: PackageMetadata | undefined;
}

async function outcomeOf(
  read: (source: ByteSource) => Promise<PackageMetadata>,
  source: ByteSource,
  bytes: Uint8Array,
): Promise<PackageOutcome> {
  try {
    const metadata = await read(source);
    const what = Object.values(metadata).map((part) =>
      part instanceof Uint8Array ? Buffer.from(part).toString('hex') : part,
    );
    return { what: `read: ${what.join()}`, metadata };
  } catch (error) {
    if (!(error instanceof MalformedPackage)) throw new Finding('expected MalformedPackage', bytes, error);
    checkSentence(error, bytes);
    return { what: error.code, metadata: undefined };
  }
}

function checkSentence({ message, offset }: MalformedPackage, bytes: Uint8Array): void {
  const isSentence = /^expected .+, found.* at byte \d+ of the (file|decompressed archive)$/s.test(message);
  if (!isSentence || message.length > 1_000 || !Number.isSafeInteger(offset) || offset < 0)
    throw new Finding(`an unclear message: ${JSON.stringify(message.slice(0, 2_000))}`, bytes);
}

function checkRecord(metadata: PackageMetadata, file: string, bytes: Uint8Array): string {
  let record: Uint8Array;
  try {
    record = renderRecord(metadata, file, bytes.length);
  } catch (error) {
    if (error instanceof MalformedPackage) return error.code;
    throw new Finding('expected MalformedPackage of a record', bytes, error);
  }
  return checkAcceptance(record, file, bytes);
}

/** Asserts that pkgin reads a record without a rejection as one package. */
export function checkAcceptance(record: Uint8Array, file: string, input: Uint8Array): string {
  const rejection = findRejection(record, file);
  if (rejection !== undefined) return `rejected: ${rejection.code}`;
  try {
    findWarnings(record, file);
    const { packages, records } = readSummary(record);
    if (records === 1 && packages.size === 1) return 'accepted';
    throw new Error(`one record became ${records}, of ${packages.size} packages`);
  } catch (error) {
    throw new Finding('a record that is accepted here and not by pkgin', input, error);
  }
}

/** Asserts that the archive or the error does not depend on how the bytes arrive. Before an error, the output may differ in length. */
async function checkChunking(dice: Dice, bytes: Uint8Array): Promise<void> {
  const sizes = dice.pick([[1], [1, 2, 3], [511, 512, 513], boundaries, [5_000]]);
  const least = bytes.length > 20_000 ? 700 : 1;
  const whole = await inflate([bytes], bytes);
  const inPieces = await inflate(
    pieces(bytes, () => least + dice.pick(sizes)),
    bytes,
  );
  const [shorter, longer] = [whole.archive, inPieces.archive].sort((a, b) => a.length - b.length) as [Buffer, Buffer];
  const isSame = whole.end === inPieces.end && longer.subarray(0, shorter.length).equals(shorter);
  if (!isSame || (whole.end === 'whole' && shorter.length < longer.length))
    throw new Finding(`in pieces it is ${inWords(inPieces)}, at once ${inWords(whole)}`, bytes);
}

function* pieces(bytes: Uint8Array, length: () => number): Generator<Uint8Array> {
  for (let start = 0, end = length(); start < bytes.length; start = end, end += length())
    yield bytes.subarray(start, end);
}

interface Inflated {
  readonly archive: Buffer;
  /** `whole`, or the code of the error. */
  readonly end: string;
}

function inWords({ archive, end }: Inflated): string {
  return `${archive.length} bytes, ${end}`;
}

/** Limits bombs, as readPackage does. */
const archiveBytesMax = 2_000_000;

async function inflate(chunks: Iterable<Uint8Array>, bytes: Uint8Array): Promise<Inflated> {
  const inflated: Uint8Array[] = [];
  let length = 0;
  let end = 'whole';
  try {
    const { archive } = await decompress(inTurn(chunks), 0);
    for await (const piece of archive) {
      inflated.push(piece);
      length += piece.length;
      if (length > archiveBytesMax) break;
    }
  } catch (error) {
    if (!(error instanceof MalformedPackage))
      throw new Finding('expected MalformedPackage of compressed data', bytes, error);
    end = error.code;
  }
  return { archive: Buffer.concat(inflated, Math.min(length, archiveBytesMax)), end };
}

async function* inTurn<Item>(items: Iterable<Item>): AsyncGenerator<Item> {
  yield* items;
}

interface Original {
  readonly bytes: Uint8Array;
  /** Undefined if they could not be read. */
  readonly entries: readonly Entry[] | undefined;
}

let originals: readonly Original[] | undefined;

function drawPackage(dice: Dice): Uint8Array {
  const bytes = drawLayer(dice);
  return dice.chance(0.15) ? compressAgain(dice, bytes) : bytes;
}

function drawLayer(dice: Dice): Uint8Array {
  originals ??= loadOriginals();
  const original = dice.pick(originals);
  const isXz = Buffer.from(original.bytes.subarray(0, 6)).toString('latin1') === '\xfd7zXZ\0';
  if (isXz && dice.chance(0.6)) return changeXzHeader(dice, original.bytes);
  if (original.entries === undefined || dice.chance(0.25)) return changeBytes(dice, original.bytes);
  let bytes = compressSomehow(dice, changeArchive(dice, original.entries));
  if (dice.chance(0.2)) bytes = signSomehow(dice, bytes);
  return dice.chance(0.2) ? changeBytes(dice, bytes) : bytes;
}

/** Larger ones only take more time. */
const originalBytesMax = 100_000;

function loadOriginals(): Original[] {
  const compressed = join(import.meta.dirname, '../fixtures/compressed');
  const files = [
    'made.bz2',
    'made.streams.bz2',
    'made.xz',
    'made.streams.xz',
    'made.sha256.xz',
    'made.x86.xz',
    'made.tar',
    'sparse-pax-0.0.tgz',
    'sparse-pax-0.1.tgz',
    'sparse-pax-1.0.tgz',
    'sparse-gnu.tgz',
    'sparse-libarchive.tgz',
  ];
  const made = [
    makePackage({ headers: 'pax', buildInfo: 'OPSYS=NetBSD\nPROVIDES=/lib/x\nCC=cc\n', sizePkg: '17\n' }),
    makePackage({ packingList: ['@pkgdep x>=1', '@pkgcfl y-[0-9]*', '@comment z'], payload: { 'bin/x': 40_000 } }),
    makePackage({ metadata: { '+INSTALL': '#'.repeat(30_000) }, signature: 'x509', compression: 'zstd' }),
  ];
  return [
    ...fixtureCorpus.packages.map((entry) => entry.bytes()),
    ...files.map((file) => readFileSync(join(compressed, file))),
    ...made,
  ]
    .filter((bytes) => bytes.length <= originalBytesMax)
    .map((bytes) => ({ bytes, entries: archiveIn(bytes) }));
}

function archiveIn(bytes: Buffer): readonly Entry[] | undefined {
  try {
    const limit = { maxOutputLength: 1_000_000 };
    if (bytes.readUInt16BE(0) === 0x1f8b) return entriesIn(gunzipSync(bytes, limit));
    if (bytes.readUInt32LE(0) === 0xfd2fb528) return entriesIn(zstdDecompressSync(bytes, limit));
    return bytes.toString('latin1', 257, 262) === 'ustar' ? entriesIn(bytes) : undefined;
  } catch {
    return undefined;
  }
}
