/** Uploads a package, waits for each stage, removes it, and waits again. Always removes its files. */

import { gunzipSync } from 'node:zlib';
import { CannotRun } from '../../functions/failures.ts';
import { indexFiles, joinKey, plusAliasOf } from '../../functions/keys.ts';
import { pageFile } from '../../functions/page/page.ts';
import {
  type Clock,
  ObjectChanged,
  type ObjectKey,
  type ObjectStore,
  type RecordTable,
} from '../../functions/ports.ts';
import { tinyPackage } from './tiny-package.ts';

const smokeTestLimits = {
  /** Between two checks: the resolution of the latencies that it prints. */
  pollMilliseconds: 500,
} as const;

/** The answer to a GET. Status 0: there was none, and `text` says why. */
export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly body: Uint8Array;
}

export interface SmokePorts {
  readonly objects: ObjectStore;
  readonly records: RecordTable;
  readonly clock: Clock;
  /** Requests a key as a client does, from the repository's URL. */
  readonly get: (key: ObjectKey) => Promise<Answer>;
}

export interface SmokeOptions {
  readonly repository: string;
  /** PKGNAME, with a `+`: not every server handles that. */
  readonly name: string;
  /** For one way, there or back. */
  readonly millisecondsMax: number;
  /** @param milliseconds since the end of the upload, or of the removal */
  readonly onStage: (stage: string, milliseconds: number) => void;
  /** Aborted: stop, and remove the files. */
  readonly signal: AbortSignal;
}

/** @returns undefined when the stage is reached; otherwise what was found instead */
type Probe = () => Promise<string | undefined>;

/** @throws {CannotRun} naming the stage that was not reached, and what was found */
export async function smokeTest(ports: SmokePorts, options: SmokeOptions): Promise<void> {
  const { objects, records, clock, get } = ports;
  const { repository, name, onStage } = options;
  const file = `${name}.tgz`;
  const key = joinKey(repository, file);
  const index = joinKey(repository, 'pkg_summary.gz');
  const body = await tinyPackage(name);
  try {
    const etag = await upload(objects, clock, key, body);
    onStage('uploaded', 0);
    const there = stages(clock, options);
    await there('in the table', async () => {
      const row = await records.row(repository, file);
      if (row?.state === 'rejected') throw new CannotRun(`the package was rejected: ${row.reason.message}`);
      return row?.etag === etag ? undefined : 'no row';
    });
    await there('in the index in the bucket', async () => published(await readIndex(objects, index), name, true));
    await there('in the index as served', async () => served(await get(index), name, true));
    await there('served itself', async () => {
      const { status, text, body: got } = await get(key);
      if (status !== 200) return `${status} ${text}`;
      return Buffer.compare(got, body) === 0 ? undefined : 'different bytes than those uploaded';
    });

    await objects.delete(key);
    onStage('removed', 0);
    const back = stages(clock, options);
    await back('out of the table', async () => ((await records.row(repository, file)) ? 'its row' : undefined));
    await back('out of the index in the bucket', async () => published(await readIndex(objects, index), name, false));
    await back('out of the index as served', async () => served(await get(index), name, false));
  } finally {
    await removeFiles(objects, repository, key);
  }
}

async function upload(objects: ObjectStore, clock: Clock, key: ObjectKey, body: Uint8Array): Promise<string> {
  const put = await objects.put(key, body, {
    condition: { ifNoneMatch: '*' },
    metadata: {},
    contentType: 'application/octet-stream',
    lastModified: clock.now(),
  });
  if (put.outcome === 'lost-race') throw new CannotRun(`${key} exists; try again`);
  return put.etag;
}

/** One way; all stages together may take `millisecondsMax`. */
function stages(clock: Clock, { millisecondsMax, onStage, signal }: SmokeOptions) {
  const begin = clock.now().getTime();
  return async (stage: string, probe: Probe): Promise<void> => {
    for (;;) {
      if (signal.aborted) throw new CannotRun('interrupted');
      const found = await probe();
      const elapsed = clock.now().getTime() - begin;
      if (found === undefined) return onStage(stage, elapsed);
      if (elapsed >= millisecondsMax) {
        throw new CannotRun(`not ${stage} after ${Math.round(millisecondsMax / 1000)} s: found ${found}`);
      }
      await clock.sleep(smokeTestLimits.pollMilliseconds, signal);
    }
  };
}

async function readIndex(objects: ObjectStore, key: ObjectKey): Promise<Uint8Array | undefined> {
  const head = await objects.head(key);
  if (head === undefined) return undefined;
  try {
    return await objects.readRange(key, head.etag, 0, head.size);
  } catch (error) {
    // Replaced meanwhile: the next check reads the new one.
    if (error instanceof ObjectChanged) return undefined;
    throw error;
  }
}

function published(index: Uint8Array | undefined, name: string, isWanted: boolean): string | undefined {
  if (index === undefined) return 'no index';
  const lines = gunzipSync(index).toString('latin1').split('\n');
  if (lines.includes(`PKGNAME=${name}`) === isWanted) return undefined;
  return isWanted ? 'an index without it' : 'an index that still has it';
}

function served({ status, text, body }: Answer, name: string, isWanted: boolean): string | undefined {
  return status === 200 ? published(body, name, isWanted) : `${status} ${text}`;
}

/** Removes the package, its alias, and the index and the page of its directory. */
async function removeFiles(objects: ObjectStore, repository: string, key: ObjectKey): Promise<void> {
  const alias = plusAliasOf(key);
  await objects.delete(key);
  if (alias !== undefined) await objects.delete(alias);
  for (const file of [...indexFiles, pageFile]) await objects.delete(joinKey(repository, file));
}
