/** `index DIR|s3://BUCKET`: brings the indexes of all repositories in a directory or a store up to date, once. */

import { setTimeout } from 'node:timers/promises';
import type { Command } from 'commander';
import type { DirectoryInUse } from '../../functions/adapters/local/directory-lock.ts';
import type { OpenedDirectory } from '../../functions/adapters/local/opened-directory.ts';
import { type RulesOptions, readRules } from '../../functions/adapters/local/rules-files.ts';
import type { StoreOptions } from '../../functions/adapters/store/store-address.ts';
import type { Extracted } from '../../functions/bulk-extract.ts';
import { mixtureLine } from '../../functions/console-messages.ts';
import { failureSentence, systemErrorSentence } from '../../functions/failures.ts';
import { heldBackSentence } from '../../functions/index/hold-back.ts';
import type { IndexFormatName } from '../../functions/index/index-formats.ts';
import type { Summary } from '../../functions/index/summary.ts';
import type { Publication } from '../../functions/summarize.ts';
import { byteSize, count, duration, printable, repositoryName } from '../../functions/wording.ts';
import type { Target } from '../settings/settled-options.ts';
import { parsePath } from '../terminal/argument-parsers.ts';
import { addIndexingOptions } from '../terminal/directory-options.ts';
import { type ExitCode, exitCodes } from '../terminal/exit-codes.ts';
import { Progress } from '../terminal/progress.ts';
import { endingForAll } from '../terminal/run-command.ts';

export function addCommand(program: Command): void {
  const command = program
    .command('index')
    .description('bring all indexes in a directory, or in an S3-compatible store, up to date, once')
    .argument('[dir]', 'directory with repositories at any depth, or s3://BUCKET[/PREFIX]', parsePath);
  addIndexingOptions(command)
    .option('--adopt', 'publish what would be held back because it drops many records')
    .option('--force', 'read every package again, even if unchanged')
    .option('--quiet', 'print nothing unless something is wrong (for cron)')
    .option('--wait', 'if another indexer has the directory, wait until it ends')
    .action(endingForAll(indexDirectories));
}

interface IndexOptions extends StoreOptions, RulesOptions {
  readonly state?: string;
  readonly formats: readonly IndexFormatName[];
  readonly page: boolean;
  /** Seconds without a change before a file is read. */
  readonly settle: number;
  /** Percent. */
  readonly maxShrink?: number;
  readonly followSymlinks?: boolean;
  /** Confirm what is held back. */
  readonly adopt?: boolean;
  /** Read every package again, whether it changed or not. */
  readonly force?: boolean;
  readonly quiet?: boolean;
  readonly wait?: boolean;
}

/** One after the other. A directory that cannot be indexed keeps no other from being indexed. */
async function indexDirectories(targets: readonly Target<IndexOptions>[]): Promise<ExitCode> {
  let worst: ExitCode = exitCodes.done;
  for (const { directory, options } of targets) {
    const exitCode = await indexDirectory(directory, options, targets.length === 1 ? '' : `${directory}: `).catch(
      (error: unknown) => {
        const sentence = failureSentence(error);
        if (targets.length === 1 || sentence === undefined) throw error;
        console.error(printable(sentence));
        return exitCodes.couldNotRun;
      },
    );
    if (exitCode > worst) worst = exitCode;
  }
  return worst;
}

