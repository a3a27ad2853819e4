/**
 * The kernel's queue of file events, as far as it can be seen. It drops what it has no room for, and node:fs does not say so. But
 * node:fs hands over everything that is queued within one turn of the event loop: where that is nearly as much as the queue holds,
 * some may have been dropped.
 */
export class EventQueue {
  readonly #suspicious: number;
  #thisTurn = 0;

  /** @param eventsMax how many it holds. Events of directories that are not watched any more are among them, and are not seen. */
  constructor(eventsMax: number) {
    this.#suspicious = Math.ceil(eventsMax / 2);
  }

  /** Counts an event. @returns true once in a turn in which some may have been dropped. */
  mayOverflow(): boolean {
    if (this.#thisTurn === 0)
      setImmediate(() => {
        this.#thisTurn = 0;
      });
    this.#thisTurn += 1;
    return this.#thisTurn === this.#suspicious;
  }
}
