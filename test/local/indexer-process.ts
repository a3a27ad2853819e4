/** The command line as its users run it: a process of its own. */

import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { User } from './ordinary-user.ts';

const commandLine = fileURLToPath(new URL('../../scripts/indexer.ts', import.meta.url));

export interface Ran {
  /** Null where a signal ended it. */
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProcessOptions {
  /** Who runs it; without one, whoever runs the test. */
  readonly user?: User;
  readonly environment?: Readonly<Record<string, string>>;
  /** A module of test/local/preload that is loaded before the program. */
  readonly preload?: string;
  /** A command that runs it: itself and its first arguments. It must become the process that it runs. */
  readonly through?: readonly string[];
  /** How long `serve` may take to start. */
  readonly startMilliseconds?: number;
  /** What it prints goes into this file; without one, the test keeps it. */
  readonly logFile?: string;
}

/** Those that go on: a test that fails leaves one behind, which would keep the tests from ending. */
const running = new Set<ChildProcess>();

function start(args: readonly string[], options: ProcessOptions = {}): ChildProcess {
  const { user = {}, environment = {}, preload, through = [], logFile } = options;
  const imports =
    preload === undefined ? {} : { NODE_OPTIONS: `--import=${new URL(`preload/${preload}`, import.meta.url)}` };
  const log = logFile === undefined ? undefined : openSync(logFile, 'a');
  const stdio: SpawnOptions['stdio'] = log === undefined ? ['ignore', 'pipe', 'pipe'] : ['ignore', log, log];
  const env = { ...process.env, ...imports, ...environment };
  const [command = process.execPath, ...rest] = [...through, process.execPath, commandLine, ...args];
  const child = spawn(command, rest, { stdio, env, ...user });
  if (log !== undefined) closeSync(log);
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

/** Runs a command to its end, or has `meanwhile` end it. */
export async function run(
  args: readonly string[],
  options: ProcessOptions = {},
  meanwhile: (child: ChildProcess) => void | Promise<void> = () => {},
): Promise<Ran> {
  const child = start(args, options);
  const output = { stdout: '', stderr: '' };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
  const closed = once(child, 'close') as Promise<[number | null]>;
  await meanwhile(child);
  const [exitCode] = await closed;
  return { exitCode, ...output };
}

/** Where every file is complete, however new it is. */
export const indexNow = ['index', '--settle', '0'] as const;

/** For tests that wait for many publications. */
export const soon = ['--debounce', '0.2', '--settle', '0.5'] as const;

/** `serve DIR` on a free port, ready to be asked. */
export class ServingIndexer {
  readonly #child: ChildProcess;
  readonly #output: () => string;
  readonly url: string;

  static async start(
    directory: string,
    args: readonly string[] = [],
    options: ProcessOptions = {},
  ): Promise<ServingIndexer> {
    const { logFile } = options;
    const child = start(['serve', directory, '--port', '0', '--local-uploads', ...args], options);
    let text = '';
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (more: string) => (text += more));
    const output = logFile === undefined ? () => text : () => readFileSync(logFile, 'utf8');
    const answered = () => {
      if (child.exitCode !== null) throw new Error(`serve ended with ${child.exitCode}: ${output()}`);
      return /serving .* on (http:\/\/[^/]+)\//.exec(output())?.[1];
    };
    const url = await until('serve prints its address', answered, options.startMilliseconds);
    return new ServingIndexer(child, url, output);
  }

  private constructor(child: ChildProcess, url: string, output: () => string) {
    this.#child = child;
    this.url = url;
    this.#output = output;
  }

  get output(): string {
    return this.#output();
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Of the whole process, at its most; bytes. */
  async peakMemory(): Promise<number> {
    const status = await readFile(`/proc/${this.#child.pid}/status`, 'utf8');
    return 1024 * Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]);
  }

  /** Of all threads, up to now; milliseconds. */
  async cpuTime(): Promise<number> {
    const stat = await readFile(`/proc/${this.#child.pid}/stat`, 'latin1');
    // Fields 14 and 15, in hundredths of a second; the name before may hold blanks.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return 10 * (Number(fields[11]) + Number(fields[12]));
  }

  /** From files, up to now; bytes. */
  async bytesRead(): Promise<number> {
    const io = await readFile(`/proc/${this.#child.pid}/io`, 'utf8');
    return Number(/^rchar: (\d+)/m.exec(io)?.[1]);
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** As `kill -9` does. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.ended();
  }

  /** As Ctrl-C does; the exit code. */
  async interrupt(): Promise<number | null> {
    this.#child.kill('SIGINT');
    await this.ended();
    return this.#child.exitCode;
  }

  async ended(): Promise<void> {
    if (!this.hasEnded) await once(this.#child, 'exit');
  }
}

/** Asks until there is an answer. @throws after `milliseconds`, with what was waited for. */
export async function until<Answer>(
  what: string,
  ask: () => Answer | undefined | Promise<Answer | undefined>,
  milliseconds = 20_000,
): Promise<Answer> {
  const deadline = Date.now() + milliseconds;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > deadline) throw new Error(`expected within ${milliseconds} ms that ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** A directory that every user may enter, and that is gone after `work`. */
export async function inTemporaryDirectory(work: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'indexer-test-'));
  await chmod(directory, 0o755);
  try {
    await work(directory);
  } finally {
    for (const child of running) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    await rm(directory, { recursive: true, force: true });
  }
}
