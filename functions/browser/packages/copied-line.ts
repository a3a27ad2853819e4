/** A line that is made to be pasted elsewhere: into a shell, into a file. */

import { button, element } from './elements.ts';

/** How long the button says what it did. */
const saidMilliseconds = 2_000;

/** @param what the line is, for those who hear the page: `pkgin command`. */
export function copiedLine(what: string, line: string): HTMLElement {
  const code = element('code', { tabindex: 0, 'aria-label': what }, line);
  const copy = button(
    { class: 'copy', 'aria-label': `Copy the ${what}` },
    () => void copyText(line, code, copy),
    'Copy',
  );
  return element('div', { class: 'command' }, code, copy);
}

async function copyText(text: string, shown: HTMLElement, copy: HTMLElement): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    copy.textContent = 'Copied';
  } catch {
    // Without https there is no clipboard: the line is selected, and the keyboard copies it.
    getSelection()?.selectAllChildren(shown);
    copy.textContent = 'Selected';
  }
  setTimeout(() => {
    copy.textContent = 'Copy';
  }, saidMilliseconds);
}
