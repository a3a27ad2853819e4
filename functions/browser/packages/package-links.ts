/** Links to packages, of which there may be thousands. */

import { button, element } from './elements.ts';
import type { PackageLink, PackageLinks } from './package-details.ts';
import { formatRoute } from './route.ts';
import { countText, numberText } from './wording.ts';

/** Shown at once; a button shows the others. */
const shownAtFirst = 24;

export function packageAnchor({ key, name, comment }: PackageLink): HTMLAnchorElement {
  return element('a', { class: 'package', href: formatRoute({ view: 'package', key }), title: comment }, name);
}

export function packageLinkList({ count, links }: PackageLinks): HTMLElement {
  const list = element('ul', { class: 'links' });
  const show = (some: readonly PackageLink[]) =>
    list.append(...some.map((link) => element('li', {}, packageAnchor(link))));
  show(links.slice(0, shownAtFirst));
  const others = links.slice(shownAtFirst);
  const unlisted = count - links.length;
  const beyond = unlisted > 0 && element('p', { class: 'muted' }, `and ${countText(unlisted, 'package')} more`);
  if (others.length === 0) return element('div', {}, list, beyond);
  const more = button({ class: 'more' }, () => reveal(), `Show ${numberText(others.length)} more`);
  const container = element('div', {}, list, more);
  const reveal = () => {
    show(others);
    more.replaceWith(...(beyond ? [beyond] : []));
    // The button had the focus: it goes to the first link that it brought.
    list.querySelectorAll('a')[shownAtFirst]?.focus();
  };
  return container;
}
