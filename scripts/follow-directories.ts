/** Keeps directories indexed until the process is asked to stop: `serve` and `watch`. */

import { access, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { commandHook, type Hook, webhook } from '../functions/adapters/local/hooks.ts';
import type { Loss } from '../functions/adapters/local/opened-directory.ts';
import { isStoreName } from '../functions/adapters/store/store-address.ts';
import { SystemClock } from '../functions/adapters/system-clock.ts';
import { farewell } from '../functions/console-messages.ts';
import { CannotRun, failureSentence, systemErrorSentence } from '../functions/failures.ts';
import type { Service, ServiceOptions, ServiceSurroundings } from '../functions/local-service.ts';
import { accessLogTo, type Log, type LogFormat, logTo } from '../functions/log.ts';
import { Activity } from '../functions/server/activity.ts';
import type { Target } from './settings/settled-options.ts';
import { type ExitCode, exitCodes } from './terminal/exit-codes.ts';
import { stopSignal } from './terminal/stop-signal.ts';
import { type ViewOptions, viewPermissions } from './terminal/view-options.ts';

/** Without a port and views: `watch`. */
interface FollowOptions extends Omit<ServiceOptions, 'views'>, Partial<ViewOptions> {
  /** Make the directory where it is missing. */
  readonly create?: boolean;
  readonly log: LogFormat;
  readonly accessLog?: boolean;
  readonly onPublish?: readonly string[];
  readonly webhook?: readonly string[];
  readonly webhookSecret?: string;
}

const clock = new SystemClock();

/** If one directory cannot be followed from the start, none is. */
export async function followAll(targets: readonly Target<FollowOptions>[]): Promise<ExitCode> {
  ignoreClosedOutput();
  const failed = new AbortController();
  const stop = AbortSignal.any([stopSignal(process, clock, () => process.exit(130)), failed.signal]);
  const following = targets.map(async ({ directory, options }) => {
    try {
      await follow(directory, options, targets.length === 1 ? '' : `${directory}: `, stop);
    } catch (error) {
      failed.abort();
      throw error;
    }
  });
  await Promise.allSettled(following);
  await Promise.all(following);
  return exitCodes.done;
}

/**
 * If it loses the directory or its table, it restarts as soon as it can.
 * @param label before each line, where there are several directories
 */
async function follow(directory: string, options: FollowOptions, label: string, stop: AbortSignal): Promise<void> {
  const activity = new Activity(clock);
  const print = (line: string) => console.log(line);
  const logLine = logTo(print, options.log);
  const log: Log = (line, level) => logLine(label + line, level);
  const surroundings: ServiceSurroundings = {
    log,
    ...(options.log === 'text' ? { greet: (line) => print(label + line) } : {}),
    ...(options.accessLog ? { onAnswered: accessLogTo(print, options.log, label === '' ? undefined : directory) } : {}),
  };
  const settings: ServiceOptions = { ...options, views: viewPermissions(options), hooks: hooksOf(options) };
  if (options.create && !isStoreName(directory)) await createDirectory(directory);
  let service: Service | undefined = await start(directory, settings, activity, surroundings);
  while (service !== undefined) {
    const ended = await service.untilEnd(stop);
    log(endings[ended].replace('DIRECTORY', directory), ended === 'asked' ? 'info' : 'error');
    await service.stop();
    if (ended === 'asked') break;
    const port: number | undefined = service.port;
    const again: ServiceOptions = port === undefined ? settings : { ...settings, port };
    service = await restart(directory, again, activity, surroundings, stop);
  }
  log(farewell(activity.counts, clock.now().getTime() - activity.startedAt.getTime()));
}

function hooksOf({ webhook: urls = [], webhookSecret, onPublish: commands = [] }: FollowOptions): readonly Hook[] {
  return [...urls.map((url) => webhook(url, webhookSecret)), ...commands.map(commandHook)];
}

const endings: Readonly<Record<'asked' | Loss, string>> = {
  asked: 'stopping: finishing the work in progress (Ctrl-C again to quit at once)',
  directory: 'DIRECTORY was removed or replaced: restarting',
  state: 'the table or the lock of DIRECTORY was removed: restarting',
  table: 'the table of DIRECTORY is damaged: restarting with a new one',
  lease: 'another indexer took over DIRECTORY: restarting once it has ended',
};

/** When the reader of our output ends, or its disk is full, the server continues. */
function ignoreClosedOutput(): void {
  for (const stream of [process.stdout, process.stderr]) stream.removeAllListeners('error').on('error', () => {});
}

async function start(
  directory: string,
  options: ServiceOptions,
  activity: Activity,
  surroundings: ServiceSurroundings,
): Promise<Service> {
  const { Service } = await import('../functions/local-service.ts');
  return await Service.start(directory, options, activity, surroundings);
}

/** Retries until the directory is mounted again, or its disk has room again. Undefined if asked to stop meanwhile. */
async function restart(
  directory: string,
  options: ServiceOptions,
  activity: Activity,
  surroundings: ServiceSurroundings,
  stop: AbortSignal,
): Promise<Service | undefined> {
  const { serviceLimits } = await import('../functions/local-service.ts');
  let reported: string | undefined;
  while (!stop.aborted) {
    try {
      return await start(directory, options, activity, surroundings);
    } catch (error) {
      const sentence = failureSentence(error);
      if (sentence === undefined) throw error;
      if (sentence !== reported) surroundings.log(`${sentence}; will retry`, 'error');
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

/** One by one: below a place where no directory can be created, like /proc, a recursive mkdir never returns. */
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
