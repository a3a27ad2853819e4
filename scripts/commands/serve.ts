/** `serve DIR`: the indexer and a web server on one machine. A package lands in the directory; seconds later pkgin sees it. */

import { access, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Command, Option } from 'commander';
import type { Loss } from '../../functions/adapters/local/opened-directory.ts';
import { SystemClock } from '../../functions/adapters/system-clock.ts';
import { farewell } from '../../functions/console-messages.ts';
import { CannotRun, failureSentence, systemErrorSentence } from '../../functions/failures.ts';
import type { Service, ServiceOptions, ServiceSurroundings } from '../../functions/local-service.ts';
import { accessLogTo, type LogFormat, logFormats, logTo } from '../../functions/log.ts';
import { Activity } from '../../functions/server/activity.ts';
import {
  parseBytes,
  parseHost,
  parsePath,
  parsePort,
  parsePublicUrl,
  parseSeconds,
} from '../terminal/argument-parsers.ts';
import { archOption, formatsOption, pageOption, settleOption, stateOption } from '../terminal/directory-options.ts';
import { type ExitCode, exitCodes } from '../terminal/exit-codes.ts';
import { ending } from '../terminal/run-command.ts';
import { stopSignal } from '../terminal/stop-signal.ts';
import { type ViewOptions, viewOption, viewPermissions, viewTokenOption } from '../terminal/view-options.ts';

export function addCommand(program: Command): void {
  program
    .command('serve')
    .description('index a directory, watch it for changes, and serve it over HTTP')
    .argument('<dir>', 'directory with repositories at any depth', parsePath)
    .option('--host <address>', 'address to listen on', parseHost, '127.0.0.1')
    .option('--port <number>', 'port to listen on; 0 picks a free one', parsePort, 8080)
    .option('--public-url <url>', 'URL of the server for clients (default: its address)', parsePublicUrl)
    .addOption(
      new Option('--upload-token <token>', 'permit uploads and deletions with this token').env('INDEXER_UPLOAD_TOKEN'),
    )
    .option(
      '--local-uploads',
      'permit uploads and deletions from this machine; never use it behind a proxy, where every client looks local',
    )
    .option('--no-overwrite', 'refuse uploads of packages that exist (409); they can still be deleted')
    .option('--upload-max <bytes>', 'largest upload (default: 4 GiB)', parseBytes)
    .option(
      '--debounce <seconds>',
      'publish an index when it has not changed for this long, or after ten times that at most',
      parseSeconds(0, 300),
      1,
    )
    .option(
      '--poll <seconds>',
      'compare everything this often, instead of watching it (for file systems that report no changes)',
      parseSeconds(0.1, 3_600),
    )
    .addOption(settleOption())
    .addOption(viewOption('operations', 'the page /-/ and /-/status'))
    .addOption(viewTokenOption('operations'))
    .addOption(viewOption('metrics', '/-/metrics, for Prometheus'))
    .addOption(viewTokenOption('metrics'))
    .addOption(viewOption('health', '/-/healthz'))
    .addOption(viewTokenOption('health'))
    .addOption(new Option('--log <format>', 'format of the log').choices(logFormats).default('text'))
    .option('--access-log', 'log each request: in the common log format, or as JSON with --log json')
    .option('--create', 'create the directory if it does not exist')
    .addOption(stateOption())
    .addOption(formatsOption())
    .addOption(pageOption())
    .addOption(archOption())
    .action(ending(serve));
}

interface ServeOptions extends Omit<ServiceOptions, 'views'>, ViewOptions {
  /** Make the directory where it is missing. */
  readonly create?: boolean;
  readonly log: LogFormat;
  readonly accessLog?: boolean;
}

const clock = new SystemClock();

/** Runs until it is asked to stop. If it loses its directory or its table, it restarts as soon as it can. */
async function serve(directory: string, options: ServeOptions): Promise<ExitCode> {
  ignoreClosedOutput();
  const stop = stopSignal(process, clock, () => process.exit(130));
  const activity = new Activity(clock);
  const print = (line: string) => console.log(line);
  const log = logTo(print, options.log);
  const surroundings: ServiceSurroundings = {
    log,
    ...(options.log === 'text' ? { greet: print } : {}),
    ...(options.accessLog ? { onAnswered: accessLogTo(print, options.log) } : {}),
  };
  const settings = { ...options, views: viewPermissions(options) };
  if (options.create) await createDirectory(directory);
  let service: Service | undefined = await start(directory, settings, activity, surroundings);
  while (service !== undefined) {
    const ended = await service.untilEnd(stop);
    log(endings[ended].replace('DIRECTORY', directory), ended === 'asked' ? 'info' : 'error');
    await service.stop();
    const port: number = service.port;
    if (ended === 'asked') break;
    service = await restart(directory, { ...settings, port }, activity, surroundings, stop);
  }
  log(farewell(activity.counts, clock.now().getTime() - activity.startedAt.getTime()));
  return exitCodes.done;
}

const endings: Readonly<Record<'asked' | Loss, string>> = {
  asked: 'stopping: finishing the work in progress (Ctrl-C again to quit at once)',
  directory: 'DIRECTORY was removed or replaced: restarting',
  state: 'the table or the lock of DIRECTORY was removed: restarting',
  table: 'the table of DIRECTORY is damaged: restarting with a new one',
  lease: 'another indexer took over DIRECTORY: restarting once it has ended',
};

/** When the reader of our output ends, or its disk is full, the server goes on. */
function ignoreClosedOutput(): void {
  for (const stream of [process.stdout, process.stderr]) stream.removeAllListeners('error').on('error', () => {});
}

async function start(
  directory: string,
  options: ServiceOptions,
  activity: Activity,
  surroundings: ServiceSurroundings,
): Promise<Service> {
  const { Service } = await import('../../functions/local-service.ts');
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
  const { serviceLimits } = await import('../../functions/local-service.ts');
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
