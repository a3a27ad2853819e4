import type { ComponentChildren } from 'preact';
import { numberText } from '../elements/wording.ts';

/** Without a style, a column holds numbers. */
type Column<Row> = readonly [title: string, cell: (row: Row) => ComponentChildren, style?: string];

interface TableProperties<Row> {
  readonly name: string;
  readonly rows: readonly Row[];
  readonly columns: readonly Column<Row>[];
  readonly class?: string;
  readonly rowsMax?: number;
}

/** What does not fit on a narrow screen can be scrolled to, also without a mouse. `/-/status` has the rows beyond `rowsMax`. */
export function Table<Row>({ name, rows, columns, class: style, rowsMax = 100 }: TableProperties<Row>) {
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard scrolls what has the focus. */}
      <section class="scroll" aria-label={name} tabIndex={0}>
        <table class={style}>
          <thead>
            <tr>
              {columns.map(([title, , column = 'numeric']) => (
                <th key={title} class={column}>
                  {title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, rowsMax).map((row, place) => (
              <tr key={place}>
                {columns.map(([title, cell, column = 'numeric']) => (
                  <td key={title} class={column}>
                    {cell(row)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <Others all={rows.length} shown={rowsMax} />
    </>
  );
}

/** @param all how many there are. */
export function Others({ all, shown }: { readonly all: number; readonly shown: number }) {
  return all <= shown ? null : <p class="muted">… and {numberText(all - shown)} more.</p>;
}
