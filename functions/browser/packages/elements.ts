/** Builds elements. Text becomes text nodes and nothing else: no record can bring markup along. */

type Child = Node | string | undefined | false;

/** Undefined and false leave the attribute out, true sets it empty. */
type Attributes = Readonly<Partial<Record<AttributeName, string | number | boolean | undefined>>>;

/** No `style` and no `on…`: the page's policy would refuse them. */
type AttributeName =
  | 'autocapitalize'
  | 'autocomplete'
  | 'class'
  | 'colspan'
  | 'datetime'
  | 'download'
  | 'enterkeyhint'
  | 'for'
  | 'hidden'
  | 'href'
  | 'id'
  | 'placeholder'
  | 'referrerpolicy'
  | 'rel'
  | 'role'
  | 'selected'
  | 'spellcheck'
  | 'tabindex'
  | 'title'
  | 'type'
  | 'value'
  | `aria-${string}`;

export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  setAttributes(made, attributes);
  made.append(...present(children));
  return made;
}

export function setAttributes(target: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) target.removeAttribute(name);
    else target.setAttribute(name, value === true ? '' : String(value));
  }
}

export function button(
  attributes: Attributes,
  onClick: (event: MouseEvent) => void,
  ...children: readonly Child[]
): HTMLButtonElement {
  const made = element('button', { type: 'button', ...attributes }, ...children);
  made.addEventListener('click', onClick);
  return made;
}

/** Of an SVG; its attributes are ours, never a record's. */
export function drawing(
  tag: string,
  attributes: Readonly<Record<string, string | number>>,
  ...children: Child[]
): SVGElement {
  const made = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  made.append(...present(children));
  return made;
}

/** The words of `text` that were searched for, marked. @param words in lower case. */
export function marked(text: string, words: readonly string[]): Node[] {
  const lowerCase = text.toLowerCase();
  // Where lower case has another length (İ), places in it are not places in the text.
  const isAligned = lowerCase.length === text.length;
  const nodes: Node[] = [];
  let from = 0;
  while (isAligned && from < text.length) {
    const next = words
      .map((word) => ({ at: lowerCase.indexOf(word, from), length: word.length }))
      .filter(({ at }) => at !== -1)
      .sort((left, right) => left.at - right.at || right.length - left.length)[0];
    if (next === undefined) break;
    if (next.at > from) nodes.push(document.createTextNode(text.slice(from, next.at)));
    nodes.push(element('mark', {}, text.slice(next.at, next.at + next.length)));
    from = next.at + next.length;
  }
  if (from < text.length || nodes.length === 0) nodes.push(document.createTextNode(text.slice(from)));
  return nodes;
}

function present(children: readonly Child[]): (Node | string)[] {
  return children.filter((child) => child !== undefined && child !== false);
}
