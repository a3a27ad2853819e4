/** Small charts. Each says in words what it shows; its picture is for those who see it. */

import { countText, numberText } from '../elements/wording.ts';
import type { Figures } from './figures.ts';
import { formatRoute, wholeList } from './route.ts';

/** A bar each, with a link. */
export function CategoryBars({ categories }: Pick<Figures, 'categories'>) {
  const most = Math.max(...categories.map(({ packages }) => packages));
  return (
    <ul class="bars">
      {categories.map(({ name, packages }) => (
        <li key={name}>
          <a href={formatRoute({ ...wholeList, category: name })}>{name}</a>
          <span class="bar" aria-hidden="true" style={{ '--share': packages / most }} />
          <span class="numeric muted">{numberText(packages)}</span>
        </li>
      ))}
    </ul>
  );
}

/** A column for each period. */
export function BuildColumns({ builds }: Pick<Figures, 'builds'>) {
  const most = Math.max(...builds.map(({ packages }) => packages));
  const peak = builds.find(({ packages }) => packages === most);
  const [first = '', last = ''] = [builds.at(0)?.period, builds.at(-1)?.period];
  if (peak === undefined || first === last) return <p>{`All ${countText(most, 'package')}: ${first}.`}</p>;
  return (
    // A few columns do not fill the chart.
    <figure class="columns-chart" style={{ maxWidth: `max(14rem, ${builds.length} * 3rem)` }}>
      <div class="bars-up" aria-hidden="true">
        {builds.map(({ period, packages }) => (
          <span
            key={period}
            title={`${period}: ${countText(packages, 'package')}`}
            style={{ '--share': packages / most }}
          />
        ))}
      </div>
      <p class="axis" aria-hidden="true">
        <span>{first}</span>
        <span>{last}</span>
      </p>
      <figcaption>{`Built ${first} to ${last}; most in ${peak.period}: ${countText(most, 'package')}.`}</figcaption>
    </figure>
  );
}
