#!/usr/bin/env node
/** The command line: what the commands are called and take. What they do is in the file of the same name, loaded when it is asked for. */

import './compile-cache.ts';
import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import { type IndexFormatName, indexFormatNames } from '../functions/index/index-formats.ts';
import manifest from '../package.json' with { type: 'json' };
import { accountOptions } from './aws/account-options.ts';
import { completionScript, type Shell, shells } from './commands/completion.ts';
import { ending, exitCodesHelp, onDemand, runCommand } from './terminal/run-command.ts';

const stateOption = new Option(
  '--state <dir>',
  'where the table is kept (default: .indexer in the directory)',
).argParser(parsePath);
const formatsOption = new Option('--formats <list>', `index formats to publish, of ${indexFormatNames.join(',')}`)
  .default([...indexFormatNames], indexFormatNames.join(','))
  .argParser(parseFormats);
const pageOption = new Option(
  '--no-page',
  'without a package browser: an index.html is neither put beside an index nor kept current',
);

const stackOption = new Option('--stack <name>', 'the stack on AWS that is meant, in the place of a directory');
const { profileOption, regionOption } = accountOptions();

const program = new Command('indexer')
  .description('Keeps the pkg_summary of pkgsrc package repositories right.')
  .version(manifest.version, '--version', 'print the version')
  .exitOverride()
  .configureHelp({ showGlobalOptions: true })
  .showHelpAfterError('(--help shows what there is)')
  .addHelpText('after', exitCodesHelp);

program
  .command('record')
  .description('print the record of each package, as pkg_info -X would')
  .argument('<file...>', 'packages')
  .action(ending(onDemand(async () => (await import('./commands/record.ts')).record)));

program
  .command('index')
  .description('bring the indexes of all repositories below a directory up to date, once')
  .argument('<dir>', 'a directory with repositories somewhere below', parsePath)
  .addOption(stateOption)
  .addOption(formatsOption)
  .addOption(pageOption)
  .option('--force', 'read every package again, changed or not')
  .action(ending(onDemand(async () => (await import('./commands/index-directory.ts')).indexDirectory)));

program
  .command('serve')
  .description('watch a directory, keep its indexes right at all times, and serve it over HTTP')
  .argument('<dir>', 'a directory with repositories somewhere below', parsePath)
  .option('--host <address>', 'address to listen on', parseHost, '127.0.0.1')
  .option('--port <number>', 'port to listen on; 0 takes any that is free', parsePort, 8080)
  .addOption(
    new Option(
      '--upload-token <token>',
      'whoever shows it may upload and delete; without it, only this machine may',
    ).env('INDEXER_UPLOAD_TOKEN'),
  )
  .option('--upload-max <bytes>', 'largest upload (default: 4 GiB)', parseBytes)
  .option(
    '--debounce <seconds>',
    'an index is replaced after this much quiet, or ten times that at most',
    parseSeconds,
    1,
  )
  .option('--create', 'make the directory where it is missing')
  .addOption(stateOption)
  .addOption(formatsOption)
  .addOption(pageOption)
  .action(ending(onDemand(async () => (await import('./commands/serve.ts')).serve)));

program
  .command('status')
  .description('show the repositories below a directory, or of a stack: packages, rejected, pending, last publication')
  .argument('[dir]', 'a directory that index or serve keeps', parsePath)
  .addOption(stateOption)
  .addOption(stackOption)
  .addOption(profileOption)
  .addOption(regionOption)
  .option('--json', 'for programs')
  .action(ending(onDemand(async () => (await import('./commands/status.ts')).showStatus)));

program
  .command('check')
  .description('report what does not fit together: missing dependencies and libraries, what is there twice')
  .argument('[dir]', 'a directory that index or serve keeps', parsePath)
  .addOption(stateOption)
  .addOption(stackOption)
  .addOption(profileOption)
  .addOption(regionOption)
  .option('--json', 'for programs')
  .action(ending(onDemand(async () => (await import('./commands/check.ts')).check)));

program
  .command('explain')
  .description('say why a package is, or is not, in the index, and what to do')
  .argument(
    '<file>',
    'a package below a directory that index or serve keeps; with --stack, its key in the bucket',
    parsePath,
  )
  .option('--directory <dir>', 'that directory (default: the nearest one above that has an .indexer)')
  .addOption(stateOption)
  .addOption(stackOption)
  .addOption(profileOption)
  .addOption(regionOption)
  .option('--json', 'for programs')
  .action(ending(onDemand(async () => (await import('./commands/explain.ts')).explain)));

program
  .command('completion')
  .description('print a script that completes the command line; each says in its first lines what to do with it')
  .addArgument(new Argument('<shell>', 'which shell').choices(shells))
  .action((shell: Shell) => console.log(completionScript(program, shell)));

function parseFormats(list: string): IndexFormatName[] {
  const names = list.split(',').map((name) => name.trim());
  const unknown = names.filter((name) => !(indexFormatNames as readonly string[]).includes(name));
  if (unknown.length > 0)
    throw new InvalidArgumentError(
      `Expected ${indexFormatNames.join(', ')}, or both; found ${unknown.join(', ') || 'nothing'}.`,
    );
  return indexFormatNames.filter((name) => names.includes(name));
}

/** The empty text would mean the working directory, which is what an unset variable of a shell must not. */
function parsePath(text: string): string {
  if (text === '') throw new InvalidArgumentError('Expected a path, found nothing.');
  return text;
}

/** The empty text would mean every address of the machine, which is what an unset variable of a shell must not. */
function parseHost(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('Expected an address, found nothing.');
  return text;
}

function parsePort(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535)
    throw new InvalidArgumentError('Expected a number from 0 to 65535.');
  return Number(text);
}

function parseBytes(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new InvalidArgumentError('Expected a number of bytes, without a unit.');
  return Number(text);
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (text.trim() === '' || !(seconds >= 0 && seconds <= 300))
    throw new InvalidArgumentError('Expected 0 to 300 seconds.');
  return seconds;
}

await runCommand(program);
