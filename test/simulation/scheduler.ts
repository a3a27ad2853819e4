/**
 * All asynchrony and all time of a simulation. Whatever waits, waits here, and one thing runs at a time: it runs until it waits
 * again, however many promises (or threads of zlib) it goes through meanwhile. So the order of everything is that of the times
 * drawn for it, and a seed gives the same run on every machine.
 */

interface Turn {
  /** Milliseconds since the simulation began. */
  readonly at: number;
  readonly order: number;
  /** Ends its turn by itself, or begins something that ends it by `endTurn`. */
  readonly run: () => void;
  readonly endsAtOnce: boolean;
}

/** Something never comes to rest. */
export class Restless extends Error {
  override readonly name = 'Restless';
}

export class Scheduler {
  /** Milliseconds since the simulation began. */
  now = 0;
  turns = 0;
  /** Latest first. */
  readonly #waiting: Turn[] = [];
  #order = 0;
  #endTurn: () => void = () => undefined;
  readonly #turnsMax: number;

  constructor(turnsMax: number) {
    this.#turnsMax = turnsMax;
  }

  /** Something that is over when it returns. */
  after(milliseconds: number, run: () => void): void {
    this.#add({ at: this.now + milliseconds, order: this.#order, run, endsAtOnce: true });
  }

  /** Something that goes on until it pauses or says `endTurn`. */
  begin(milliseconds: number, run: () => void): void {
    this.#add({ at: this.now + milliseconds, order: this.#order, run, endsAtOnce: false });
  }

  /** Lets others run for that long. */
  pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      this.begin(milliseconds, resolve);
      this.endTurn();
    });
  }

  endTurn(): void {
    this.#endTurn();
  }

  /** Resolves once nothing waits, or once it is told to stop. @throws {Restless} */
  async run(isToStop: () => boolean): Promise<void> {
    for (let turn = this.#waiting.pop(); turn !== undefined && !isToStop(); turn = this.#waiting.pop()) {
      this.turns += 1;
      if (this.turns > this.#turnsMax)
        throw new Restless(`expected rest after ${this.#turnsMax} turns, found none at ${Math.round(this.now)} ms`);
      this.now = turn.at;
      if (turn.endsAtOnce) turn.run();
      else await this.#runTurn(turn);
    }
  }

  #runTurn(turn: Turn): Promise<void> {
    return new Promise((resolve) => {
      this.#endTurn = resolve;
      turn.run();
    });
  }

  #add(turn: Turn): void {
    this.#order += 1;
    let low = 0;
    let high = this.#waiting.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.#waiting[middle];
      const isLater = other !== undefined && (other.at > turn.at || (other.at === turn.at && other.order > turn.order));
      if (isLater) low = middle + 1;
      else high = middle;
    }
    this.#waiting.splice(low, 0, turn);
  }
}
