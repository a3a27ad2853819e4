/** Options of commands that read or write a directory. */

import { type Command, InvalidArgumentError, Option } from 'commander';
import { settlingLimits } from '../../functions/adapters/local/settling.ts';
import { percentOf } from '../../functions/index/hold-back.ts';
import { type IndexFormatName, indexFormatNames } from '../../functions/index/index-formats.ts';
import { logFormats } from '../../functions/log.ts';
import { isArchitecturePrefix, rulesLimits } from '../../functions/record/rules.ts';
import { profileOption } from '../aws/account-options.ts';
import { parsePath, parseSeconds, parseSecret, parseUrls, RepeatableOption } from './argument-parsers.ts';
import { addStoreOptions, storeRegionOption } from './store-options.ts';
import { addTrustOptions } from './trust-options.ts';

/** Of every command that makes indexes. */
export function addIndexingOptions(command: Command): Command {
  return addStoreOptions(addTrustOptions(command))
    .addOption(stateOption())
    .addOption(formatsOption())
    .option('--no-page', 'do not write index.html, the package browser, beside each index')
    .addOption(followSymlinksOption())
    .addOption(archOption())
    .addOption(settleOption())
    .addOption(maxShrinkOption())
    .addOption(profileOption())
    .addOption(storeRegionOption());
}

/** Of the commands that watch a directory. */
export function addWatchingOptions(command: Command): Command {
  return addIndexingOptions(command)
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
    .addOption(new Option('--log <format>', 'format of the log').choices(logFormats).default('text'))
    .addOption(
      new RepeatableOption(
        '--on-publish <command>',
        'run this by sh after each publication, with JSON on its standard input; repeatable',
      ),
    )
    .addOption(
      new RepeatableOption('--webhook <url>', 'POST JSON there after each publication; repeatable').argParser(
        parseUrls,
      ),
    )
    .option('--webhook-secret <secret>', 'sign what is posted with HMAC-SHA256', parseSecret)
    .option('--create', 'create the directory if it does not exist');
}

export function stateOption(): Option {
  return new Option(
    '--state <dir>',
    'directory for the table (default: .indexer in the indexed directory; for a store, a place of this user)',
  ).argParser(parsePath);
}

export function followSymlinksOption(): Option {
  return new Option(
    '--follow-symlinks',
    'take symbolic links in a directory for what they lead to, also outside of it',
  );
}

function formatsOption(): Option {
  // `choices` also sets a parser, so ours comes after it.
  return new Option('--formats <list>', 'index formats to publish')
    .choices([...indexFormatNames, indexFormatNames.join(',')])
    .default([...indexFormatNames], indexFormatNames.join(','))
    .argParser(parseFormats);
}

function maxShrinkOption(): Option {
  return new Option(
    '--max-shrink <percent>',
    'hold back any publication that drops more of the records (default: 10, only where the rules changed or the index is not ours)',
  ).argParser(parsePercent);
}

function parsePercent(text: string): number {
  const percent = percentOf(text);
  if (percent === undefined) throw new InvalidArgumentError('Expected a percentage from 0 to 100.');
  return percent;
}

function archOption(): Option {
  return new RepeatableOption(
    '--arch <prefix>',
    'reject packages whose MACHINE_ARCH does not begin with this; repeatable (default: accept any)',
  ).argParser(parseArch);
}

/** An empty text would accept everything. An unset shell variable must not. */
function parseArch(prefix: string, before: readonly string[] = []): readonly string[] {
  if (!isArchitecturePrefix(prefix))
    throw new InvalidArgumentError('Expected a MACHINE_ARCH or its beginning, for example x86_64.');
  if (before.length === rulesLimits.architecturesMax)
    throw new InvalidArgumentError(`Expected at most ${rulesLimits.architecturesMax} of them.`);
  return [...before, prefix];
}

function settleOption(): Option {
  const { settleMilliseconds } = settlingLimits;
  return new Option(
    '--settle <seconds>',
    'read a file once it has not changed for so long; 0 if no program is writing any',
  )
    .argParser(parseSeconds(0, 300))
    .default(settleMilliseconds / 1_000);
}

function parseFormats(list: string): IndexFormatName[] {
  const names = list.split(',').map((name) => name.trim());
  const unknown = names.filter((name) => !(indexFormatNames as readonly string[]).includes(name));
  if (unknown.length > 0)
    throw new InvalidArgumentError(
      `Expected ${indexFormatNames.join(', ')}, or both; found ${unknown.join(', ') || 'nothing'}.`,
    );
  return indexFormatNames.filter((name) => names.includes(name));
}
