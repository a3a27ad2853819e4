/** Parsers for arguments and options. Each throws commander's InvalidArgumentError, which names the argument. */

import { InvalidArgumentError, Option } from 'commander';

/** The empty text would mean the working directory. An unset shell variable must not. */
export function parsePath(text: string): string {
  if (text === '') throw new InvalidArgumentError('Expected a path, found nothing.');
  return text;
}

export function parsePaths(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, parsePath(text)];
}

/** The empty text would mean every address of the machine. An unset shell variable must not. */
export function parseHost(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('Expected an address, found nothing.');
  return text;
}

export function parsePort(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535)
    throw new InvalidArgumentError('Expected a number from 0 to 65535.');
  return Number(text);
}

/** @returns it without a slash at its end. */
export function parsePublicUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isPlain =
    url !== undefined && url.username + url.password + url.search + url.hash === '' && !/[?#]$/.test(text);
  if (!isPlain || !/^https?:$/.test(url.protocol))
    throw new InvalidArgumentError(
      'Expected http:// or https://, a host, and a path at most: https://packages.example',
    );
  return url.href.replace(/\/+$/, '');
}

export function parseBytes(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new InvalidArgumentError('Expected a number of bytes, without a unit.');
  return Number(text);
}

/** @returns a parser of seconds, with fractions */
export function parseSeconds(min: number, max: number): (text: string) => number {
  return (text) => {
    const seconds = Number(text);
    if (text.trim() === '' || !(seconds >= min && seconds <= max))
      throw new InvalidArgumentError(`Expected ${min} to ${max} seconds.`);
    return seconds;
  };
}

/** An option that may be given several times. Its parser, if it has one of its own, gets the values before. */
export class RepeatableOption extends Option {
  constructor(flags: string, description: string) {
    super(flags, description);
    this.argParser<readonly string[]>((value, before = []) => [...before, value]);
  }
}

export function parseSecret(text: string): string {
  if (text === '') throw new InvalidArgumentError('Expected a secret, found nothing.');
  return text;
}

/** Of an option that may be given several times. */
export function parseUrls(text: string, before: readonly string[] = []): readonly string[] {
  const { protocol = '', username, password } = URL.parse(text) ?? {};
  if (!/^https?:$/.test(protocol))
    throw new InvalidArgumentError('Expected a URL with http:// or https://, and a host.');
  if (username || password)
    throw new InvalidArgumentError('Expected a URL without a user and a password: sign with --webhook-secret.');
  return [...before, text];
}
