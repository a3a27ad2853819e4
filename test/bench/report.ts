/** Benchmarks as a table: a row for each thing that was measured, several runs each; and where and when that was. */

import { execFileSync } from 'node:child_process';
import { cpus, release, totalmem } from 'node:os';
import { median } from './measurement.ts';

/** One thing that was measured. */
export interface Measured {
  readonly what: string;
  readonly unit: string;
  /** One for each run. */
  readonly values: readonly number[];
  /** The most it should be. */
  readonly limit?: number;
}

/** What was measured together, in the same runs. */
export interface Section {
  readonly name: string;
  readonly title: string;
  /** What was done, in a few sentences. */
  readonly about: string;
  /** What brings these rows about again. */
  readonly command: string;
  readonly rows: readonly Measured[];
  readonly plots?: readonly Plot[];
}

/** Lines; both axes are logarithmic, so no value may be 0. */
export interface Plot {
  readonly file: string;
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly lines: readonly { readonly name: string; readonly points: readonly (readonly [x: number, y: number])[] }[];
}

/** A section with its machine. */
export interface Result extends Section {
  readonly date: string;
  readonly machine: string;
}

export function describeMachine(): string {
  const [cpu] = cpus();
  const gibibytes = Math.round(totalmem() / 1024 ** 3);
  return `${cpus().length} × ${cpu?.model.trim()}, ${gibibytes} GiB, Linux ${release()}, Node ${process.version}`;
}

/** The first line of what a command says about its version; undefined where it is not there. */
export function versionOf(command: readonly [string, ...string[]]): string | undefined {
  try {
    const [program, ...args] = command;
    return execFileSync(program, args, { stdio: ['ignore', 'pipe', 'ignore'] })
      .toString()
      .split('\n')[0]
      ?.trim();
  } catch {
    return undefined;
  }
}

export function tableOf(rows: readonly Measured[]): string {
  const lines = rows.map(({ what, unit, values, limit }) => {
    const least = Math.min(...values);
    const most = Math.max(...values);
    const spread = values.length === 1 ? '' : `${figure(least)} to ${figure(most)}`;
    const isOver = limit !== undefined && median(values) > limit;
    const goal = limit === undefined ? '' : `≤ ${figure(limit)}${isOver ? ' (missed)' : ''}`;
    return `| ${what} | ${figure(median(values))} ${unit} | ${spread} | ${goal} |`;
  });
  return ['| | median | runs | goal |', '| --- | ---: | ---: | ---: |', ...lines].join('\n');
}

/** Three digits that count. */
export function figure(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return String(value);
  const decimals = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toLocaleString('en', { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}

export function sectionText({ title, about, command, rows, plots = [], date, machine }: Result): string {
  const pictures = plots.map(({ file, title }) => `![${title}](benchmarks/${file})`);
  return [`## ${title}`, about, tableOf(rows), ...pictures, `\`${command}\`, ${date}, on ${machine}.`].join('\n\n');
}
