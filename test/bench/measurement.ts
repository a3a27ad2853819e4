/** What is measured of a run: time by the wall clock, time of all processors, memory; and what several runs say together. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

export interface Cost {
  readonly wallMilliseconds: number;
  /** User and system, all threads. */
  readonly cpuMilliseconds: number;
}

export interface ProcessCost extends Cost {
  readonly peakMebibytes: number;
  readonly stdout: string;
}

export interface ProcessPlace {
  readonly cwd?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/** Of this process, while the work goes on. */
export async function costOf(work: () => unknown): Promise<Cost> {
  const cpuBefore = process.cpuUsage();
  const begin = performance.now();
  await work();
  const wallMilliseconds = performance.now() - begin;
  const { user, system } = process.cpuUsage(cpuBefore);
  return { wallMilliseconds, cpuMilliseconds: (user + system) / 1000 };
}

/**
 * Of a process and the children that it waited for, measured by time(1) (Debian package `time`).
 * @throws where it fails, with what it wrote to stderr.
 */
export async function costOfProcess(
  command: readonly string[],
  { cwd = process.cwd(), environment = {} }: ProcessPlace = {},
): Promise<ProcessCost> {
  const directory = await mkdtemp(join(tmpdir(), 'bench-time-'));
  const report = join(directory, 'time');
  try {
    const begin = performance.now();
    const child = spawn('/usr/bin/time', ['-f', '%U %S %M', '-o', report, ...command], {
      cwd,
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
    // time(1) tells hundredths of a second.
    const wallMilliseconds = performance.now() - begin;
    if (code !== 0) throw new Error(`${command.join(' ').slice(0, 200)}: exit code ${code}: ${stderr.slice(-2_000)}`);
    const [user = 0, system = 0, kibibytes = 0] = (await readFile(report, 'utf8')).split(/\s+/).map(Number);
    return {
      wallMilliseconds,
      cpuMilliseconds: 1000 * (user + system),
      peakMebibytes: kibibytes / 1024,
      stdout,
    };
  } finally {
    await rm(directory, { recursive: true });
  }
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)] ?? Number.NaN;
  return Number.isInteger(middle) ? (upper + (sorted[middle - 1] ?? upper)) / 2 : upper;
}
