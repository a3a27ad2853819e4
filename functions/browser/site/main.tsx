/** The pages that the server renders work without a script; this adds what only a script can do. */

import { render } from 'preact';
import { CopiedLine } from '../elements/copied-line.tsx';
import { ThemeButton } from '../elements/theme.tsx';

const theme = document.getElementById('theme');
if (theme !== null) render(<ThemeButton />, theme);

for (const element of document.querySelectorAll<HTMLElement>('[data-copied]')) {
  const { textContent, dataset } = element;
  element.replaceChildren();
  render(<CopiedLine what={dataset.copied ?? ''} line={textContent.trim()} />, element);
}
