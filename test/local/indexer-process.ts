/** The command line as its users run it: a process of its own. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const commandLine = fileURLToPath(new URL('../../scripts/indexer.ts', import.meta.url));

export interface Ran {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end. */
export async function run(args: readonly string[]): Promise<Ran> {
  const child = spawn(process.execPath, [commandLine, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
  const [exitCode] = (await once(child, 'close')) as [number | null];
  return { exitCode, ...output };
}

/** `serve DIR` on a free port, ready to be asked. */
export class ServingIndexer {
  readonly #child: ChildProcess;
  readonly url: string;
  readonly #output: { text: string };

  static async start(directory: string, args: readonly string[] = []): Promise<ServingIndexer> {
    const child = spawn(process.execPath, [commandLine, 'serve', directory, '--port', '0', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const output = { text: '' };
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (output.text += text));
    const url = await until('serve prints its address', () => {
      if (child.exitCode !== null) throw new Error(`serve ended with ${child.exitCode}: ${output.text}`);
      return /serving .* on (http:\/\/[^/]+)\//.exec(output.text)?.[1];
    });
    return new ServingIndexer(child, url, output);
  }

  private constructor(child: ChildProcess, url: string, output: { text: string }) {
    this.#child = child;
    this.url = url;
    this.#output = output;
  }

  get output(): string {
    return this.#output.text;
  }

  /** Of the whole process, at its most; bytes. */
  async peakMemory(): Promise<number> {
    const status = await readFile(`/proc/${this.#child.pid}/status`, 'utf8');
    return 1024 * Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]);
  }

  /** As `kill -9` does. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'exit');
  }

  /** As Ctrl-C does; the exit code. */
  async interrupt(): Promise<number | null> {
    this.#child.kill('SIGINT');
    if (this.#child.exitCode === null) await once(this.#child, 'exit');
    return this.#child.exitCode;
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

/** A directory that is gone after `work`. */
export async function inTemporaryDirectory(work: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'indexer-test-'));
  try {
    await work(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
