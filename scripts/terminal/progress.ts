/** How far something is: a bar on a terminal, with how fast it goes and how long it will still take. Elsewhere nothing. */

import { duration } from '../../functions/wording.ts';

/** Where bars are drawn; results go to the other stream. */
const stream = process.stderr;

const barWidthMax = 30;

/** Often enough to look alive. */
const redrawMilliseconds = 100;

export class Progress {
  readonly #what: string;
  #total = 0;
  #done = 0;
  #begin = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param what is being done, as a participle: `reading packages` */
  constructor(what: string) {
    this.#what = what;
  }

  /** Nothing to do has no bar. */
  start(total: number, done = 0): void {
    if (!stream.isTTY || total === 0) return;
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

  /** Prints a line in the place of the bar, which goes on below it. */
  say(print: (line: string) => void, line: string): void {
    if (this.#timer !== undefined) stream.write(clearLine);
    print(line);
    if (this.#timer !== undefined) this.#draw();
  }

  /** The bar stays, as it was in the end. */
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

/** Back to the first column, and what is behind it erased (ECMA-48 CR, EL). */
const clearLine = '\r\x1b[K';

export interface ProgressFacts {
  readonly what: string;
  readonly value: number;
  readonly total: number;
  readonly elapsedMilliseconds: number;
}

/** `reading packages  ━━━━━━────  12,345 of 27,699, 3,210/s, 5 s left`, with as much of a bar as there is room for. */
export function progressLine(facts: ProgressFacts, columns: number): string {
  const { what, value, total, elapsedMilliseconds } = facts;
  const perSecond = value / (elapsedMilliseconds / 1000);
  const parts = [
    `${value.toLocaleString('en')} of ${total.toLocaleString('en')}`,
    ...(value > 0 && elapsedMilliseconds > 0 ? [`${rateText(perSecond)}/s`, leftText(facts, perSecond)] : []),
  ];
  const text = parts.join(', ');
  const width = Math.min(barWidthMax, columns - what.length - text.length - 5);
  if (width < 5) return `${what}  ${text}`;
  const filled = Math.min(Math.floor((width * value) / Math.max(total, 1)), width);
  return `${what}  ${'━'.repeat(filled)}${'─'.repeat(width - filled)}  ${text}`;
}

function rateText(perSecond: number): string {
  return perSecond >= 10 ? Math.round(perSecond).toLocaleString('en') : perSecond.toFixed(1);
}

/** As fast as so far; in the end, how long it took. */
function leftText({ value, total, elapsedMilliseconds }: ProgressFacts, perSecond: number): string {
  if (value >= total) return duration(elapsedMilliseconds);
  const seconds = (total - value) / perSecond;
  return `${seconds < 60 ? `${Math.ceil(seconds)} s` : duration(1000 * seconds)} left`;
}
