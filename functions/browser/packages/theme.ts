/** Light or dark: as the system has it, until somebody chooses. */

import { button } from './elements.ts';

const themes = ['system', 'light', 'dark'] as const;
type Theme = (typeof themes)[number];

const symbols: Readonly<Record<Theme, string>> = { system: '◐', light: '☀', dark: '☾' };

const storageKey = 'theme';

export function themeButton(): HTMLElement {
  let theme = storedTheme();
  const made = button({ class: 'theme' }, () => {
    theme = themes[(themes.indexOf(theme) + 1) % themes.length] ?? 'system';
    store(theme);
    show();
  });
  const show = () => {
    document.documentElement.dataset.theme = theme;
    made.textContent = symbols[theme];
    made.title = `Colours: ${theme}`;
    made.setAttribute('aria-label', `Colours: ${theme}. Change them.`);
  };
  show();
  return made;
}

/** A browser that keeps nothing for us throws: then the choice holds for this visit. */
function storedTheme(): Theme {
  try {
    return themes.find((theme) => theme === localStorage.getItem(storageKey)) ?? 'system';
  } catch {
    return 'system';
  }
}

function store(theme: Theme): void {
  try {
    localStorage.setItem(storageKey, theme);
  } catch {
    // See storedTheme.
  }
}