/** @param label before each line, where there are several directories */
async function indexDirectory(
  directory: string,
  {
    state,
    formats,
    page,
    settle,
    maxShrink,
    followSymlinks = false,
    adopt = false,
    force = false,
    quiet = false,
    wait = false,
    ...others
  }: IndexOptions,
  label: string,
): Promise<ExitCode> {
  const [{ syncCalls }, { tableFile }, { ExtractThreads }, { LocalIndexer }] = await Promise.all([
    import('../../functions/adapters/local/file-calls.ts'),
    import('../../functions/adapters/local/state-directory.ts'),
    import('../../functions/extract-threads.ts'),
    import('../../functions/local.ts'),
  ]);
  const rules = await readRules(others);
  const progress = new Progress('reading packages', quiet);
  const say = (line: string) => progress.say(console.error, label + line);
  const sayUnlessQuiet = quiet ? () => undefined : say;
  const print = quiet ? () => undefined : (line: string) => console.log(label + line);
  const done = { hints: 0, summaries: 0, rejected: 0, heldBack: 0, failures: 0 };
  const fail = (sentence: string): void => {
    done.failures += 1;
    say(printable(sentence));
  };
  const report = (hints: number, rejected: Extracted['rejected']): void => {
    done.hints += hints;
    progress.update(done.hints);
    for (const { key, code, message } of rejected) say(`${printable(key)}: rejected: ${code}: ${printable(message)}`);
  };
  const ignoreStop = onStop((exitCode) => {
    progress.stop();
    const [read, published] = [count(done.hints, 'package'), count(done.summaries, 'repository', 'repositories')];
    console.error(`stopped after ${read} and ${published}. That work is kept: run the same command to continue.`);
    process.exit(exitCode);
  });
  const indexer = await LocalIndexer.open(
    {
      directory,
      stateDirectory: state,
      followsLinks: followSymlinks,
      calls: syncCalls,
      store: others,
      onInUse: wait ? waiting(sayUnlessQuiet) : undefined,
    },
    {
      formats,
      page,
      rules,
      maxShrink,
      confirmsHeldBack: adopt,
      events: {
        // Of a store; threads report by themselves.
        onExtracted: (key, extraction) => {
          const row = extraction.outcome === 'removed' ? undefined : extraction.row;
          report(1, row?.state === 'rejected' ? [{ key, ...row.reason }] : []);
        },
        onDeadLetter: ({ hint, error }) => fail(systemErrorSentence(error, `cannot index ${hint.key}`)),
        onSummarized: (repository, publication, startedAt) => {
          done.summaries += 1;
          const facts = describe(publication);
          if (facts.length === 0) return;
          if (publication.outcome === 'held-back') done.heldBack += 1;
          if ('summary' in publication) done.rejected += publication.summary.counted?.rejected ?? 0;
          const time = duration(Date.now() - startedAt.getTime());
          const line = `${printable(repositoryName(repository))}: ${[...facts, time].join(', ')}`;
          (quiet && publication.outcome === 'held-back' ? say : print)(line);
          const mixture = 'summary' in publication && mixtureLine(repository, publication.summary.architectures);
          // A job that runs every few minutes need not repeat it.
          if (mixture) (publication.outcome === 'published' ? say : sayUnlessQuiet)(mixture);
        },
        // The other repositories are published: they may have room, permissions, or a sound disk.
        onSummarizeFailed: (repository, error) => {
          const { path } = error as NodeJS.ErrnoException;
          const where = path === undefined ? '' : `: ${path}`;
          fail(systemErrorSentence(error, `cannot publish the index of ${repositoryName(repository)}${where}`));
        },
        onNotice: say,
        onObstructed: fail,
      },
    },
  );
  const threadsOf = ({ directory: root, stateDirectory, followsLinks, records }: OpenedDirectory) =>
    new ExtractThreads({
      work: {
        directory: root,
        stateDirectory,
        followsLinks,
        table: records.isEmpty ? undefined : tableFile(stateDirectory),
        rules,
        settleMilliseconds: 1_000 * settle,
      },
      onExtracted: async ({ hints, changes, rejected, leftOut, failed }) => {
        await records.writeAll(changes);
        report(hints, rejected);
        for (const key of leftOut)
          sayUnlessQuiet(
            `${printable(key)}: left out: it is still being written; run index again later, or with --settle 0`,
          );
        for (const sentence of failed) fail(sentence);
      },
    });
  const { stores } = indexer;
  // A store answers after milliseconds, in which threads would only wait; and what is in it is complete.
  const threads = 'directory' in stores ? threadsOf(stores) : undefined;
  try {
    const hints = threads ?? indexer.hints;
    const found = await indexer.reindex({ force }, hints);
    progress.start(found.hints, done.hints);
    await hints.idle();
  } catch (error) {
    indexer.abandon();
    throw error;
  } finally {
    progress.stop();
    await threads?.close();
    await indexer.close();
    ignoreStop();
  }
  if (done.failures > 0) return exitCodes.couldNotRun;
  if (done.heldBack > 0) return exitCodes.heldBack;
  if (done.summaries === 0) print(`no packages below ${directory}`);
  return done.rejected > 0 ? exitCodes.rejected : exitCodes.done;
}

/** Calls back with the exit code of a process that a signal ends. @returns what undoes it */
function onStop(stop: (exitCode: number) => void): () => void {
  const handlers = { SIGINT: () => stop(130), SIGTERM: () => stop(143) };
  const signals = ['SIGINT', 'SIGTERM'] as const;
  for (const signal of signals) process.once(signal, handlers[signal]);
  return () => {
    for (const signal of signals) process.off(signal, handlers[signal]);
  };
}

/** How often a directory that is in use is tried again. */
const waitMilliseconds = 500;

/** Waits a moment for the other indexer; says so the first time. */
function waiting(say: (line: string) => void): (inUse: DirectoryInUse) => Promise<void> {
  let isSaid = false;
  return async ({ directory, holder }) => {
    if (!isSaid) say(`waiting: ${printable(directory)} is in use by another indexer (process ${holder})`);
    isSaid = true;
    await setTimeout(waitMilliseconds);
  };
}

/** `5 packages`, `0 rejected`, `2 warnings`, `1.2 kB published`; nothing where there is nothing to report. */
function describe(publication: Publication): string[] {
  switch (publication.outcome) {
    case 'published':
      return [...describeSummary(publication.summary), `${byteSize(publication.bytes)} published`];
    case 'unchanged':
      return [...describeSummary(publication.summary), 'index unchanged'];
    case 'waiting':
      return [`existing index kept: ${count(publication.missing, 'package')} could not be read yet`];
    case 'held-back':
      return [`${heldBackSentence(publication.heldBack)}; to publish it: index --adopt`];
    case 'deferred':
    case 'absent':
      return [];
  }
}

function describeSummary({ records, counted }: Summary): string[] {
  const { rejected, warnings } = counted ?? { rejected: 0, warnings: 0 };
  return [count(records, 'package'), `${rejected} rejected`, count(warnings, 'warning')];
}
