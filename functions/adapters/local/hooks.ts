/** Programs that want to know of each publication: web hooks and commands. No publication waits for them, or fails with them. */

import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import type { Log } from '../../log.ts';
import type { Clock } from '../../ports.ts';
import type { PublicationEvent } from '../../publication-event.ts';
import { printable } from '../../wording.ts';

export const hookLimits = {
  /** Publications that wait for a hook which is slow; of more, the oldest are dropped. An hour of one a minute, and some. */
  waitingMax: 100,
  /** Before the second and the third try: a receiver that is being restarted is back by then. */
  backOffMilliseconds: [1_000, 10_000],
  /** One try. */
  webhookMilliseconds: 10_000,
  commandMilliseconds: 60_000,
  /** How long the end of the server waits for hooks that are under way. */
  closeMilliseconds: 5_000,
  /** Of what a command writes on standard error, its end is logged. */
  errorCharactersMax: 200,
} as const;

export interface Hook {
  /** For the log; without secrets. */
  readonly name: string;
  /** @throws with a sentence where it was not delivered. */
  deliver(event: PublicationEvent, signal: AbortSignal): Promise<void>;
}

export interface HooksOptions {
  readonly hooks: readonly Hook[];
  readonly clock: Clock;
  readonly log: Log;
  readonly onEnded?: (outcome: 'delivered' | 'failed') => void;
}

/** Each hook has a queue of its own, in order, with one delivery under way at most. */
export class Hooks {
  readonly #queues: readonly HookQueue[];
  readonly #clock: Clock;
  readonly #stop = new AbortController();

  constructor({ hooks, ...options }: HooksOptions) {
    this.#clock = options.clock;
    this.#queues = hooks.map((hook) => new HookQueue(hook, options, this.#stop.signal));
  }

  published(event: PublicationEvent): void {
    for (const queue of this.#queues) queue.add(event);
  }

  /** Waits for what is under way, but not for long. */
  async close(): Promise<void> {
    const delivered = new AbortController();
    const all = Promise.all(this.#queues.map((queue) => queue.ended())).then(() => delivered.abort());
    await this.#clock.sleep(hookLimits.closeMilliseconds, delivered.signal);
    this.#stop.abort();
    await all;
  }
}

class HookQueue {
  readonly #hook: Hook;
  readonly #options: Omit<HooksOptions, 'hooks'>;
  readonly #stop: AbortSignal;
  readonly #waiting: PublicationEvent[] = [];
  #running: Promise<void> | undefined;

  constructor(hook: Hook, options: Omit<HooksOptions, 'hooks'>, stop: AbortSignal) {
    this.#hook = hook;
    this.#options = options;
    this.#stop = stop;
  }

  add(event: PublicationEvent): void {
    this.#waiting.push(event);
    if (this.#waiting.length > hookLimits.waitingMax) this.#fail(this.#waiting.shift(), 'too many are waiting');
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
  }

  async ended(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    for (let event = this.#waiting.shift(); event !== undefined; event = this.#waiting.shift())
      await this.#deliver(event);
  }

  async #deliver(event: PublicationEvent): Promise<void> {
    const { clock, log, onEnded } = this.#options;
    for (let tries = 1; ; tries += 1) {
      try {
        this.#stop.throwIfAborted();
        await this.#hook.deliver(event, this.#stop);
        onEnded?.('delivered');
        return;
      } catch (error) {
        const backOff = hookLimits.backOffMilliseconds[tries - 1];
        const reason = this.#stop.aborted ? 'the server is stopping' : sentenceOf(error);
        if (backOff === undefined || this.#stop.aborted) {
          this.#fail(event, reason);
          return;
        }
        if (tries === 1) log(`${this.#hook.name}: ${reason}; will retry`, 'warn');
        await clock.sleep(backOff, this.#stop);
      }
    }
  }

  #fail(event: PublicationEvent | undefined, reason: string): void {
    const { log, onEnded } = this.#options;
    const what = `${printable(event?.repository ?? '')} ${event?.sequence}`.trim();
    log(`${this.#hook.name}: missed publication ${what}: ${reason}`, 'error');
    onEnded?.('failed');
  }
}

/** fetch says "fetch failed", and why in the cause. */
function sentenceOf(error: unknown): string {
  const { message, cause } = error as Error;
  return printable(cause instanceof Error ? cause.message || String((cause as { code?: unknown }).code) : message);
}

const signatureHeader = 'X-Pkgsrc-Indexer-Signature';

/**
 * POSTs the event as JSON. A status other than 2xx is a failure, and so is a redirect.
 * @param secret signs the body: `sha256=` and its HMAC-SHA256 in hexadecimal.
 */
export function webhook(url: string, secret: string | undefined): Hook {
  return {
    // The path may hold a token of the receiver.
    name: `web hook ${new URL(url).origin}`,
    deliver: async (event, signal) => {
      const body = JSON.stringify(event);
      const signature =
        secret === undefined ? undefined : `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
      const response = await fetch(url, {
        method: 'POST',
        headers: {
          'Content-Type': 'application/json',
          'User-Agent': 'pkgsrc-indexer',
          ...(signature !== undefined ? { [signatureHeader]: signature } : {}),
        },
        body,
        redirect: 'manual',
        signal: AbortSignal.any([signal, AbortSignal.timeout(hookLimits.webhookMilliseconds)]),
      });
      await response.body?.cancel();
      if (!response.ok) throw new Error(`it answered ${response.status}`);
    },
  };
}

/** Runs the command by `sh`, with the event as JSON on standard input. An exit code other than 0 is a failure. */
export function commandHook(command: string): Hook {
  return {
    name: 'command on publication',
    deliver: async (event, signal) => {
      const child = spawn('/bin/sh', ['-c', command], {
        stdio: ['pipe', 'ignore', 'pipe'],
        env: {
          ...withoutSettings(process.env),
          PKGSRC_INDEXER_REPOSITORY: event.repository,
          PKGSRC_INDEXER_SEQUENCE: String(event.sequence),
        },
        // A process group of its own, so that what the shell started ends with it.
        detached: true,
      });
      let errors = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        errors = (errors + text).slice(-hookLimits.errorCharactersMax);
      });
      // It need not read the event.
      child.stdin.on('error', () => {});
      child.stdin.end(JSON.stringify(event));
      const over = AbortSignal.any([signal, AbortSignal.timeout(hookLimits.commandMilliseconds)]);
      const kill = () => killGroup(child.pid);
      over.addEventListener('abort', kill);
      const [code] = (await once(child, 'exit').finally(() => over.removeEventListener('abort', kill))) as [
        number | null,
      ];
      if (over.aborted) throw new Error(`it took longer than ${hookLimits.commandMilliseconds / 1_000} s`);
      if (code !== 0) throw new Error(`it ended with ${code ?? 'a signal'}${errors && `: ${errors.trim()}`}`);
    },
  };
}

function killGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // It has just ended.
  }
}

/** A command of ours in a hook must not take over the server's port, state or tokens. */
function withoutSettings(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('PKGSRC_INDEXER_')));
}
