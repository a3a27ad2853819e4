/** The log of `serve`: one line for each event, for people or for programs. */

import { stripVTControlCharacters } from 'node:util';

export type LogLevel = 'info' | 'warn' | 'error';

/** Writes one line, without its line end. Without a level, it is `info`. */
export type Log = (line: string, level?: LogLevel) => void;

export const logFormats = ['text', 'json'] as const;

export type LogFormat = (typeof logFormats)[number];

/** A request that was answered, or whose client left before. */
export interface AnsweredRequest {
  /** The address that it came from: behind a proxy, that of the proxy. */
  readonly client: string;
  readonly method: string;
  /** As it was sent: `/All/x-1.0.tgz?list`. */
  readonly target: string;
  /** `1.1` */
  readonly httpVersion: string;
  readonly status: number;
  /** Of the body, as far as it was sent. */
  readonly bytes: number;
  readonly milliseconds: number;
}

/** @param write gets each line, without its line end. */
export function logTo(write: (line: string) => void, format: LogFormat, now = () => new Date()): Log {
  return (line, level = 'info') =>
    write(
      format === 'json'
        ? JSON.stringify({ time: now().toISOString(), level, message: stripVTControlCharacters(line) })
        : `${now().toISOString()} ${level.padEnd(5)} ${line}`,
    );
}

/**
 * A line for each request: in the common log format (https://httpd.apache.org/docs/current/logs.html#common), which programs that make
 * statistics read, or as JSON.
 * @param directory where there are several
 */
export function accessLogTo(
  write: (line: string) => void,
  format: LogFormat,
  directory?: string,
  now = () => new Date(),
) {
  return (request: AnsweredRequest): void =>
    write(
      format === 'json'
        ? JSON.stringify({
            time: now().toISOString(),
            level: 'info',
            message: 'request',
            ...(directory && { directory }),
            ...request,
          })
        : (directory === undefined ? '' : `${directory}: `) + commonLogLine(request, now()),
    );
}

function commonLogLine(request: AnsweredRequest, time: Date): string {
  const { client, method, target, httpVersion, status, bytes } = request;
  const [day, month, year, clock] = time.toUTCString().split(' ').slice(1);
  const line = `${method} ${target} HTTP/${httpVersion}`;
  // Escaped as nginx does it: nothing that a client sends ends the field, or the line.
  const escaped = line.replaceAll(/["\\]|[^\x20-\x7e]/g, (character) =>
    [...Buffer.from(character)].map((byte) => `\\x${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  );
  return `${client} - - [${day}/${month}/${year}:${clock} +0000] "${escaped}" ${status} ${bytes === 0 ? '-' : bytes}`;
}
