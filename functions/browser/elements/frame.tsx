/** What is around every view: the header, with a way past it for the keyboard. */

import type { ComponentChildren } from 'preact';
import { ThemeButton } from './theme.tsx';

interface FrameProperties {
  readonly brand: ComponentChildren;
  readonly tabs: readonly { readonly title: string; readonly href: string; readonly isCurrent: boolean }[];
  readonly search?: ComponentChildren;
  /** Skips the header. */
  readonly onSkip?: () => void;
  readonly children: ComponentChildren;
}

export function Frame({ brand, tabs, search, children, onSkip = focusMain }: FrameProperties) {
  return (
    <>
      <button type="button" class="skip" onClick={onSkip}>
        Skip to content
      </button>
      <header class="top">
        <div class="brand">{brand}</div>
        {search}
        <nav aria-label="Views">
          {tabs.map(({ title, href, isCurrent }) => (
            <a key={title} href={href} aria-current={isCurrent ? 'page' : undefined}>
              {title}
            </a>
          ))}
        </nav>
        <ThemeButton />
      </header>
      <main id="main" tabIndex={-1}>
        {children}
      </main>
    </>
  );
}

function focusMain(): void {
  document.getElementById('main')?.focus();
}
