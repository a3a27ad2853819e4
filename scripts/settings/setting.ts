/** The value of an option that is not on the command line: its name elsewhere, and its value from text or TOML. */

import { InvalidArgumentError, type Option } from 'commander';
import { UsageError } from '../../functions/failures.ts';
import { RepeatableOption } from '../terminal/argument-parsers.ts';

/** Where a value is from, for messages: `PKGSRC_INDEXER_PORT`, `indexer.toml: port` */
export interface Setting {
  readonly raw: unknown;
  readonly source: string;
}

/** The key in a configuration file. @example of `--no-page`: `page` */
export function settingName({ long }: Option): string {
  return (long ?? '').replace(/^--(no-)?/, '');
}

/** @example of `--no-page`: `PKGSRC_INDEXER_PAGE` */
export function environmentName(option: Option): string {
  return `PKGSRC_INDEXER_${settingName(option).toUpperCase().replaceAll('-', '_')}`;
}

export function environmentSetting(option: Option): Setting | undefined {
  const source = environmentName(option);
  const raw = process.env[source];
  return raw === undefined ? undefined : { raw, source };
}

/** @returns what the option itself would make of it. @throws {UsageError} */
export function parseSetting(option: Option, { raw, source }: Setting): unknown {
  const fail = (expected: string): never => {
    throw new UsageError(`${source}: expected ${expected}, found ${JSON.stringify(raw)}`);
  };
  if (!option.required && !option.optional) return parseSwitch(raw) ?? fail('true or false');
  const texts = (option instanceof RepeatableOption && Array.isArray(raw) ? raw : [raw]).map(asText);
  const { parseArg = (text: string) => text } = option;
  try {
    return texts.reduce<unknown>((before, text = fail('a text or a number')) => parseArg(text, before), undefined);
  } catch (error) {
    if (error instanceof InvalidArgumentError) throw new UsageError(`${source}: ${error.message}`);
    throw error;
  }
}

const switches: Readonly<Record<string, boolean>> = {
  '1': true,
  true: true,
  yes: true,
  '0': false,
  false: false,
  no: false,
};

function parseSwitch(raw: unknown): boolean | undefined {
  if (typeof raw === 'boolean') return raw;
  return typeof raw === 'string' ? switches[raw.toLowerCase()] : undefined;
}

function asText(raw: unknown): string | undefined {
  return typeof raw === 'string' || typeof raw === 'number' ? String(raw) : undefined;
}
