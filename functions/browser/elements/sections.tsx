/** Parts of a view. */

import type { ComponentChildren } from 'preact';
import { numberText } from './wording.ts';

export function Count({ value }: { readonly value: number }) {
  return <span class="count"> {numberText(value)}</span>;
}

interface SectionProperties {
  readonly title: string;
  readonly count?: number | undefined;
  readonly class?: string;
  /** Beside the title. */
  readonly action?: ComponentChildren;
  readonly children: ComponentChildren;
}

export function Section({ title, count, action, children, class: name = '' }: SectionProperties) {
  return (
    <section class={`card ${name}`}>
      <h2 tabIndex={-1}>
        {title}
        {count !== undefined && <Count value={count} />}
        {action}
      </h2>
      {children}
    </section>
  );
}

/** A list that opens on request. */
export function Fold({ title, count, children, class: name = '' }: Omit<SectionProperties, 'action'>) {
  return (
    <details class={name}>
      <summary>
        {title}
        {count !== undefined && <Count value={count} />}
      </summary>
      {children}
    </details>
  );
}

type Mood = 'good' | 'bad' | 'warn' | undefined;

interface FigureProperties {
  readonly title: string;
  readonly mood?: Mood;
  readonly note?: ComponentChildren;
  readonly children: ComponentChildren;
}

/** One of the large numbers in a `<dl class="figures">`. */
export function Figure({ title, mood, note, children }: FigureProperties) {
  return (
    <div class={`card ${mood ?? ''}`}>
      <dt>{title}</dt>
      <dd>
        {children}
        {note !== undefined && <small>{note}</small>}
      </dd>
    </div>
  );
}

interface TableProperties {
  readonly name: string;
  /** Columns of numbers begin with a `#`, which is not shown. */
  readonly titles: readonly string[];
  readonly class?: string;
  /** Rows. */
  readonly children: ComponentChildren;
}

/** What does not fit on a narrow screen can be scrolled to, also without a mouse. */
export function Table({ name, titles, children, class: style }: TableProperties) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard scrolls what has the focus.
    <section class="scroll" aria-label={name} tabIndex={0}>
      <table class={style}>
        <thead>
          <tr>
            {titles.map((title) => (
              <th key={title} class={title.startsWith('#') ? 'numeric' : undefined}>
                {title.replace('#', '')}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </section>
  );
}
