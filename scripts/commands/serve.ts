/** `serve DIR`: the indexer and a web server on one machine. A package lands in the directory; seconds later pkgin sees it. */

import { access, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Command, Option } from 'commander';
import { localLimits } from '../../functions/adapters/local/limits.ts';
import { SystemClock } from '../../functions/adapters/system-clock.ts';
import { say, sayTriedAgain } from '../../functions/console-messages.ts';
import { CannotRun, systemErrorSentence } from '../../functions/failures.ts';
import type { Service, ServiceLoss, ServiceOptions } from '../../functions/local-service.ts';
import { Activity } from '../../functions/server/activity.ts';
import { count, duration } from '../../functions/wording.ts';
import { firstPage } from '../first-page.ts';
import { parseBytes, parseHost, parsePath, parsePort, parseSeconds } from '../terminal/argument-parsers.ts';
import { formatsOption, pageOption, stateOption } from '../terminal/directory-options.ts';
import { type ExitCode, exitCodes } from '../terminal/exit-codes.ts';
import { ending } from '../terminal/run-command.ts';
import { stopSignal } from '../terminal/stop-signal.ts';

export function addCommand(program: Command): void {
  program
    .command('serve')
    .description('index a directory, watch it for changes, and serve it over HTTP')
    .argument('<dir>', 'directory with repositories at any depth', parsePath)
    .option('--host <address>', 'address to listen on', parseHost, '127.0.0.1')
    .option('--port <number>', 'port to listen on; 0 picks a free one', parsePort, 8080)
    .addOption(
      new Option(
        '--upload-token <token>',
        'allow uploads and deletions with this token; without a token, only from this machine',
      ).env('INDEXER_UPLOAD_TOKEN'),
    )
    .option('--upload-max <bytes>', 'largest upload (default: 4 GiB)', parseBytes)
    .option(
      '--debounce <seconds>',
      'publish an index after so many seconds without a change, or ten times that at most',
      parseSeconds(0, 300),
      1,
    )
    .option('--create', 'create the directory if it does not exist')
    .addOption(stateOption())
    .addOption(formatsOption())
    .addOption(pageOption())
    .action(ending(serve));
}

interface ServeOptions extends ServiceOptions {
  /** Make the directory, with a page that says what to do, where it is missing. */
  readonly create?: boolean;
}

const clock = new SystemClock();

/** Until it is asked to stop. Where it loses its directory or its table, it begins anew as soon as it can. */
async function serve(directory: string, options: ServeOptions): Promise<ExitCode> {
  outliveTheLog();
  const stop = stopSignal(process, clock, () => process.exit(130));
  const activity = new Activity(clock);
  if (options.create) await createDirectory(directory);
  let service: Service | 'asked' = await started(directory, options, activity);
  while (service !== 'asked') {
    const ended = await service.untilEnd(stop);
    say(endings[ended].replace('DIRECTORY', directory));
    await service.stop();
    service =
      ended === 'asked' ? 'asked' : await startedAgain(directory, { ...options, port: service.port }, activity, stop);
  }
  say(farewell(activity));
  return exitCodes.done;
}

/** `stopped after 3 min: 5 uploads, 7 indexed, 4 publications` */
function farewell({ startedAt, counts }: Activity): string {
  const { uploads, indexed, rejected, removed, publications } = counts;
  const facts = [
    uploads > 0 && count(uploads, 'upload'),
    indexed > 0 && `${indexed} indexed`,
    rejected > 0 && `${rejected} rejected`,
    removed > 0 && `${removed} removed`,
    publications > 0 && count(publications, 'publication'),
  ].filter((fact) => fact !== false);
  const time = duration(clock.now().getTime() - startedAt.getTime());
  return `stopped after ${time}: ${facts.length === 0 ? 'nothing had to be done' : facts.join(', ')}`;
}

const endings: Readonly<Record<'asked' | ServiceLoss, string>> = {
  asked: 'stopping: what is under way is finished first (Ctrl-C again does not wait)',
  directory: 'DIRECTORY is gone, or is another one: beginning anew with what is there',
  state: 'table or lock of DIRECTORY were removed: beginning anew, from the packages that are there',
  table: 'the table of DIRECTORY is damaged: beginning anew, from the packages that are there',
  watch: 'DIRECTORY is not watched any more: beginning anew with what is there',
};

/** A pipe whose reader ended, a disk that is full: the repository is served on, and its log goes on when it can. */
function outliveTheLog(): void {
  for (const stream of [process.stdout, process.stderr]) stream.removeAllListeners('error').on('error', () => {});
}

async function started(directory: string, options: ServeOptions, activity: Activity): Promise<Service> {
  const { Service } = await import('../../functions/local-service.ts');
  const service = await Service.open(directory, options, activity);
  try {
    await service.start();
    return service;
  } catch (error) {
    await service.stop();
    throw error;
  }
}

/** The directory may be mounted again, or the disk have room again, at any time. */
async function startedAgain(
  directory: string,
  options: ServeOptions,
  activity: Activity,
  stop: AbortSignal,
): Promise<Service | 'asked'> {
  let said: string | undefined;
  while (!stop.aborted) {
    try {
      return await started(directory, options, activity);
    } catch (error) {
      said = sayTriedAgain(error, said);
    }
    await clock.sleep(localLimits.lossMilliseconds, stop);
  }
  return 'asked';
}

async function createDirectory(directory: string): Promise<void> {
  const isThere = await access(directory).then(
    () => true,
    () => false,
  );
  if (isThere) return;
  try {
    await makeDirectories(join(directory, 'All'));
    await writeFile(join(directory, 'README.txt'), firstPage);
  } catch (error) {
    throw new CannotRun(systemErrorSentence(error, directory));
  }
}

/** One by one: asked for all of them at once below a place where nobody can make any, like /proc, Node tries for ever. */
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
