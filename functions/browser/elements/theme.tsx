/** Light or dark: as the system has it, until the reader chooses. */

import { useLayoutEffect, useState } from 'preact/hooks';

const symbols = { system: '◐', light: '☀', dark: '☾' } as const;
type Theme = keyof typeof symbols;

const next: Readonly<Record<Theme, Theme>> = { system: 'light', light: 'dark', dark: 'system' };

const storageKey = 'theme';

export function ThemeButton() {
  const [theme, setTheme] = useState(storedTheme);
  useLayoutEffect(() => {
    document.documentElement.dataset.theme = theme;
  }, [theme]);
  const choose = () => {
    setTheme(next[theme]);
    store(next[theme]);
  };
  return (
    <button
      type="button"
      class="theme"
      title={`Theme: ${theme}`}
      aria-label={`Theme: ${theme}. Change it.`}
      onClick={choose}
    >
      {symbols[theme]}
    </button>
  );
}

/** A browser that stores nothing for us throws: then the choice holds for this visit. */
function storedTheme(): Theme {
  try {
    const theme = localStorage.getItem(storageKey) ?? '';
    return theme in symbols ? (theme as Theme) : 'system';
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
