/** `serve DIR`: the indexer and a web server on one machine. A package lands in the directory; seconds later pkgin sees it. */

import { access, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import type { Loss } from '../../functions/adapters/local/opened-directory.ts';
import { SystemClock } from '../../functions/adapters/system-clock.ts';
import { farewell } from '../../functions/console-messages.ts';
import { CannotRun, failureSentence, systemErrorSentence } from '../../functions/failures.ts';
import type { Service, ServiceOptions } from '../../functions/local-service.ts';
import { Activity } from '../../functions/server/activity.ts';
import type { Target } from '../settings/settled-options.ts';
import { parseBytes, parseHost, parsePath, parsePort, parsePublicUrl } from '../terminal/argument-parsers.ts';
import { addWatchingOptions } from '../terminal/directory-options.ts';
import { type ExitCode, exitCodes } from '../terminal/exit-codes.ts';
import { endingForAll } from '../terminal/run-command.ts';
import { stopSignal } from '../terminal/stop-signal.ts';

export function addCommand(program: Command): void {
  const command = program
    .command('serve')
    .description('index a directory, watch it for changes, and serve it over HTTP')
    .argument('[dir]', 'directory with repositories at any depth', parsePath)
    .option('--host <address>', 'address to listen on', parseHost, '127.0.0.1')
    .option('--port <number>', 'port to listen on; 0 picks a free one', parsePort, 8080)
    .option('--public-url <url>', 'URL of the server for clients (default: its address)', parsePublicUrl)
    .option('--upload-token <token>', 'permit uploads and deletions with this token')
    .option(
      '--local-uploads',
      'permit uploads and deletions from this machine; never use it behind a proxy, where every client looks local',
    )
    .option('--no-overwrite', 'refuse uploads of packages that exist (409); they can still be deleted')
    .option('--upload-max <bytes>', 'largest upload (default: 4 GiB)', parseBytes);
  addWatchingOptions(command).action(endingForAll(followAll));
}

/** Without a port: `watch`. */
export interface FollowOptions extends ServiceOptions {
  /** Make the directory where it is missing. */
  readonly create?: boolean;
}

const clock = new SystemClock();

/** Keeps each directory indexed until it is asked to stop. If one cannot start, none does. */
export async function followAll(targets: readonly Target<FollowOptions>[]): Promise<ExitCode> {
  ignoreClosedOutput();
  const failed = new AbortController();
  const stop = AbortSignal.any([stopSignal(process, clock, () => process.exit(130)), failed.signal]);
  const following = targets.map(async ({ directory, options }) => {
    const log = targets.length === 1 ? console.log : (line: string) => console.log(`${directory}: ${line}`);
    try {
      await follow(directory, options, log, stop);
    } catch (error) {
      failed.abort();
      throw error;
    }
  });
  await Promise.allSettled(following);
  await Promise.all(following);
  return exitCodes.done;
}

/** If it loses the directory or its table, it restarts as soon as it can. */
async function follow(directory: string, options: FollowOptions, log: Log, stop: AbortSignal): Promise<void> {
  const activity = new Activity(clock);
  if (options.create) await createDirectory(directory);
  let service: Service | undefined = await start(directory, options, activity, log);
  while (service !== undefined) {
    const ended = await service.untilEnd(stop);
    log(endings[ended].replace('DIRECTORY', directory));
    await service.stop();
    const port: number | undefined = service.port;
    const again: FollowOptions = port === undefined ? options : { ...options, port };
    service = ended === 'asked' ? undefined : await restart(directory, again, activity, log, stop);
  }
  log(farewell(activity.counts, clock.now().getTime() - activity.startedAt.getTime()));
}

type Log = (line: string) => void;

const endings: Readonly<Record<'asked' | Loss, string>> = {
  asked: 'stopping: finishing the work in progress (Ctrl-C again to quit at once)',
  directory: 'DIRECTORY was removed or replaced: restarting',
  state: 'the table or the lock of DIRECTORY was removed: restarting',
  table: 'the table of DIRECTORY is damaged: restarting with a new one',
};

/** When the reader of our output ends, or its disk is full, the server goes on. */
function ignoreClosedOutput(): void {
  for (const stream of [process.stdout, process.stderr]) stream.removeAllListeners('error').on('error', () => {});
}

async function start(directory: string, options: FollowOptions, activity: Activity, log: Log): Promise<Service> {
  const { Service } = await import('../../functions/local-service.ts');
  return await Service.start(directory, options, activity, { log });
}

/** Retries until the directory is mounted again, or its disk has room again. Undefined if asked to stop meanwhile. */
async function restart(
  directory: string,
  options: FollowOptions,
  activity: Activity,
  log: Log,
  stop: AbortSignal,
): Promise<Service | undefined> {
  const { serviceLimits } = await import('../../functions/local-service.ts');
  let reported: string | undefined;
  while (!stop.aborted) {
    try {
      return await start(directory, options, activity, log);
    } catch (error) {
      const sentence = failureSentence(error);
      if (sentence === undefined) throw error;
      if (sentence !== reported) log(`${sentence}; will retry`);
      reported = sentence;
    }
    await clock.sleep(serviceLimits.lossMilliseconds, stop);
  }
  return undefined;
}

async function createDirectory(directory: string): Promise<void> {
  const exists = await access(directory).then(
    () => true,
    () => false,
  );
  if (exists) return;
  try {
    await makeDirectories(join(directory, 'All'));
  } catch (error) {
    throw new CannotRun(systemErrorSentence(error, directory));
  }
}

/** One by one: below a place where nobody can make a directory, like /proc, a recursive mkdir never returns. */
async function makeDirectories(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return;
    if (code !== 'ENOENT' || dirname(path) === path) throw error;
    await makeDirectories(dirname(path));
    await mkdir(path);
  }
}
