/** Options of commands that read or write a directory. */

import { InvalidArgumentError, Option } from 'commander';
import { settlingLimits } from '../../functions/adapters/local/settling.ts';
import { type IndexFormatName, indexFormatNames } from '../../functions/index/index-formats.ts';
import { isArchitecturePrefix, rulesLimits } from '../../functions/record/rules.ts';
import { parsePath, parseSeconds } from './argument-parsers.ts';

export function stateOption(): Option {
  return new Option('--state <dir>', 'directory for the table (default: .indexer in the indexed directory)').argParser(
    parsePath,
  );
}

export function formatsOption(): Option {
  // `choices` also sets a parser, so ours comes after it.
  return new Option('--formats <list>', 'index formats to publish')
    .choices([...indexFormatNames, indexFormatNames.join(',')])
    .default([...indexFormatNames], indexFormatNames.join(','))
    .argParser(parseFormats);
}

export function pageOption(): Option {
  return new Option('--no-page', 'do not write index.html, the package browser, beside each index');
}

export function archOption(): Option {
  return new Option(
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

export function settleOption(): Option {
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
