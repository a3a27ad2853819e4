/** A progress bar with speed and remaining time, on a terminal only. */

import { duration } from '../../functions/wording.ts';

/** Results go to standard output, so bars go here. */
const stream = process.stderr;

const barWidthMax = 30;
/** A shorter bar shows nothing. */
const barWidthMin = 5;

/** Often enough to look alive. */
const redrawMilliseconds = 100;

export class Progress {
  readonly #what: string;
  readonly #isQuiet: boolean;
  #total = 0;
  #done = 0;
  #begin = 0;
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param what what is going on: `reading packages`
   * @param isQuiet no bar
   */
  constructor(what: string, isQuiet = false) {
    this.#what = what;
    this.#isQuiet = isQuiet;
  }

  /** Without work there is no bar. */
  start(total: number, done = 0): void {
    if (this.#isQuiet || !stream.isTTY || total === 0) return;
    this.#total = total;
    this.#done = done;
    this.#begin = performance.now();
    this.#draw();
    this.#timer = setInterval(() => this.#draw(), redrawMilliseconds);
  }

  update(done: number, total = this.#total): void {
    this.#done = done;
    this.#total = total;
  }

  /** Prints a line above the bar. */
  say(print: (line: string) => void, line: string): void {
    if (this.#timer !== undefined) stream.write(clearLine);
    print(line);
    if (this.#timer !== undefined) this.#draw();
  }

  /** Leaves the last state of the bar on the screen. */
  stop(): void {
    if (this.#timer === undefined) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#draw();
    stream.write('\n');
  }

  #draw(): void {
    const facts = { what: this.#what, value: this.#done, total: this.#total };
    const elapsedMilliseconds = performance.now() - this.#begin;
    stream.write(clearLine + progressLine({ ...facts, elapsedMilliseconds }, stream.columns));
  }
}

/** Returns to the first column and erases the line (ECMA-48 CR, EL). */
const clearLine = '\r\x1b[K';

export interface ProgressFacts {
  readonly what: string;
  readonly value: number;
  readonly total: number;
  readonly elapsedMilliseconds: number;
}

/**
 * `reading packages  ━━━━━━────  12,345 of 27,699, 3,210/s, 5 s left`: the bar fills the room that there is; a narrow terminal gets
 * fewer facts.
 * @returns fewer than `columns` characters: a line that fills the last column would scroll
 */
export function progressLine(facts: ProgressFacts, columns: number): string {
  const { what, value, total, elapsedMilliseconds } = facts;
  const perSecond = value / (elapsedMilliseconds / 1000);
  const done = `${value.toLocaleString('en')} of ${total.toLocaleString('en')}`;
  const [rate, left] =
    value > 0 && elapsedMilliseconds > 0 ? [`${rateText(perSecond)}/s`, leftText(facts, perSecond)] : [];
  const text = [done, rate, left].filter((part) => part !== undefined).join(', ');
  const width = Math.min(barWidthMax, columns - what.length - text.length - 5);
  if (width >= barWidthMin) {
    const filled = Math.min(Math.floor((width * value) / Math.max(total, 1)), width);
    return `${what}  ${'━'.repeat(filled)}${'─'.repeat(width - filled)}  ${text}`;
  }
  const shorter = [`${what}  ${text}`, `${what}  ${done}`, done];
  return shorter.find((line) => line.length < columns) ?? '';
}

function rateText(perSecond: number): string {
  return perSecond >= 10 ? Math.round(perSecond).toLocaleString('en') : perSecond.toFixed(1);
}

/** The remaining time at the speed so far; at the end, the total time. */
function leftText({ value, total, elapsedMilliseconds }: ProgressFacts, perSecond: number): string {
  if (value >= total) return duration(elapsedMilliseconds);
  const seconds = (total - value) / perSecond;
  return `${seconds < 60 ? `${Math.ceil(seconds)} s` : duration(1000 * seconds)} left`;
}
