/** Small charts. Their numbers are in the page as text as well, for those who do not see them. */

import { drawing, element } from './elements.ts';
import type { BuildFigures, CategoryFigures } from './figures.ts';
import { formatRoute, wholeList } from './route.ts';
import { countText, numberText } from './wording.ts';

/** A bar each, linked to the category. */
export function categoryBars(categories: readonly CategoryFigures[]): HTMLElement {
  const most = Math.max(1, ...categories.map(({ packages }) => packages));
  const items = categories.map(({ name, packages }) => {
    const bar = element('span', { class: 'bar', 'aria-hidden': 'true' });
    bar.style.setProperty('--share', String(packages / most));
    return element(
      'li',
      {},
      element('a', { href: formatRoute({ ...wholeList, category: name }) }, name),
      bar,
      element('span', { class: 'number' }, numberText(packages)),
    );
  });
  return element('ul', { class: 'bars' }, ...items);
}

const chartWidth = 600;
const chartHeight = 140;
const gap = 2;

/** A column for each period. */
export function buildColumns(builds: readonly BuildFigures[]): HTMLElement {
  const most = Math.max(1, ...builds.map(({ packages }) => packages));
  const step = chartWidth / Math.max(builds.length, 1);
  const bars = builds.map(({ period, packages }, index) => {
    const height = (packages / most) * chartHeight;
    const shape = { x: index * step, y: chartHeight - height, width: Math.max(step - gap, 1), height };
    return drawing('rect', shape, drawing('title', {}, `${period}: ${countText(packages, 'package')}`));
  });
  const peak = builds.find(({ packages }) => packages === most);
  const first = builds.at(0)?.period ?? '';
  const last = builds.at(-1)?.period ?? '';
  const summary =
    peak === undefined ? '' : `Builds from ${first} to ${last}; most in ${peak.period}: ${countText(most, 'package')}.`;
  const picture = drawing(
    'svg',
    { viewBox: `0 0 ${chartWidth} ${chartHeight}`, preserveAspectRatio: 'none', 'aria-hidden': 'true' },
    ...bars,
  );
  return element(
    'figure',
    { class: 'columns-chart' },
    picture,
    element('p', { class: 'axis', 'aria-hidden': 'true' }, element('span', {}, first), element('span', {}, last)),
    element('figcaption', {}, summary),
  );
}
