/**
 * One run of the benchmark of extract, in a process of its own: `node extract-run.ts WAY DIRECTORY`. Prints the costs of a first pass
 * over all packages of the directory, with everything yet to be compiled, and of a later one.
 */

import { closeSync, fstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import pMap from 'p-map';
import { DirectoryObjects } from '../../functions/adapters/local/directory-objects.ts';
import { syncCalls } from '../../functions/adapters/local/file-calls.ts';
import { hintLimits } from '../../functions/adapters/local/memory-hints.ts';
import type { OpenedObject } from '../../functions/adapters/local/opened-object.ts';
import { SystemClock } from '../../functions/adapters/system-clock.ts';
import { extract } from '../../functions/extract.ts';
import { isPackageKey } from '../../functions/keys.ts';
import { followLimits } from '../../functions/lambda/follow-hints.ts';
import { packageLimits } from '../../functions/package/limits.ts';
import { readPackage } from '../../functions/package/read-package.ts';
import type { ETag, ObjectFacts, ObjectKey } from '../../functions/ports.ts';
import { renderRecord } from '../../functions/record/record.ts';
import { MemoryRecords } from '../adapters/memory-records.ts';
import { type Cost, costOf } from './measurement.ts';

/** What one pass did. */
export interface ExtractRun {
  readonly first: Cost;
  readonly later: Cost;
  readonly packages: number;
  /** Of one pass. */
  readonly bytesRead: number;
  readonly requests: number;
  readonly packageBytes: number;
  readonly peakMebibytes: number;
}

const latencyMilliseconds = 20;
/** A later pass is one after which so many packages have been read, and is repeated until it is of so many. */
const packagesToWarmUp = 2_000;
const packagesToMeasure = 1_000;

/** Counts what is asked of a directory, and makes it far away. */
class CountedObjects extends DirectoryObjects {
  readonly counted = { bytesRead: 0, requests: 0, packageBytes: 0 };
  isFar = false;

  /** As `index` and `serve` read: with the file opened once. */
  counting(opened: OpenedObject): Pick<DirectoryObjects, 'head' | 'readRange'> {
    return {
      head: async () => {
        this.counted.requests += 1;
        return await opened.head();
      },
      readRange: async (key, etag, offset, length) => {
        this.counted.requests += 1;
        this.counted.bytesRead += length;
        return await opened.readRange(key, etag, offset, length);
      },
    };
  }

  override async head(key: ObjectKey): Promise<ObjectFacts | undefined> {
    await this.#travel();
    return await super.head(key);
  }

  override async readRange(key: ObjectKey, etag: ETag, offset: number, length: number): Promise<Uint8Array> {
    await this.#travel();
    this.counted.bytesRead += length;
    return await super.readRange(key, etag, offset, length);
  }

  async #travel(): Promise<void> {
    this.counted.requests += 1;
    if (this.isFar) await setTimeout(latencyMilliseconds);
  }
}

type Pass = (files: readonly string[]) => Promise<void>;

/** `record`: what `pkg_info -X` does, and nothing else. */
function recordPass(directory: string, counted: CountedObjects['counted']): Pass {
  return async (files) => {
    for (const file of files) {
      const opened = openSync(join(directory, file), 'r');
      const { size } = fstatSync(opened);
      counted.packageBytes += size;
      const metadata = await readPackage({
        size,
        async read(offset, length) {
          const bytes = Buffer.allocUnsafe(length);
          counted.bytesRead += readSync(opened, bytes, 0, length, offset);
          counted.requests += 1;
          return bytes;
        },
      });
      renderRecord(metadata, file, size);
      closeSync(opened);
    }
  };
}

function extractPass(objects: CountedObjects, concurrency: number): Pass {
  const clock = new SystemClock();
  const buffer = Buffer.allocUnsafeSlow(packageLimits.firstRangeBytes * packageLimits.rangeGrowthFactor);
  return async (files) => {
    const records = new MemoryRecords();
    const extractOne = async (file: string) => {
      if (objects.isFar) return await extract({ objects, records, clock }, file);
      const opened = objects.openedObject(file, concurrency === 1 ? buffer : undefined);
      const ports = { objects: objects.counting(opened), records, clock };
      return await extract(ports, file).finally(() => opened.close());
    };
    const results = await pMap(files, extractOne, { concurrency });
    for (const result of results) {
      if (result.outcome !== 'written') throw new Error('expected a row for every package');
      objects.counted.packageBytes += result.row.size;
    }
  };
}

const [way = '', directory = ''] = process.argv.slice(2);
const stateDirectory = await mkdtemp(join(tmpdir(), 'bench-state-'));
const objects = new CountedObjects({
  root: directory,
  stateDirectory,
  ...(way === 'index' || way === 'corpus' ? { calls: syncCalls } : {}),
});
objects.isFar = way === 'far';
const passes: Record<string, Pass> = {
  record: recordPass(directory, objects.counted),
  index: extractPass(objects, 1),
  corpus: extractPass(objects, 1),
  serve: extractPass(objects, hintLimits.hintsConcurrentMax),
  far: extractPass(objects, followLimits.extractConcurrentMax),
};
const pass = passes[way];
if (pass === undefined) throw new Error(`expected one of ${Object.keys(passes).join(', ')}, found ${way}`);
const files = readdirSync(directory).filter((file) => isPackageKey(file));
const first = await costOf(() => pass(files));
const counted = { ...objects.counted };
const isForMemory = way === 'corpus';
const passesOf = (packages: number) => (isForMemory ? 0 : Math.ceil(packages / files.length));
for (let passes = passesOf(packagesToWarmUp); passes > 0; passes -= 1) await pass(files);
const repeated = Math.max(passesOf(packagesToMeasure), 1);
const all = await costOf(async () => {
  for (let passes = 0; passes < repeated; passes += 1) await pass(files);
});
const later = { wallMilliseconds: all.wallMilliseconds / repeated, cpuMilliseconds: all.cpuMilliseconds / repeated };
const peakMebibytes = process.resourceUsage().maxRSS / 1024;
const run: ExtractRun = { first, later, packages: files.length, ...counted, peakMebibytes };
console.log(JSON.stringify(run));
await rm(stateDirectory, { recursive: true });
