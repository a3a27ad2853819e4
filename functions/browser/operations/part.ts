/** A part of the page that is made anew when what it shows has changed, and only then: whoever reads or works in it is not disturbed. */

import { element } from '../packages/elements.ts';

export class Part<Model> {
  readonly element: HTMLElement;
  readonly #render: (model: Model) => readonly (Node | string)[];
  #shown = '';

  constructor(name: string, render: (model: Model) => readonly (Node | string)[]) {
    this.element = element('section', { class: name, hidden: true });
    this.#render = render;
  }

  /** Nothing to show hides it. @param model what it shows, and nothing else: it is compared as JSON. */
  show(model: Model): void {
    const text = JSON.stringify(model);
    if (text === this.#shown) return;
    this.#shown = text;
    const focused = this.element.contains(document.activeElement) ? labelOf(document.activeElement) : undefined;
    const opened = new Set([...this.element.querySelectorAll('details[open]')].map(labelOf));
    const nodes = this.#render(model);
    this.element.replaceChildren(...nodes);
    this.element.hidden = nodes.length === 0;
    for (const details of this.element.querySelectorAll('details')) details.open = opened.has(labelOf(details));
    if (focused === undefined) return;
    const same = [...this.element.querySelectorAll<HTMLElement>('button, a, summary, [tabindex]')];
    // What had the focus is gone, like a package that is not rejected any more: its part has it then.
    (same.find((each) => labelOf(each) === focused) ?? this.element.querySelector('h2'))?.focus();
  }
}

/** What somebody who does not see it tells it by. */
function labelOf(node: Element | null): string {
  const named = node instanceof HTMLDetailsElement ? node.querySelector('summary') : node;
  return named?.getAttribute('aria-label') ?? named?.textContent ?? '';
}
