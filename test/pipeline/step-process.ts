/** A step's bundle in a fresh process, as one environment of Lambda holds it: one event at a time. */

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const runtime = fileURLToPath(new URL('lambda-runtime.ts', import.meta.url));

/** What Lambda's longest timeout leaves at the beginning. */
const remainingMillisecondsMost = 900_000;

type Reply = { readonly answer: unknown } | { readonly error: string };

/** The handler threw, or the process ended. */
export class InvocationFailed extends Error {
  override readonly name = 'InvocationFailed';
}

/** A line of the handler's log, or of its metrics (EMF). */
export type OutputLine = Readonly<Record<string, unknown>>;

export class StepProcess {
  readonly #child: ChildProcess;
  #last: Promise<unknown> = Promise.resolve();
  #errors = '';
  readonly #output: OutputLine[];

  /** `environment` is all that the process gets; `output` collects what it writes. */
  constructor(bundle: string, environment: Readonly<Record<string, string>>, output: OutputLine[]) {
    this.#child = fork(runtime, [bundle], { env: environment, stdio: ['ignore', 'pipe', 'pipe', 'ipc'], execArgv: [] });
    this.#output = output;
    for (const input of [this.#child.stdout, this.#child.stderr]) {
      if (input !== null) createInterface({ input }).on('line', (line) => this.#take(line));
    }
  }

  /** Logs and metrics are JSON; anything else is Node's own complaint. */
  #take(line: string): void {
    if (line.startsWith('{')) this.#output.push(JSON.parse(line));
    else this.#errors += `${line}\n`;
  }

  /**
   * Waits until the events before have been handled, as Lambda does with one environment.
   * @throws {InvocationFailed}
   */
  invoke(event: unknown, remainingMilliseconds = remainingMillisecondsMost): Promise<unknown> {
    const invocation = this.#last.then(() => this.#invokeNow(event, remainingMilliseconds));
    this.#last = invocation.catch(() => {});
    return invocation;
  }

  async #invokeNow(event: unknown, remainingMilliseconds: number): Promise<unknown> {
    const ended = new AbortController();
    const replied = once(this.#child, 'message', ended);
    const exited = once(this.#child, 'exit', ended).then(([code]) => ({ error: `exit ${code}: ${this.#errors}` }));
    try {
      this.#child.send({ event, remainingMilliseconds });
      const reply = (await Promise.race([replied.then(([message]) => message), exited])) as Reply;
      if ('error' in reply) throw new InvocationFailed(reply.error);
      return reply.answer;
    } finally {
      ended.abort();
      await Promise.allSettled([replied, exited]);
    }
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }
}
