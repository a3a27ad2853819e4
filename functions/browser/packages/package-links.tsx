/** Links to packages, of which there may be thousands. */

import { useEffect, useRef, useState } from 'preact/hooks';
import { countText, numberText } from '../elements/wording.ts';
import type { PackageLink, PackageLinks } from './package-details.ts';
import { formatRoute } from './route.ts';

/** Shown at once; a button shows the others. */
const shownAtFirst = 24;

export function PackageAnchor({ package: { key, name, comment } }: { readonly package: PackageLink }) {
  return (
    <a class="package" href={formatRoute({ view: 'package', key })} title={comment}>
      {name}
    </a>
  );
}

interface PackageLinkListProperties {
  readonly packages: PackageLinks;
  /** Shown where there are none. */
  readonly none?: string;
}

export function PackageLinkList({ packages: { count, links }, none }: PackageLinkListProperties) {
  const [isOpen, setOpen] = useState(false);
  const list = useRef<HTMLUListElement>(null);
  // The button had the focus: it goes to the first link that it brought.
  useEffect(() => {
    if (isOpen) list.current?.querySelectorAll('a')[shownAtFirst]?.focus();
  }, [isOpen]);
  if (count === 0) return <span class="muted">{none}</span>;
  const shown = isOpen ? links : links.slice(0, shownAtFirst);
  const hidden = links.length - shown.length;
  return (
    <div>
      <ul class="links" ref={list}>
        {shown.map((link) => (
          <li key={link.key}>
            <PackageAnchor package={link} />
          </li>
        ))}
      </ul>
      {hidden > 0 && (
        <button type="button" onClick={() => setOpen(true)}>
          Show {numberText(hidden)} more
        </button>
      )}
      {hidden === 0 && count > links.length && (
        <p class="muted">and {countText(count - links.length, 'more package')}</p>
      )}
    </div>
  );
}
