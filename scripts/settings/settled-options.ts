/** The options of a command: from its line, else from the environment, else from the configuration file, else the default. */

import { resolve, sep } from 'node:path';
import { type Command, Option } from 'commander';
import { isStoreName } from '../../functions/adapters/store/store-address.ts';
import { UsageError } from '../../functions/failures.ts';
import { parsePath } from '../terminal/argument-parsers.ts';
import { type ConfigFile, readConfigFile, type Settings } from './config-file.ts';
import { environmentSetting, parseSetting, settingName } from './setting.ts';

export type OptionValues = Readonly<Record<string, unknown>>;

/** One directory to work on, with the options for it. */
export interface Target<Options> {
  readonly directory: string;
  readonly options: Options;
}

/** Those that commander must not demand of the command line, since they may be in the environment or in the file. */
const required = new WeakSet<Option>();

/** Lets the options of a command be set elsewhere. */
export function acceptSettings(command: Command): void {
  if (command.options.length === 0) return;
  for (const option of command.options.filter(({ mandatory }) => mandatory)) {
    option.makeOptionMandatory(false);
    required.add(option);
  }
  command.addOption(
    new Option('--config <file>', 'take options from this file, in TOML (docs/options.md)').argParser(parsePath),
  );
}

/**
 * @param directory that the command is for, if it is for one.
 * @returns with `configuredRoot`, where the directory is, or is in, one of the configuration file
 * @throws {UsageError}
 */
export async function settledOptions(command: Command, directory: string | undefined): Promise<OptionValues> {
  const config = await configOf(command);
  const configured = directory === undefined ? undefined : configuredAbove(config, directory);
  const options = optionsFor(command, config, configured?.settings);
  return configured === undefined ? options : { ...options, configuredRoot: configured.path };
}

/** The directory of the command line, or else each one of the configuration file. @throws {UsageError} where there is none */
export async function settledTargets(
  command: Command,
  directory: string | undefined,
): Promise<readonly Target<OptionValues>[]> {
  if (directory !== undefined) {
    const { configuredRoot: _, ...options } = await settledOptions(command, directory);
    return [{ directory, options }];
  }
  const config = await configOf(command);
  if (config === undefined || config.directories.length === 0)
    throw new UsageError(`${command.name()}: expected a directory, or --config FILE with [[directories]] in it`);
  const targets = config.directories.map(({ path, settings }) => ({
    directory: path,
    options: optionsFor(command, config, settings),
  }));
  refuseSharedState(targets);
  return targets;
}

/** Each would take the packages of the other out of the table. */
function refuseSharedState(targets: readonly Target<OptionValues>[]): void {
  const owners = new Map<string, string>();
  for (const { directory, options } of targets) {
    if (typeof options.state !== 'string') continue;
    const state = resolve(options.state);
    const other = owners.get(state);
    if (other !== undefined)
      throw new UsageError(`${other} and ${directory} have the same state directory ${state}: give each its own`);
    owners.set(state, directory);
  }
}

async function configOf(command: Command): Promise<ConfigFile | undefined> {
  const option = command.options.find((each) => settingName(each) === 'config');
  const setting = option && environmentSetting(option);
  const file = command.opts().config ?? (option && setting && parseSetting(option, setting));
  if (file === undefined) return undefined;
  const commands = command.parent?.commands ?? [command];
  return await readConfigFile(
    file,
    commands.flatMap(({ options }) => options),
  );
}

function configuredAbove(config: ConfigFile | undefined, path: string) {
  const absolute = isStoreName(path) ? path : resolve(path);
  return config?.directories.find((each) => absolute === each.path || absolute.startsWith(`${each.path}${sep}`));
}

function optionsFor(command: Command, config: ConfigFile | undefined, own: Settings = {}): OptionValues {
  const values: Record<string, unknown> = { ...command.opts() };
  const settings = { ...config?.settings, ...own };
  for (const option of command.options) {
    const name = option.attributeName();
    if (command.getOptionValueSource(name) !== 'cli') {
      const raw = settings[settingName(option)];
      const setting =
        environmentSetting(option) ??
        (raw === undefined ? undefined : { raw, source: `${config?.file}: ${settingName(option)}` });
      if (setting !== undefined) values[name] = parseSetting(option, setting);
    }
    if (required.has(option) && values[name] === undefined)
      throw new UsageError(`required option '${option.flags}' not specified`);
  }
  return values;
}
