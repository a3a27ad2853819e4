/** Tables of text that fit the terminal: cells are wrapped where it is narrow, and whole where there is none. */

import { styleText } from 'node:util';
import stringWidth from 'string-width';

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
  /** Whether its cells are wrapped where the table is wider than the terminal. */
  readonly wraps?: boolean;
}

/** Text without control characters; with a style where the terminal has that (and neither NO_COLOR nor FORCE_COLOR says otherwise). */
export type Cell = string | { readonly text: string; readonly style: 'red' | 'yellow' | 'dim' };

const gap = '  ';

/** No column gets narrower: a word in a line of its own is worse than a line that the terminal breaks. */
const wrappedWidthMin = 12;

/** In columns; endless where there is no terminal, or one that does not know, and says 0. */
export function terminalWidth(): number {
  return process.stdout.columns || Number.POSITIVE_INFINITY;
}

/**
 * @param width in columns
 * @returns lines without blanks at their ends, the titles first
 */
export function textTable(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  width: number = terminalWidth(),
): string[] {
  const widths = fitted(columns, rows, width);
  const titles = columns.map(({ title }): Cell => ({ text: title, style: 'dim' }));
  return [titles, ...rows].flatMap((row) => linesOf(row, columns, widths));
}

function fitted(columns: readonly Column[], rows: readonly (readonly Cell[])[], width: number): number[] {
  // One by one: there may be more rows than a call has arguments.
  const widths = columns.map(({ title }, index) =>
    rows.reduce((most, row) => Math.max(most, stringWidth(textOf(row[index]))), stringWidth(title)),
  );
  const total = () => widths.reduce((sum, each) => sum + each, gap.length * (widths.length - 1));
  while (total() > width) {
    const wrappable = widths.map((each, index) => (columns[index]?.wraps ? each : 0));
    const widest = Math.max(...wrappable);
    if (widest <= wrappedWidthMin) break;
    widths[wrappable.indexOf(widest)] = widest - 1;
  }
  return widths;
}

function linesOf(row: readonly Cell[], columns: readonly Column[], widths: readonly number[]): string[] {
  const wrapped = columns.map((_, index) => wrap(textOf(row[index]), widths[index] ?? 0));
  const height = Math.max(...wrapped.map(({ length }) => length));
  return Array.from({ length: height }, (_, line) => {
    const cells = columns.map(({ align }, index) => {
      const text = wrapped[index]?.[line] ?? '';
      const blanks = ' '.repeat(Math.max((widths[index] ?? 0) - stringWidth(text), 0));
      const shown = styled(row[index], text);
      if (align === 'right') return blanks + shown;
      return index === columns.length - 1 ? shown : shown + blanks;
    });
    return cells.join(gap).trimEnd();
  });
}

function textOf(cell: Cell = ''): string {
  return typeof cell === 'string' ? cell : cell.text;
}

function styled(cell: Cell | undefined, text: string): string {
  return typeof cell === 'object' && text !== '' ? styleText(cell.style, text) : text;
}

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** Breaks at blanks, and within a word only where it has no room in a line of its own. */
export function wrap(text: string, width: number): string[] {
  if (stringWidth(text) <= width) return [text];
  const lines: string[] = [];
  let line = '';
  const append = (piece: string, separator: string): void => {
    const longer = line === '' ? piece : line + separator + piece;
    if (line === '' || stringWidth(longer) <= width) line = longer;
    else {
      lines.push(line);
      line = piece;
    }
  };
  for (const word of text.split(' ')) {
    if (stringWidth(word) <= width) append(word, ' ');
    else {
      const [first = '', ...others] = [...graphemes.segment(word)].map(({ segment }) => segment);
      append(first, ' ');
      for (const other of others) append(other, '');
    }
  }
  return [...lines, line];
}
