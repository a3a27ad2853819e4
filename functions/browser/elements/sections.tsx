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
      <h2>
        {title}
        {count !== undefined && <Count value={count} />}
        {action}
      </h2>
      {children}
    </section>
  );
}

/** A list that opens on request. */
export function Fold({ title, count = 0, children, class: name = '' }: Omit<SectionProperties, 'action'>) {
  return (
    <details class={name}>
      <summary>
        {title}
        <Count value={count} />
      </summary>
      {children}
    </details>
  );
}

/** Codes, each with what there is to say about it. */
export type CodeRow = readonly [code: string, about: ComponentChildren];

export function CodeRows({ rows }: { readonly rows: readonly CodeRow[] }) {
  return (
    <ul class="dependencies">
      {rows.map(([code, about]) => (
        <li key={code}>
          <code>{code}</code>
          {about}
        </li>
      ))}
    </ul>
  );
}

export function Codes({ values }: { readonly values: readonly string[] }) {
  return (
    <ul class="links">
      {values.map((value) => (
        <li key={value}>
          <code>{value}</code>
        </li>
      ))}
    </ul>
  );
}

interface Figure {
  readonly title: string;
  readonly value: ComponentChildren;
  readonly note?: ComponentChildren;
  readonly mood?: 'good' | 'bad' | 'warn' | false;
}

/** Large numbers. */
export function Figures({ figures }: { readonly figures: readonly Figure[] }) {
  return (
    <dl class="figures">
      {figures.map(({ title, value, note, mood }) => (
        <div key={title} class={`card ${mood || ''}`}>
          <dt>{title}</dt>
          <dd>
            {value}
            {note && <small>{note}</small>}
          </dd>
        </div>
      ))}
    </dl>
  );
}
