/**
 * The configuration file (`--config FILE`), in TOML: a key for each option of the command line, and a `[[directories]]` for each
 * directory, with a `path` and the options that are different for it.
 */

import { createReadStream } from 'node:fs';
import { dirname, resolve, sep } from 'node:path';
import { Command, CommanderError, type Option } from 'commander';
import { isStoreName } from '../../functions/adapters/store/store-address.ts';
import { CannotRun, systemErrorSentence, UsageError } from '../../functions/failures.ts';
import { parsePath, parsePaths } from '../terminal/argument-parsers.ts';
import { settingName } from './setting.ts';

export const configLimits = {
  /** A thousand times what a file has: another file was named by mistake, or a device. */
  fileBytesMax: 1_000_000,
  /** Each directory has a table, a lock, watches and a port of its own, on one thread: more of them are for several processes. */
  directoriesMax: 50,
} as const;

export interface Settings {
  readonly [name: string]: unknown;
}

export interface ConfigFile {
  readonly file: string;
  /** For every directory. */
  readonly settings: Settings;
  readonly directories: readonly ConfiguredDirectory[];
}

interface ConfiguredDirectory {
  /** Absolute, or `s3://…`. */
  readonly path: string;
  readonly settings: Settings;
}

/**
 * Paths in it are relative to the file.
 * @param options of all commands
 * @throws {CannotRun} where it cannot be read. @throws {UsageError} for anything that is not expected in it.
 */
export async function readConfigFile(file: string, options: readonly Option[]): Promise<ConfigFile> {
  const { directories = [], ...settings } = parseToml(await read(file), file, await import('smol-toml'));
  const names = [...new Set(options.map(settingName))].filter((name) => name !== 'config').sort();
  const arePaths = options.filter(({ parseArg }) => parseArg === parsePath || parseArg === parsePaths);
  const paths = new Set(arePaths.map(settingName));
  const checked = (where: string, table: Settings): Settings => {
    checkNames(where, table, names);
    return withAbsolutePaths(table, paths, dirname(resolve(file)));
  };
  if (!Array.isArray(directories) || !directories.every(isTable))
    throw new UsageError(`${file}: directories: expected a [[directories]] for each directory`);
  if (directories.length > configLimits.directoriesMax)
    throw new UsageError(
      `${file}: expected at most ${configLimits.directoriesMax} [[directories]], found ${directories.length}: use several files and processes`,
    );
  return {
    file,
    settings: checked(`${file}: `, settings),
    directories: withoutDuplicates(
      file,
      directories.map(({ path, ...table }: Settings, index) => {
        const where = `${file}: [[directories]] ${index + 1}: `;
        if (typeof path !== 'string' || path === '') throw new UsageError(`${where}expected path = "DIR"`);
        return { path: isStoreName(path) ? path : resolve(dirname(file), path), settings: checked(where, table) };
      }),
    ),
  };
}

/** Also of a pipe. */
async function read(file: string): Promise<string> {
  const { fileBytesMax } = configLimits;
  try {
    const bytes = Buffer.concat(await createReadStream(file, { end: fileBytesMax }).toArray());
    if (bytes.length <= fileBytesMax) return bytes.toString();
  } catch (error) {
    throw new CannotRun(systemErrorSentence(error, file));
  }
  throw new UsageError(`${file}: expected at most ${fileBytesMax} bytes, found more: is it a configuration file?`);
}

function parseToml(text: string, file: string, { parse, TomlError }: typeof import('smol-toml')): Settings {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    // Its message goes on with a picture of the line.
    const [sentence = ''] = error.message.split('\n');
    throw new UsageError(`${file}: line ${error.line}, column ${error.column}: ${sentence}`);
  }
}

function isTable(value: unknown): value is Settings {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

function checkNames(where: string, table: Settings, names: readonly string[]): void {
  for (const name of Object.keys(table))
    if (!names.includes(name))
      throw new UsageError(`${where}unknown key ${JSON.stringify(name)}${suggestion(name, names)}`);
}

/** `; did you mean port?`, as commander suggests for an option of the command line. */
function suggestion(name: string, names: readonly string[]): string {
  const program = new Command()
    .helpOption(false)
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  for (const each of names) program.option(`--${each}`);
  try {
    program.parse([`--${name}`], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    const [, similar] = /\(Did you mean (.*)\?\)/.exec(error.message) ?? [];
    if (similar !== undefined) return `; did you mean ${similar.replaceAll('--', '')}?`;
  }
  return ': docs/options.md lists all';
}

function withAbsolutePaths(table: Settings, paths: ReadonlySet<string>, base: string): Settings {
  const absolute = (value: unknown) => (typeof value === 'string' && value !== '' ? resolve(base, value) : value);
  const entries = Object.entries(table).map(([name, value]) => {
    if (!paths.has(name)) return [name, value];
    return [name, Array.isArray(value) ? value.map(absolute) : absolute(value)];
  });
  return Object.fromEntries(entries);
}

function withoutDuplicates(file: string, directories: readonly ConfiguredDirectory[]): readonly ConfiguredDirectory[] {
  const paths = directories.map(({ path }) => path);
  const twice = paths.find((path, index) => paths.indexOf(path) !== index);
  if (twice !== undefined) throw new UsageError(`${file}: [[directories]] has ${twice} twice`);
  for (const outer of paths) {
    const inner = paths.find(
      (path) => path.startsWith(outer.endsWith(sep) ? outer : `${outer}${sep}`) && path !== outer,
    );
    if (inner !== undefined)
      throw new UsageError(`${file}: [[directories]] has ${inner} inside ${outer}, which is indexed with all below it`);
  }
  return directories;
}
