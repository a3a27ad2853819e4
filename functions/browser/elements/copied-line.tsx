/** A line to paste into a shell or a file. */

import { useRef, useState } from 'preact/hooks';

/** How long the button says what it did. */
const resultMilliseconds = 2_000;

/** @param what the line is, for screen readers: `pkgin command`. */
export function CopiedLine({ what, line }: { readonly what: string; readonly line: string }) {
  const [title, setTitle] = useState('Copy');
  const code = useRef<HTMLElement>(null);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(line);
      setTitle('Copied');
    } catch {
      // Without https there is no clipboard: the line is selected, and the keyboard copies it.
      if (code.current !== null) getSelection()?.selectAllChildren(code.current);
      setTitle('Selected');
    }
    setTimeout(() => setTitle('Copy'), resultMilliseconds);
  };
  return (
    <div class="command">
      <code ref={code}>{line}</code>
      <button type="button" aria-label={`Copy the ${what}`} onClick={copy}>
        {title}
      </button>
    </div>
  );
}
