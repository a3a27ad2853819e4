import type { Clock, Hint, HintQueue, ObjectKey } from '../../ports.ts';
import { Settling, type SettlingFile } from './settling.ts';

export interface SettledHintsOptions {
  /** For files that have settled. */
  readonly hints: HintQueue;
  /** Without the function, every object is complete. */
  readonly objects: { readonly settlingFile?: ((key: ObjectKey) => Promise<SettlingFile | undefined>) | undefined };
  readonly clock: Clock;
  readonly settleMilliseconds: number;
  /** Called with each key whose file is still being written: its row stays as it is. */
  readonly onLeftOut: (key: ObjectKey) => void;
}

/** A queue for a run that does not wait: it leaves out files that are still being written. */
export class SettledHints implements HintQueue {
  readonly #options: SettledHintsOptions;
  readonly #settling: Settling;

  constructor(options: SettledHintsOptions) {
    this.#options = options;
    this.#settling = new Settling(options);
  }

  async send(hints: readonly Hint[]): Promise<void> {
    const { objects, onLeftOut } = this.#options;
    if (objects.settlingFile === undefined) return await this.#options.hints.send(hints);
    const settled: Hint[] = [];
    for (const hint of hints) {
      const wait = await this.#settling.millisecondsLeft(hint.key, async () => objects.settlingFile?.(hint.key));
      if (wait === 0) settled.push(hint);
      else onLeftOut(hint.key);
    }
    if (settled.length > 0) await this.#options.hints.send(settled);
  }
}
