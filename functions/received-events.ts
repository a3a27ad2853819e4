/** Events from elsewhere → keys that may have changed. Each unknown shape is reported once. */

import { hintsFrom } from './events.ts';
import type { ObjectKey } from './ports.ts';
import type { EventCounts } from './server/service-status.ts';
import type { EventReceiver } from './server/site.ts';

const receivedLimits = {
  /** Unknown shapes that are remembered, so that each is reported once. After these, no more are reported. */
  shapesMax: 100,
} as const;

export interface ReceivedEventsOptions {
  readonly token: string;
  /** What precedes each of our keys in the store: `''`, or ending in `/`. Other keys are ignored. */
  readonly prefix: string;
  readonly onKey: (key: ObjectKey) => void;
  /** A sentence on what was not understood. */
  readonly onUnknown: (sentence: string) => void;
}

export class ReceivedEvents implements EventReceiver {
  readonly #options: ReceivedEventsOptions;
  readonly #shapes = new Set<string>();
  /** Since the start. */
  readonly counts = { hints: 0, ignored: 0, unknown: 0 };

  constructor(options: ReceivedEventsOptions) {
    this.#options = options;
  }

  get token(): string {
    return this.#options.token;
  }

  async receive(event: unknown): Promise<EventCounts> {
    const { prefix, onKey } = this.#options;
    const { hints, ignoredCount, unknown } = hintsFrom(event);
    const ours = hints.filter(({ key }) => key.startsWith(prefix));
    for (const { key } of ours) onKey(key.slice(prefix.length));
    for (const { description } of unknown) this.#report(description);
    const counts = {
      hints: ours.length,
      ignored: ignoredCount + hints.length - ours.length,
      unknown: unknown.length,
    };
    for (const name of ['hints', 'ignored', 'unknown'] as const) this.counts[name] += counts[name];
    return counts;
  }

  #report(description: string): void {
    if (this.#shapes.has(description) || this.#shapes.size >= receivedLimits.shapesMax) return;
    this.#shapes.add(description);
    this.#options.onUnknown(`an event was not understood: ${description}`);
  }
}
